import { parseDateTime } from '../crypto/dateTime.js'
import { canonicalDecimal } from '../crypto/decimal.js'
import { MOST_BITS } from '../crypto/tokens/rangeScale.js'
import { type RangeKind, unitsOf } from '../crypto/tokens/units.js'
import { UnencodableValue } from '../crypto/unencodable.js'
import type { RangeIndexSchema } from './encryptionSchema.js'
import type { RangeOptions } from './rangeOptions.js'

/** What a range index can hold, in whole units of its values. */
export type RangeBoundsSchema = Pick<RangeIndexSchema, 'unit' | 'min' | 'max' | 'step' | 'sparsity'>

const KINDS: readonly string[] = ['Int', 'BigInt', 'Decimal', 'DateTime'] satisfies RangeKind[]
/** Steps of times in milliseconds, by their names, from the largest to the smallest. */
export const DURATIONS: { readonly [unit: string]: bigint } = {
  d: 86_400_000n,
  h: 3_600_000n,
  m: 60_000n,
  s: 1000n,
  ms: 1n,
}
const MOST_CELLS = 2n ** BigInt(MOST_BITS)

/** Whether the values of a type stand in an order that a range index can tell. */
export function isRangeKind(type: string): type is RangeKind {
  return KINDS.includes(type)
}

/** What is wrong with the bounds of an index of such values. */
export function boundsProblem(range: RangeOptions, kind: RangeKind): string | undefined {
  const scale = scaleProblem(range, kind)
  if (scale !== undefined) return scale
  for (const bound of ['min', 'max'] as const) {
    if (boundUnits(range, kind, bound) === undefined)
      return `has the \`${bound}\` ${range[bound]}, which is no ${kind}${wanted(range, kind)}`
  }
  if (stepUnits(range, kind) === undefined) return stepProblem(range, kind)
  return cellsProblem(unitsOfRange(range, kind))
}

/** The bounds of which {@link boundsProblem} says nothing. */
export function rangeBounds(range: RangeOptions, kind: RangeKind): RangeBoundsSchema {
  const { min, max, step } = unitsOfRange(range, kind)
  const { sparsity, scale = 0 } = range
  const unit = kind === 'DateTime' ? 'ms' : scale === 0 ? '1' : `0.${'1'.padStart(scale, '0')}`
  return { unit, min: String(min), max: String(max), step: String(step), sparsity }
}

function unitsOfRange(range: RangeOptions, kind: RangeKind) {
  return {
    min: boundUnits(range, kind, 'min')!,
    max: boundUnits(range, kind, 'max')!,
    step: stepUnits(range, kind)!,
  }
}

function scaleProblem({ scale }: RangeOptions, kind: RangeKind): string | undefined {
  if (kind === 'Decimal' && scale === undefined)
    return 'does not say how many decimal places its values have, at most; write `scale: 2`, or `scale: 0` for none'
  if (kind === 'Decimal' || scale === undefined) return undefined
  return `has a \`scale\`, which only a Decimal has, and is of ${kind}; leave it out`
}

function boundUnits({ scale = 0, ...range }: RangeOptions, kind: RangeKind, bound: 'min' | 'max'): bigint | undefined {
  const text = range[bound]
  if (kind === 'DateTime') return unitsOrNothing(kind, parseDateTime(text), scale)
  const canonical = canonicalDecimal(text)
  if (canonical === undefined || kind === 'Decimal') return unitsOrNothing(kind, canonical, scale)
  return unitsOrNothing(kind, kind === 'Int' ? Number(canonical) : canonical, scale)
}

function unitsOrNothing(kind: RangeKind, value: unknown, scale: number): bigint | undefined {
  try {
    const { floor, isWhole } = unitsOf(kind, value, scale)
    return isWhole ? floor : undefined
  } catch (error) {
    if (error instanceof UnencodableValue) return undefined
    throw error
  }
}

/** One unit unless given; of a DateTime, a day. */
function stepUnits({ step, scale = 0 }: RangeOptions, kind: RangeKind): bigint | undefined {
  if (kind === 'DateTime') {
    const [, count, duration] = /^([1-9]\d*)(d|h|m|s|ms)$/.exec(step ?? '1d') ?? []
    return count === undefined ? undefined : BigInt(count) * DURATIONS[duration!]!
  }
  if (step === undefined) return 1n
  const units = unitsOrNothing('Decimal', step, scale)
  return units !== undefined && units >= 1n ? units : undefined
}

function stepProblem({ step, scale }: RangeOptions, kind: RangeKind): string {
  const instead = {
    Int: 'write a whole number from 1',
    BigInt: 'write a whole number from 1',
    Decimal: `write a number above 0 with no more than ${scale} decimal places`,
    DateTime: 'write a duration in days, hours, minutes, seconds or milliseconds: "1d", "12h", "15m", "1s" or "1ms"',
  }
  return `has the \`step\` ${step}, by which no ${kind} can be counted; ${instead[kind]}`
}

function wanted({ scale }: RangeOptions, kind: RangeKind): string {
  switch (kind) {
    case 'Int':
      return '; write a whole number of 32 bits'
    case 'BigInt':
      return '; write a whole number of 64 bits'
    case 'Decimal':
      return ` of ${scale} decimal places; write one, or make \`scale\` larger`
    case 'DateTime':
      return '; write "1900-01-01", or with its time "1900-01-01T00:00:00Z"'
  }
}

function cellsProblem({ min, max, step }: { min: bigint; max: bigint; step: bigint }): string | undefined {
  if (max <= min) return 'has a `max` that is not above its `min`; make it larger'
  const cells = (max - min) / step + 1n
  if (cells === 1n)
    return 'has a `step` as large as all of its range, so that it tells no values apart; make `step` smaller'
  if (cells <= MOST_CELLS) return undefined
  return `tells ${cells} values apart, and can ${MOST_CELLS} (2^${MOST_BITS}) at most; make \`step\` larger, or its range smaller`
}
