import { isUtf8 } from 'node:buffer'
import { types } from 'node:util'

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
      return String.fromCharCode(CODEC.json) + jsonText(value)
  }
}

/** The codecs of the kinds whose plaintext is text: these can be decoded from it. */
export const TEXT_CODEC: { readonly [kind in ValueKind]?: number } = { String: CODEC.string, Json: CODEC.json }

/** As `decode`, of a plaintext that is text, already without its codec. */
export function decodeText(kind: ValueKind, text: string): unknown {
  return kind === 'Json' ? parsed(text) : text
}

/**
 * The value again; `undefined` when the plaintext is not one that `encode` makes for this kind. It never throws, because
 * a parser's message would quote the plaintext.
 */
export function decode(kind: ValueKind, plaintext: Buffer): unknown {
  const codec = plaintext[0]
  if (kind === 'Bytes') return codec === CODEC.bytes ? new Uint8Array(plaintext.subarray(1)) : undefined
  if (codec !== TEXT_CODEC[kind] || !isUtf8(plaintext)) return undefined
  return decodeText(kind, plaintext.toString('utf8', 1))
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new UnencodableValue(`must be a string, not ${typeName(value)}`)
  return wellFormed(value)
}

function wellFormed(value: string): string {
  if (!value.isWellFormed()) throw new UnencodableValue('has a lone surrogate, which UTF-8 cannot hold')
  return value
}

function bytes(value: unknown): Uint8Array {
  if (!types.isUint8Array(value)) throw new UnencodableValue(`must be a Uint8Array, not ${typeName(value)}`)
  return value
}

function jsonText(value: unknown): string {
  try {
    return JSON.stringify(json(value, new Set()))
  } catch (error) {
    if (error instanceof RangeError) throw new UnencodableValue('is nested too deeply for JSON, or too large')
    throw error
  }
}

/**
 * JSON as Prisma takes it: `toJSON` is called and a property that is undefined is left out. What JSON.stringify would
 * silently drop or change beyond that is refused.
 *
 * @param inside the objects that hold `value`, to find a circle
 */
function json(value: unknown, inside: Set<object>): unknown {
  const plain = revealed(value)
  if (plain === null || typeof plain === 'boolean') return plain
  if (typeof plain === 'string') return wellFormed(plain)
  if (typeof plain === 'number' && Number.isFinite(plain)) return plain
  if (typeof plain !== 'object' || !(Array.isArray(plain) || isPlain(plain))) {
    throw new UnencodableValue(`holds ${typeName(plain)}, which JSON cannot`)
  }
  if (inside.has(plain)) throw new UnencodableValue('holds itself, which JSON cannot')
  inside.add(plain)
  const copy = Array.isArray(plain) ? Array.from(plain, (item) => json(item, inside)) : jsonObject(plain, inside)
  inside.delete(plain)
  return copy
}

function jsonObject(value: object, inside: Set<object>): object {
  const entries = Object.entries(value).filter(([, element]) => element !== undefined)
  return Object.fromEntries(entries.map(([key, element]) => [wellFormed(key), json(element, inside)]))
}

/** What `toJSON` answers, where there is one. A Buffer has one too, whose answer is not what was meant. */
function revealed(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  if (value instanceof Date && Number.isNaN(value.getTime())) throw new UnencodableValue('holds an invalid Date')
  return 'toJSON' in value && typeof value.toJSON === 'function' ? value.toJSON() : value
}

/** An object literal, of any realm, or one without a prototype. */
function isPlain(value: object): boolean {
  if (ArrayBuffer.isView(value)) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** In words, and from the prototype only: an own `constructor` property is data. */
function typeName(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value === 'number') return Number.isFinite(value) ? 'a number' : 'a number that is not finite'
  if (typeof value !== 'object') return `a value of type ${typeof value}`
  if (Array.isArray(value)) return 'an array'
  return `an object of class ${Object.getPrototypeOf(value)?.constructor?.name ?? 'none'}`
}
