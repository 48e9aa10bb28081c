import { headOf, PREFIX } from './ciphertext.js'
import { boolean, bytes, encode, UnencodableValue } from './codec.js'
import { dateTime, parseDateTime } from './dateTime.js'
import { canonicalDecimal, decimal } from './decimal.js'
import { eachOf, encodeField, revived, type ValueForm } from './fieldValue.js'
import { jsonText, parsedJson } from './json.js'
import { bigint, float, int, parseFloat64, parseInt32, parseInt64 } from './numbers.js'
import { refuseNul } from './unencodable.js'

/*
 * Plaintext in a column that will hold, or has held, ciphertext: `migrating` and `ejecting`. In a column of the field's
 * own type it is the value itself, in a text column what PostgreSQL's `::text` makes of it.
 */

/**
 * A field's value as plaintext for its column.
 *
 * @param isStored as of `encodeField`; the database says then what its JSON can hold
 * @throws {UnencodableValue} when the value is not one that the field can hold, or would be taken for a ciphertext
 */
export function textForm(field: ValueForm, value: unknown, isStored = false): unknown {
  return field.list ? eachOf(value, (element) => oneForm(field, element, isStored)) : oneForm(field, value, isStored)
}

function oneForm(field: ValueForm, value: unknown, isStored: boolean): unknown {
  encodeField({ ...field, list: false }, value, isStored)
  const form = field.kind === field.column ? value : written(field.kind, value)
  if (field.column === 'String') refuseNul(form as string, false)
  if (headOf(form) !== null) throw new UnencodableValue(`begins with ${PREFIX}, which only a ciphertext may`)
  return form
}

function written(kind: ValueForm['kind'], value: unknown): string {
  switch (kind) {
    case 'Int':
      return String(int(value))
    case 'BigInt':
      return String(bigint(value))
    case 'Float':
      return String(float(value))
    case 'Decimal':
      return decimal(value)
    case 'Boolean':
      return String(boolean(value))
    case 'DateTime':
      return new Date(dateTime(value)).toISOString()
    case 'Json':
      return jsonText(value)
    case 'Bytes':
      return `\\x${Buffer.from(bytes(value)).toString('hex')}`
    case 'String':
    case 'Enum':
      return (encode(kind, value) as string).slice(1)
  }
}

/** Whether what a column holds is not, and does not pretend to be, a ciphertext; of a list, all its elements. */
export function isPlaintext({ list }: ValueForm, stored: unknown): boolean {
  return list && Array.isArray(stored) ? stored.every((element) => headOf(element) === null) : headOf(stored) === null
}

/** The value that plaintext in a field's column stands for; `undefined` when it is not of the field's type. */
export function parseTextForm(field: ValueForm, stored: unknown): unknown {
  if (!field.list) return parseOne(field, stored)
  const values = Array.isArray(stored) ? stored.map((element) => parseOne(field, element)) : [undefined]
  return values.includes(undefined) ? undefined : values
}

function parseOne(field: ValueForm, stored: unknown): unknown {
  if (field.kind === field.column) return stored
  return typeof stored === 'string' ? revived(field, PARSE[field.kind](stored)) : undefined
}

const BYTES = /^\\x((?:[0-9a-f]{2})*)$/

const PARSE: { readonly [kind in ValueForm['kind']]: (text: string) => unknown } = {
  String: (text) => text,
  Enum: (text) => text,
  Int: parseInt32,
  BigInt: parseInt64,
  Float: parseFloat64,
  Decimal: canonicalDecimal,
  Boolean: (text) => (text === 'true' || text === 'false' ? text === 'true' : undefined),
  DateTime: parseDateTime,
  Json: parsedJson,
  Bytes: (text) => {
    const digits = BYTES.exec(text)?.[1]
    return digits === undefined ? undefined : new Uint8Array(Buffer.from(digits, 'hex'))
  },
}
