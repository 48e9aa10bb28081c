const WHOLE = /^-?(0|[1-9]\d*)$/

/** The value of a bound column: drivers give and take 64-bit integers as texts. */
export function knownValue(type: string | undefined, value: unknown): unknown {
  const isInteger = (type === 'Int' || type === 'BigInt') && typeof value === 'string' && WHOLE.test(value)
  return isInteger ? BigInt(value) : value
}
