import { isUtf8 } from 'node:buffer'
import { types } from 'node:util'
import { dateOf, dateTime } from './dateTime.js'
import { canonicalDecimal, decimal } from './decimal.js'
import { jsonText, parsedJson } from './json.js'
import { bigint, float, int, readFloat, writeBigint, writeFloat, writeInt } from './numbers.js'
import { typeName, UnencodableValue, wellFormed } from './unencodable.js'

export { UnencodableValue } from './unencodable.js'

/** The first byte of every plaintext says what follows. Frozen: a number is never given a second meaning. */
export const CODEC = {
  string: 0,
  bytes: 1,
  json: 2,
  int: 3,
  bigint: 4,
  float: 5,
  decimal: 6,
  boolean: 7,
  dateTime: 8,
  list: 9,
} as const

/** What a field holds, by the Prisma type of its values; of an enum, the name of one of its values. */
export type ValueKind =
  | 'String'
  | 'Bytes'
  | 'Json'
  | 'Int'
  | 'BigInt'
  | 'Float'
  | 'Decimal'
  | 'Boolean'
  | 'DateTime'
  | 'Enum'

/**
 * A value as plaintext: codec(1) ‖ value. Text comes back as a string whose UTF-8 is the plaintext: every codec is
 * below 0x80, so its character is its byte.
 *
 * @throws {UnencodableValue} when the value is not one that the kind can hold without loss
 */
export function encode(kind: ValueKind, value: unknown): string | Buffer {
  switch (kind) {
    case 'String':
    case 'Enum':
      return String.fromCharCode(CODEC.string) + text(value)
    case 'Json':
      return String.fromCharCode(CODEC.json) + jsonText(value)
    case 'Decimal':
      return String.fromCharCode(CODEC.decimal) + decimal(value)
    default:
      return encodeBytes(kind, value)
  }
}

type BytesKind = Exclude<ValueKind, 'String' | 'Enum' | 'Json' | 'Decimal'>

function encodeBytes(kind: BytesKind, value: unknown): Buffer {
  switch (kind) {
    case 'Bytes':
      return Buffer.concat([Buffer.of(CODEC.bytes), bytes(value)])
    case 'Int':
      return Buffer.concat([Buffer.of(CODEC.int), writeInt(int(value))])
    case 'BigInt':
      return Buffer.concat([Buffer.of(CODEC.bigint), writeBigint(bigint(value))])
    case 'Float':
      return Buffer.concat([Buffer.of(CODEC.float), writeFloat(float(value))])
    case 'Boolean':
      return Buffer.of(CODEC.boolean, boolean(value) ? 1 : 0)
    case 'DateTime':
      return Buffer.concat([Buffer.of(CODEC.dateTime), writeBigint(BigInt(dateTime(value)))])
  }
}

/** The codecs of the kinds whose plaintext is text: these can be decoded from it. */
export const TEXT_CODEC: { readonly [kind in ValueKind]?: number } = {
  String: CODEC.string,
  Enum: CODEC.string,
  Json: CODEC.json,
  Decimal: CODEC.decimal,
}

/** As `decode`, of a plaintext that is text, already without its codec. */
export function decodeText(kind: ValueKind, content: string): unknown {
  if (kind === 'Json') return parsedJson(content)
  return kind === 'Decimal' && canonicalDecimal(content) !== content ? undefined : content
}

/**
 * The value again, a decimal as its text; `undefined` when the plaintext is not one that `encode` makes for this kind. It
 * never throws, because a parser's message would quote the plaintext.
 */
export function decode(kind: ValueKind, plaintext: Buffer): unknown {
  const codec = plaintext[0]
  const content = plaintext.subarray(1)
  const textCodec = TEXT_CODEC[kind]
  if (textCodec === undefined)
    return codec === BYTES_CODEC[kind as BytesKind] ? READ[kind as BytesKind](content) : undefined
  return codec === textCodec && isUtf8(content) ? decodeText(kind, content.toString('utf8')) : undefined
}

const BYTES_CODEC = {
  Bytes: CODEC.bytes,
  Int: CODEC.int,
  BigInt: CODEC.bigint,
  Float: CODEC.float,
  Boolean: CODEC.boolean,
  DateTime: CODEC.dateTime,
} as const satisfies Record<BytesKind, number>

const READ: { readonly [kind in BytesKind]: (content: Buffer) => unknown } = {
  Bytes: (content) => new Uint8Array(content),
  Int: (content) => (content.length === 4 ? content.readInt32BE() : undefined),
  BigInt: (content) => (content.length === 8 ? content.readBigInt64BE() : undefined),
  Float: (content) => (content.length === 8 ? readFloat(content) : undefined),
  Boolean: (content) => (content.length === 1 && content[0]! < 2 ? content[0] === 1 : undefined),
  DateTime: (content) => (content.length === 8 ? dateOf(Number(content.readBigInt64BE())) : undefined),
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new UnencodableValue(`must be a string, not ${typeName(value)}`)
  return wellFormed(value)
}

export function bytes(value: unknown): Uint8Array {
  if (!types.isUint8Array(value)) throw new UnencodableValue(`must be a Uint8Array, not ${typeName(value)}`)
  return value
}

export function boolean(value: unknown): boolean {
  if (typeof value !== 'boolean') throw new UnencodableValue(`must be true or false, not ${typeName(value)}`)
  return value
}
