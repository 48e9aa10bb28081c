import { types } from 'node:util'
import { typeName, UnencodableValue, wellFormed } from './unencodable.js'

/** @throws {UnencodableValue} for what JSON cannot hold without loss */
export function jsonText(value: unknown): string {
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

/**
 * What `toJSON` answers, where there is one. A Buffer has one too, whose answer is not what was meant; and a Date, of any
 * realm, whose answer is null where it is invalid.
 */
function revealed(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  if (types.isDate(value) && Number.isNaN(value.getTime())) throw new UnencodableValue('holds an invalid Date')
  return 'toJSON' in value && typeof value.toJSON === 'function' ? value.toJSON() : value
}

/** An object literal, of any realm, or one without a prototype. */
function isPlain(value: object): boolean {
  if (ArrayBuffer.isView(value)) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** What a JSON text says; `undefined` when it is none: a parser's message would quote it. */
export function parsedJson(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}
