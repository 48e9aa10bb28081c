/** A reason why a value cannot be encoded, in words that fit after "the value". */
export class UnencodableValue extends Error {}

/** The text itself, if UTF-8 can hold it. */
export function wellFormed(value: string): string {
  if (!value.isWellFormed()) throw new UnencodableValue('has a lone surrogate, which UTF-8 cannot hold')
  return value
}

/**
 * Refuses what no text of PostgreSQL holds, though a ciphertext could: it could never become plaintext again.
 *
 * @param isJson the text is JSON, in which a NUL character is an escape
 * @param from where it begins: before, there may be what is no part of it
 */
export function refuseNul(text: string, isJson: boolean, from = 0): void {
  const found = isJson ? text.includes('\\u0000') && NUL_IN_JSON.test(text) : text.includes('\0', from)
  if (found) throw new UnencodableValue('has a NUL character, which PostgreSQL cannot hold in text')
}

/** Behind a backslash that is not escaped itself. */
const NUL_IN_JSON = /(?<!\\)(?:\\\\)*\\u0000/

/** In words, and from the prototype only: an own `constructor` property is data. */
export function typeName(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value === 'number') return Number.isFinite(value) ? 'a number' : 'a number that is not finite'
  if (typeof value !== 'object') return `a value of type ${typeof value}`
  if (Array.isArray(value)) return 'an array'
  return `an object of class ${Object.getPrototypeOf(value)?.constructor?.name ?? 'none'}`
}
