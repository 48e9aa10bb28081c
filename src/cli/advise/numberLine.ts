import { MOST_BITS, type RangeBounds, RangeScale } from '../../crypto/tokens/rangeScale.js'
import { placesOf, type RangeKind, textOfUnits, unitsOf } from '../../crypto/tokens/units.js'
import type { Line, PlacedValues } from '../../leakage/placedValues.js'
import type { ValueType } from '../../schema/encryptionSchema.js'
import { DURATIONS } from '../../schema/rangeBounds.js'
import type { IndexOptions } from './advice.js'
import type { AdvisedField } from './advisedField.js'

/** The numbers or times of a column, in units of which an index has them. */
export interface NumberUnits {
  readonly kind: RangeKind
  /** So many decimal places. */
  readonly scale: number
}

/** Steps of times, from the largest to the smallest, and how a range index names them. */
const TIMES = Object.entries(DURATIONS)

/** Where the values of a column may lie, as a range index over it would have it. */
export class NumberLine implements Line {
  readonly scale: RangeScale
  readonly options: IndexOptions
  readonly #bounds: RangeBounds
  readonly #units: NumberUnits

  constructor(bounds: RangeBounds, units: NumberUnits) {
    this.scale = new RangeScale(bounds)
    this.#bounds = bounds
    this.#units = units
    this.options = isTime(units) ? timeOptions(bounds) : numberOptions(bounds, units)
  }

  valueAt(cell: number): number {
    const { min, step } = this.#bounds
    return this.#numberOf(min + BigInt(Math.floor(cell)) * step)
  }

  place(values: readonly unknown[]): PlacedValues {
    const units = values.map((value) => floorOf(this.#units, value))
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
    const wider = isTime(this.#units) ? step * (times || 1n) : niceAbove(step * (times || 1n))
    return new NumberLine({ min, max, step: wider }, this.#units)
  }

  #numberOf(units: bigint): number {
    return Number(units) / 10 ** this.#units.scale
  }
}

function isTime({ kind }: NumberUnits): boolean {
  return kind === 'DateTime'
}

function floorOf({ kind, scale }: NumberUnits, value: unknown): bigint {
  return unitsOf(kind, value, scale).floor
}

/** Units of which each of the values is a whole number. */
function unitsFor({ type }: AdvisedField, values: readonly unknown[]): NumberUnits {
  const kind = type as RangeKind
  const scale = kind === 'Decimal' ? values.reduce<number>((most, value) => Math.max(most, placesOf(value)), 0) : 0
  return { kind, scale }
}

/**
 * Bounds for what is there and what may come. The step is the coarsest at which no two values that were read would be one,
 * as far as an index can be that fine.
 */
export function proposedLine(field: AdvisedField, values: readonly unknown[]): NumberLine {
  const units = unitsFor(field, values)
  const all = values.map((value) => floorOf(units, value))
  const steps = isTime(units) ? TIMES.map(([, size]) => size) : powersOfTen(all)
  const candidates = isTime(units) ? [decadesAround(all)] : [fromNought(all), aroundAll(all)]
  const proposals = candidates.map((wide) => {
    const bounds = cutTo(LIMITS[field.type], wide)
    const exact = steps.find((step) => all.every((one) => (one - bounds.min) % step === 0n)) ?? 1n
    return { ...bounds, exact, step: stepFor(bounds, exact, steps) }
  })
  const chosen = proposals.find(({ exact, step }) => exact === step) ?? proposals.at(-1)!
  return new NumberLine(chosen, units)
}

interface Bounds {
  readonly min: bigint
  readonly max: bigint
}

/** What the type itself can hold. */
const LIMITS: { readonly [type in ValueType]?: Bounds } = {
  Int: { min: -(2n ** 31n), max: 2n ** 31n - 1n },
  BigInt: { min: -(2n ** 63n), max: 2n ** 63n - 1n },
}

function cutTo(limits: Bounds | undefined, { min, max }: Bounds): Bounds {
  if (limits === undefined) return { min, max }
  return { min: min < limits.min ? limits.min : min, max: max > limits.max ? limits.max : max }
}

/** @param steps from the largest to the smallest */
function stepFor({ min, max }: Bounds, exact: bigint, steps: readonly bigint[]): bigint {
  const fine = steps.toReversed().find((step) => step >= exact && fits(max - min, step))
  return fine ?? (max - min) / 2n ** BigInt(MOST_BITS - 1) + 1n
}

function fits(span: bigint, step: bigint): boolean {
  return span / step < 2n ** BigInt(MOST_BITS)
}

/** From nought, or twice as far below it as there is anything, to twice as far above. */
function fromNought(all: readonly bigint[]): Bounds {
  const { least, most } = endsOf(all)
  const min = least < 0n ? -niceAbove(-2n * least) : 0n
  const max = most > 0n ? niceAbove(2n * most) : 0n
  return { min, max: max > min ? max : min + 10n }
}

/** Where values are far from nought and near to each other: as far again on both sides. */
function aroundAll(all: readonly bigint[]): Bounds {
  const { least, most } = endsOf(all)
  const spread = niceAbove(most - least + 1n)
  const below = (units: bigint) => units - (((units % spread) + spread) % spread)
  return { min: below(least - spread), max: below(most + 2n * spread) }
}

function endsOf(all: readonly bigint[]) {
  const least = all.reduce((one, other) => (other < one ? other : one))
  const most = all.reduce((one, other) => (other > one ? other : one))
  return { least, most }
}

/** 1, 2 or 5 and noughts. */
function niceAbove(units: bigint): bigint {
  let power = 1n
  while (power * 10n < units) power *= 10n
  return [1n, 2n, 5n, 10n].map((first) => first * power).find((nice) => nice >= units)!
}

/** What may be a step, from the largest to the smallest. */
function powersOfTen(all: readonly bigint[]): bigint[] {
  const { most } = endsOf(all.map((one) => (one < 0n ? -one : one)))
  const powers = Math.max(1, String(most).length - 2)
  return Array.from({ length: powers }, (_, i) => 10n ** BigInt(powers - 1 - i))
}

/** The decades around what is there, and two more to come. */
function decadesAround(all: readonly bigint[]): Bounds {
  const { least, most } = endsOf(all)
  const decade = (time: bigint) => Math.floor(new Date(Number(time)).getUTCFullYear() / 10) * 10
  const year = (number: number) => BigInt(new Date(Date.UTC(2000, 0)).setUTCFullYear(number))
  return { min: year(Math.max(1, decade(least))), max: year(Math.min(9990, decade(most) + 30)) }
}

function numberOptions({ min, max, step }: RangeBounds, { kind, scale }: NumberUnits): IndexOptions {
  const text = (units: bigint) => textOfUnits(kind, units, scale)
  return { min: text(min), max: text(max), step: text(step), ...(kind === 'Decimal' ? { scale } : {}) }
}

function timeOptions({ min, max, step }: RangeBounds): IndexOptions {
  const date = (time: bigint) => `"${new Date(Number(time)).toISOString().slice(0, 10)}"`
  const [name, size] = TIMES.find(([, one]) => step % one === 0n)!
  return { min: date(min), max: date(max), step: `"${step / size}${name}"` }
}
