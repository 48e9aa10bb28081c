import { dateTime } from '../dateTime.js'
import { canonicalDecimal, decimal } from '../decimal.js'
import { bigint, int } from '../numbers.js'

/** The types whose values stand in an order that a range index can tell, and what a unit of each is called. */
export type RangeKind = 'Int' | 'BigInt' | 'Decimal' | 'DateTime'

/** A value in whole units of its type, rounded down. */
export interface Units {
  readonly floor: bigint
  /** Nothing was cut off. */
  readonly isWhole: boolean
}

/**
 * How many units a value is: ones of an Int or BigInt, milliseconds since 1970 of a DateTime, last decimal places of a
 * Decimal.
 *
 * @param scale decimal places of a unit; 0 but for a Decimal
 * @throws {UnencodableValue} for a value that is none of its type
 */
export function unitsOf(kind: RangeKind, value: unknown, scale: number): Units {
  switch (kind) {
    case 'Int':
      return { floor: BigInt(int(value)), isWhole: true }
    case 'BigInt':
      return { floor: bigint(value), isWhole: true }
    case 'DateTime':
      return { floor: BigInt(dateTime(value)), isWhole: true }
    case 'Decimal':
      return decimalUnits(decimal(value), scale)
  }
}

/**
 * Which of two values of a type comes first: below 0, 0 or above 0.
 *
 * @throws {UnencodableValue} for a value that is none of its type
 */
export function compareValues(kind: RangeKind, one: unknown, other: unknown): number {
  const scale = kind === 'Decimal' ? Math.max(placesOf(one), placesOf(other)) : 0
  const [first, second] = [unitsOf(kind, one, scale).floor, unitsOf(kind, other, scale).floor]
  return first < second ? -1 : Number(first > second)
}

/** How many decimal places a Decimal has. */
export function placesOf(value: unknown): number {
  return decimal(value).split('.')[1]?.length ?? 0
}

/** The value of so many units, as its type writes it. */
export function textOfUnits(kind: RangeKind, units: bigint, scale: number): string {
  if (kind === 'DateTime') return new Date(Number(units)).toISOString()
  return scale === 0 ? String(units) : canonicalDecimal(`${units}e-${scale}`)!
}

/** @param text canonical */
function decimalUnits(text: string, scale: number): Units {
  const [whole = '', fraction = ''] = text.split('.')
  const units = BigInt(whole + fraction.slice(0, scale).padEnd(scale, '0'))
  const isWhole = fraction.length <= scale
  // Digits were cut off towards zero; of a negative number that is upwards. "-0" is 0 and keeps no sign.
  return { floor: !isWhole && text.startsWith('-') ? units - 1n : units, isWhole }
}
