import { typeName, UnencodableValue } from './unencodable.js'

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,6}))?$/

/** What PostgreSQL's `numeric` holds at most, before and after the point. */
const MOST_WHOLE = 131_072
const MOST_FRACTION = 16_383

/**
 * A decimal number as its one canonical text: no exponent, no `+`, no zeros that say nothing, and no `-0`.
 *
 * @param value a Decimal of any copy of decimal.js, a number, or a numeric text
 */
export function decimal(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : decimalText(value)
  const canonical = canonicalDecimal(text)
  if (canonical === undefined) throw new UnencodableValue('must be a finite decimal number that PostgreSQL can hold')
  return canonical
}

/** The canonical text of a numeric text; `undefined` when it is none. */
export function canonicalDecimal(text: string): string | undefined {
  const [, sign, whole = '', fraction = '', exponent = '0'] = DECIMAL.exec(text) ?? []
  if (sign === undefined || whole + fraction === '') return undefined
  const point = whole.length + Number(exponent)
  if (point > MOST_WHOLE || point < -MOST_FRACTION) return isZero(whole + fraction) ? '0' : undefined
  return plain(sign, whole + fraction, point)
}

function plain(sign: string, digits: string, point: number): string | undefined {
  const padded = point <= 0 ? '0'.repeat(1 - point) + digits : digits.padEnd(point, '0')
  const at = Math.max(point, 1)
  const whole = padded.slice(0, at).replace(/^0+(?=\d)/, '')
  const fraction = padded.slice(at).replace(/0+$/, '')
  if (fraction.length > MOST_FRACTION) return undefined
  const text = fraction === '' ? whole : `${whole}.${fraction}`
  return text !== '0' && sign === '-' ? `-${text}` : text
}

function isZero(digits: string): boolean {
  return /^0*$/.test(digits)
}

function decimalText(value: unknown): string {
  if (typeof value === 'string') return value
  if (isDecimal(value)) return value.toFixed()
  throw new UnencodableValue(`must be a Decimal, a number or a numeric text, not ${typeName(value)}`)
}

/** Whether a value is a Decimal. They come from several copies of decimal.js, so they are told by their looks, as Prisma does. */
export function isDecimal(value: unknown): value is { toFixed(): string } {
  if (typeof value !== 'object' || value === null) return false
  const { d, e, s, toFixed } = value as { d?: unknown; e?: unknown; s?: unknown; toFixed?: unknown }
  return (
    typeof toFixed === 'function' && (d === null || Array.isArray(d)) && typeof e === 'number' && typeof s === 'number'
  )
}
