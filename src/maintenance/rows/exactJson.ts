/** Strings, so as to pass over what stands in them, and numbers. */
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g
/** Numbers with fewer digits than these are exact in JavaScript. */
const LONG_NUMBER = /[\d.]{16}|\d[eE][+-]?\d{2}/

/**
 * Whether JavaScript can hold every number in a JSON text exactly, as far as decimal digits go: PostgreSQL holds longer
 * ones, which reading and writing again would round.
 *
 * @param json valid JSON
 */
export function hasExactNumbers(json: string): boolean {
  if (!LONG_NUMBER.test(json)) return true
  const tokens = json.match(TOKEN) ?? []
  return tokens.every((token) => token.startsWith('"') || isExactNumber(token))
}

/** Whether JavaScript can hold a number that is written in decimal digits exactly. */
export function isExactNumber(number: string): boolean {
  return significant(number) === significant(String(Number(number)))
}

/** Strings, and the colon behind those that are keys. */
const KEY = /"(?:[^"\\]|\\.)*"\s*(:)?/g

/**
 * Whether no object in a JSON text has a key twice, of which reading would keep one.
 *
 * @param json valid JSON
 */
export function hasUniqueKeys(json: string): boolean {
  let written = 0
  for (const [, colon] of json.matchAll(KEY)) if (colon !== undefined) written += 1
  return written === keysIn(JSON.parse(json))
}

function keysIn(json: unknown): number {
  let keys = 0
  const rest = [json]
  while (rest.length > 0) {
    const value = rest.pop()
    if (typeof value !== 'object' || value === null) continue
    if (!Array.isArray(value)) keys += Object.keys(value).length
    for (const part of Object.values(value)) rest.push(part)
  }
  return keys
}

/** A number as its significant digits and the power of ten of the first: 120, 1.20e2 and 0.12e3 are the same. */
function significant(number: string): string {
  const [, whole = '', fraction = '', exponent = '0'] = /^-?(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(number) ?? []
  const digits = (whole + fraction).replace(/^0+/, '')
  if (digits === '') return '0'
  const power = Number(exponent) + digits.length - fraction.length
  return `${digits.replace(/0+$/, '')}e${power}`
}
