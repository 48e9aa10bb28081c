import { typeName, UnencodableValue } from './unencodable.js'

const INT_MIN = -(2 ** 31)
const INT_MAX = 2 ** 31 - 1
const BIGINT_MIN = -(2n ** 63n)
const BIGINT_MAX = 2n ** 63n - 1n

const INTEGER = /^-?(?:0|[1-9]\d*)$/
const NUMBER = /^-?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/

/** An integer of 32 bits; -0 is 0. */
export function int(value: unknown): number {
  if (typeof value !== 'number') throw new UnencodableValue(`must be a number, not ${typeName(value)}`)
  if (!Number.isInteger(value)) throw new UnencodableValue('must be a whole number')
  if (value < INT_MIN || value > INT_MAX) throw new UnencodableValue('does not fit into 32 bits; use the type BigInt')
  return value + 0
}

/** An integer of 64 bits, from a bigint, a whole number or the text of one. */
export function bigint(value: unknown): bigint {
  const big = toBigint(value)
  if (big < BIGINT_MIN || big > BIGINT_MAX) {
    throw new UnencodableValue('does not fit into 64 bits; use the type Decimal')
  }
  return big
}

function toBigint(value: unknown): bigint {
  if (typeof value === 'bigint') return value
  if (typeof value === 'string') {
    if (INTEGER.test(value)) return BigInt(value)
    throw new UnencodableValue('is a text, and not that of a whole number')
  }
  if (typeof value !== 'number') throw new UnencodableValue(`must be a bigint or a number, not ${typeName(value)}`)
  if (!Number.isInteger(value)) throw new UnencodableValue('must be a whole number')
  return BigInt(value)
}

/** A finite number; -0 is 0, which it equals. */
export function float(value: unknown): number {
  if (typeof value !== 'number') throw new UnencodableValue(`must be a number, not ${typeName(value)}`)
  if (!Number.isFinite(value)) throw new UnencodableValue('must be a finite number')
  return value + 0
}

export function writeInt(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

export function writeBigint(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(value)
  return bytes
}

export function writeFloat(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleBE(value)
  return bytes
}

/** The number again; `undefined` for bytes that `writeFloat` never makes of a float. */
export function readFloat(bytes: Buffer): number | undefined {
  const value = bytes.readDoubleBE()
  return Number.isFinite(value) && !Object.is(value, -0) ? value : undefined
}

/** What a text form says, and `undefined` for anything that is none. */
export function parseInt32(text: string): number | undefined {
  const value = INTEGER.test(text) ? Number(text) : Number.NaN
  return value >= INT_MIN && value <= INT_MAX ? value + 0 : undefined
}

export function parseInt64(text: string): bigint | undefined {
  if (!INTEGER.test(text)) return undefined
  const value = BigInt(text)
  return value >= BIGINT_MIN && value <= BIGINT_MAX ? value : undefined
}

export function parseFloat64(text: string): number | undefined {
  const value = NUMBER.test(text) ? Number(text) : Number.NaN
  return Number.isFinite(value) ? value + 0 : undefined
}
