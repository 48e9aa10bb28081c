import { lengthPrefixed } from './bytes.js'
import { CODEC, decode, decodeText, encode, TEXT_CODEC, UnencodableValue, type ValueKind } from './codec.js'
import { refuseNul, typeName } from './unencodable.js'

/** What the values of a field are like. */
export interface ValueForm {
  readonly kind: ValueKind
  /** The Prisma type of its column, or of its elements. */
  readonly column: 'String' | 'Bytes' | 'Json'
  /** A list of values; its column holds a list of one ciphertext. */
  readonly list?: boolean | undefined
  /** The names of the enum's values. */
  readonly names?: readonly string[] | undefined
  /** Makes the object of a decimal number; without, it stays its text. */
  readonly decimal?: ((text: string) => unknown) | undefined
}

/**
 * A field's value as plaintext, a list as LP(codec ‖ value) of each element.
 *
 * @param isStored the value was in the database before, so that it may be one that no new value may be
 * @throws {UnencodableValue} when the value is not one that the field can hold without loss
 */
export function encodeField(form: ValueForm, value: unknown, isStored = false): string | Buffer {
  return form.list ? encodeList(form, value, isStored) : encodeOne(form, value, isStored)
}

function encodeOne({ kind, names }: ValueForm, value: unknown, isStored: boolean): string | Buffer {
  const plaintext = encode(kind, value)
  if (typeof plaintext === 'string' && !isStored) refuseNul(plaintext, kind === 'Json', 1)
  if (names && !names.includes(value as string)) throw new UnencodableValue(`must be one of ${names.join(', ')}`)
  return plaintext
}

function encodeList(form: ValueForm, value: unknown, isStored: boolean): Buffer {
  const elements = eachOf(value, (element) => lengthPrefixed(encodeOne(form, element, isStored)))
  return Buffer.concat([Buffer.of(CODEC.list), ...elements])
}

/** Works on each element of a list, also of a hole in it. */
export function eachOf<T>(value: unknown, work: (element: unknown) => T): T[] {
  if (!Array.isArray(value)) throw new UnencodableValue(`must be an array, not ${typeName(value)}`)
  return Array.from(value, (element) => {
    try {
      return work(element)
    } catch (error) {
      throw error instanceof UnencodableValue ? new UnencodableValue(`has an element that ${error.message}`) : error
    }
  })
}

/** The codec of fields whose plaintext is text, for `decodeFieldText`. */
export function textCodecOf({ kind, list }: ValueForm): number | undefined {
  return list ? undefined : TEXT_CODEC[kind]
}

/** The value again; `undefined` when the plaintext is not one that `encodeField` makes. It never throws. */
export function decodeField(form: ValueForm, plaintext: Buffer): unknown {
  return form.list ? decodeList(form, plaintext) : revived(form, decode(form.kind, plaintext))
}

/** As `decodeField`, of a plaintext that is text, already without its codec. */
export function decodeFieldText(form: ValueForm, text: string): unknown {
  return revived(form, decodeText(form.kind, text))
}

/** What readers get for a decoded value. */
export function revived({ kind, names, decimal }: ValueForm, value: unknown): unknown {
  if (names && !names.includes(value as string)) return undefined
  return kind === 'Decimal' && decimal && value !== undefined ? decimal(value as string) : value
}

function decodeList(form: ValueForm, plaintext: Buffer): unknown[] | undefined {
  if (plaintext[0] !== CODEC.list) return undefined
  const elements: unknown[] = []
  for (let offset = 1; offset < plaintext.length; ) {
    const start = offset + 4
    if (start > plaintext.length) return undefined
    offset = start + plaintext.readUInt32BE(start - 4)
    const element =
      offset > plaintext.length ? undefined : decodeField({ ...form, list: false }, plaintext.subarray(start, offset))
    if (element === undefined) return undefined
    elements.push(element)
  }
  return elements
}
