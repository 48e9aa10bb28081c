import { MOST_BITS, type RangeBounds, RangeScale } from '../../crypto/tokens/rangeScale.js'
import type { Line, PlacedValues } from '../../leakage/placedValues.js'
import type { IndexOptions } from './advice.js'
import type { AdvisedField } from './advisedField.js'

/** The numbers or times of a column in whole units: ones, milliseconds, or the last decimal place. */
export interface Units {
  /** So many decimal places. */
  readonly scale: number
  of(value: unknown): bigint
}

const DAY = 86_400_000n

/** Where the values of a column may lie, as a range index over it would have it. */
export class NumberLine implements Line {
  readonly scale: RangeScale
  readonly options: IndexOptions
  readonly #bounds: RangeBounds
  readonly #units: Units
  readonly #isTime: boolean

  constructor(bounds: RangeBounds, units: Units, isTime: boolean) {
    this.scale = new RangeScale(bounds)
    this.#bounds = bounds
    this.#units = units
    this.#isTime = isTime
    this.options = isTime ? timeOptions(bounds) : numberOptions(bounds, units.scale)
  }

  valueAt(cell: number): number {
    const { min, step } = this.#bounds
    return this.#numberOf(min + BigInt(Math.floor(cell)) * step)
  }

  place(values: readonly unknown[]): PlacedValues {
    const units = values.map((value) => this.#units.of(value))
    return {
      values: Float64Array.from(units, (one) => this.#numberOf(one)),
      cells: Float64Array.from(units, (one) => this.scale.cellOf(one) ?? 0),
    }
  }

  /** The same, with larger steps: so many cells at most. */
  coarser(cells: number): NumberLine {
    const { min, max, step } = this.#bounds
    const span = (max - min) / step + 1n
    const times = span / BigInt(cells)
    const wider = this.#isTime ? step * (times || 1n) : niceAbove(step * (times || 1n))
    return new NumberLine({ min, max, step: wider }, this.#units, this.#isTime)
  }

  #numberOf(units: bigint): number {
    return Number(units) / 10 ** this.#units.scale
  }
}

/** @param values of which some are there */
export function unitsOf({ kind }: AdvisedField, values: readonly unknown[]): Units {
  if (kind === 'time') return { scale: 0, of: (value) => BigInt(new Date(value as Date).getTime()) }
  const scale = values.reduce<number>((most, value) => Math.max(most, placesIn(decimalText(value))), 0)
  return { scale, of: (value) => unitsIn(decimalText(value), scale) }
}

/**
 * Bounds for what is there and what may come: from nought, or twice as far below it as there is anything, to twice as far
 * above. The step is the coarsest at which no two values that were read would be one.
 */
export function proposedLine(field: AdvisedField, values: readonly unknown[]): NumberLine {
  const units = unitsOf(field, values)
  const all = values.map(units.of)
  const least = all.reduce((one, other) => (other < one ? other : one))
  const most = all.reduce((one, other) => (other > one ? other : one))
  const isTime = field.kind === 'time'
  const { min, max } = isTime ? decadesAround(least, most) : numbersAround(least, most)
  const steps = isTime ? [DAY, 3_600_000n, 60_000n, 1_000n, 1n] : powersOfTen(most)
  const exact = steps.find((step) => all.every((one) => (one - min) % step === 0n)) ?? 1n
  // Too fine to be stored, it loses what is finest.
  const step = [...steps].reverse().find((one) => one >= exact && fits(max - min, one)) ?? steps[0]!
  return new NumberLine({ min, max, step: fits(max - min, step) ? step : (max - min) / 2n ** 31n + 1n }, units, isTime)
}

function fits(span: bigint, step: bigint): boolean {
  return span / step < 2n ** BigInt(MOST_BITS)
}

function numbersAround(least: bigint, most: bigint) {
  const min = least < 0n ? -niceAbove(-2n * least) : 0n
  const max = most > 0n ? niceAbove(2n * most) : 0n
  return { min, max: max > min ? max : min + 10n }
}

/** 1, 2 or 5 and noughts. */
function niceAbove(units: bigint): bigint {
  let power = 1n
  while (power * 10n < units) power *= 10n
  return [1n, 2n, 5n, 10n].map((first) => first * power).find((nice) => nice >= units)!
}

/** From the largest that may be a step to the smallest. */
function powersOfTen(most: bigint): bigint[] {
  const digits = String(most < 0n ? -most : most).length
  return Array.from({ length: Math.max(1, digits - 2) }, (_, i) => 10n ** BigInt(Math.max(0, digits - 3 - i)))
}

/** The decades around what is there, and two more to come. */
function decadesAround(least: bigint, most: bigint) {
  const decade = (time: bigint) => Math.floor(new Date(Number(time)).getUTCFullYear() / 10) * 10
  const year = (number: number) => BigInt(new Date(Date.UTC(2000, 0)).setUTCFullYear(number))
  return { min: year(Math.max(1, decade(least))), max: year(Math.min(9990, decade(most) + 30)) }
}

function numberOptions({ min, max, step }: RangeBounds, scale: number): IndexOptions {
  const text = (units: bigint) => decimalOf(units, scale)
  return { min: text(min), max: text(max), step: text(step), ...(scale > 0 ? { scale } : {}) }
}

const TIMES = [
  [DAY, 'day'],
  [3_600_000n, 'hour'],
  [60_000n, 'minute'],
  [1_000n, 'second'],
  [1n, 'millisecond'],
] as const

function timeOptions({ min, max, step }: RangeBounds): IndexOptions {
  const date = (time: bigint) => `"${new Date(Number(time)).toISOString().slice(0, 10)}"`
  const [size, name] = TIMES.find(([one]) => step % one === 0n)!
  const number = step / size
  return { min: date(min), max: date(max), step: `"${number} ${name}${number === 1n ? '' : 's'}"` }
}

/** A number of any client's as digits. */
function decimalText(value: unknown): string {
  const given = value as { toFixed?: () => string }
  // Classes of decimals write out what they would else write with an exponent; a number's own would round.
  return typeof value === 'object' && typeof given.toFixed === 'function' ? given.toFixed() : String(value)
}

function placesIn(text: string): number {
  return text.split('.')[1]?.length ?? 0
}

function unitsIn(text: string, scale: number): bigint {
  const [whole = '0', places = ''] = text.split('.')
  return BigInt(`${whole}${places.padEnd(scale, '0')}`)
}

function decimalOf(units: bigint, scale: number): string {
  if (scale === 0) return String(units)
  const digits = String(units < 0n ? -units : units).padStart(scale + 1, '0')
  const text = `${digits.slice(0, -scale)}.${digits.slice(-scale)}`.replace(/\.?0+$/, '')
  return units < 0n ? `-${text}` : text
}
