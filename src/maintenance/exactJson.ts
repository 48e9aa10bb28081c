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
  return tokens.every((token) => token.startsWith('"') || significant(token) === significant(String(Number(token))))
}

/** A number as its significant digits and the power of ten of the first: 120, 1.20e2 and 0.12e3 are the same. */
function significant(number: string): string {
  const [, whole = '', fraction = '', exponent = '0'] = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(number) ?? []
  const digits = (whole + fraction).replace(/^0+/, '')
  if (digits === '') return '0'
  const power = Number(exponent) + digits.length - fraction.length
  return `${digits.replace(/0+$/, '')}e${power}`
}
