/** The first byte of every plaintext says what follows. Frozen: a number is never given a second meaning. */
export const CODEC = { string: 0, bytes: 1, json: 2 } as const

/** What a field holds, by the Prisma type of its column. */
export type ValueKind = 'String' | 'Bytes' | 'Json'

/** A reason why a value cannot be encoded, in words that fit after "the value". */
export class UnencodableValue extends Error {}

/**
 * A value as plaintext: codec(1) ‖ value. Text comes back as a string whose UTF-8 is the plaintext: every codec is
 * below 0x80, so its character is its byte.
 *
 * @throws {UnencodableValue} when the value is not one that the kind can hold without loss
 */
export function encode(kind: ValueKind, value: unknown): string | Buffer {
  switch (kind) {
    case 'String':
      return String.fromCharCode(CODEC.string) + text(value)
    case 'Bytes':
      return Buffer.concat([Buffer.of(CODEC.bytes), bytes(value)])
    case 'Json':
      return String.fromCharCode(CODEC.json) + text(JSON.stringify(json(value)))
  }
}

/** The value again; `undefined` when the codec is not the one of this kind. */
export function decode(kind: ValueKind, plaintext: Buffer): unknown {
  const codec = plaintext[0]
  if (kind === 'String' && codec === CODEC.string) return plaintext.toString('utf8', 1)
  if (kind === 'Bytes' && codec === CODEC.bytes) return new Uint8Array(plaintext.subarray(1))
  if (kind === 'Json' && codec === CODEC.json) return JSON.parse(plaintext.toString('utf8', 1))
  return undefined
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new UnencodableValue(`must be a string, not ${typeName(value)}`)
  if (!value.isWellFormed()) throw new UnencodableValue('has a lone surrogate, which UTF-8 cannot hold')
  return value
}

function bytes(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new UnencodableValue(`must be a Uint8Array, not ${typeName(value)}`)
  return value
}

/** JSON as Prisma takes it: what JSON.stringify would silently drop or change is refused. */
function json(value: unknown): unknown {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  if (Array.isArray(value)) return value.map(json)
  if (typeof value === 'object' && !ArrayBuffer.isView(value)) return jsonObject(value)
  throw new UnencodableValue(`holds ${typeName(value)}, which JSON cannot`)
}

function jsonObject(value: object): unknown {
  if ('toJSON' in value && typeof value.toJSON === 'function') return json(value.toJSON())
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    throw new UnencodableValue(`holds ${typeName(value)}, which JSON cannot`)
  }
  const entries = Object.entries(value).filter(([, element]) => element !== undefined)
  return Object.fromEntries(entries.map(([key, element]) => [key, json(element)]))
}

function typeName(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value === 'number') return Number.isFinite(value) ? 'a number' : 'a number that is not finite'
  if (typeof value !== 'object') return `a value of type ${typeof value}`
  return Array.isArray(value) ? 'an array' : `an object of class ${value.constructor?.name ?? 'none'}`
}
