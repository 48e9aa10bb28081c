/** A reason why a value cannot be encoded, in words that fit after "the value". */
export class UnencodableValue extends Error {}

/** The text itself, if UTF-8 can hold it. */
export function wellFormed(value: string): string {
  if (!value.isWellFormed()) throw new UnencodableValue('has a lone surrogate, which UTF-8 cannot hold')
  return value
}

/** In words, and from the prototype only: an own `constructor` property is data. */
export function typeName(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value === 'number') return Number.isFinite(value) ? 'a number' : 'a number that is not finite'
  if (typeof value !== 'object') return `a value of type ${typeof value}`
  if (Array.isArray(value)) return 'an array'
  return `an object of class ${Object.getPrototypeOf(value)?.constructor?.name ?? 'none'}`
}
