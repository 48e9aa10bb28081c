import { complement, EVERYTHING, type Interval, type Intervals, intersection } from '../crypto/tokens/intervals.js'
import { coverOf, nodeBody } from '../crypto/tokens/rangeCover.js'
import { compareValues, unitsOf } from '../crypto/tokens/units.js'
import { checkedValue } from './slot.js'
import type { CipherRangeIndex } from './tokenIndex.js'
import type { TokenQuery } from './tokenQuery.js'

export type RangeOperator = 'gt' | 'gte' | 'lt' | 'lte'

const RANGE_OPERATORS: ReadonlySet<string> = new Set<RangeOperator>(['gt', 'gte', 'lt', 'lte'])

export function isRangeOperator(operator: string): operator is RangeOperator {
  return RANGE_OPERATORS.has(operator)
}

/** Some of the values of a range index. */
export interface ValueRange {
  /** In units of the index. */
  readonly intervals: Intervals
  /** Whether a value, not null, is one of them; also one that has more decimal places than the index. */
  readonly matches: (value: unknown) => boolean
}

export const NO_VALUES: ValueRange = { intervals: [], matches: () => false }

/**
 * The values that are all of this: greater than one, less than another.
 *
 * @throws FieldsealError `VALUE_INVALID` for what the field cannot hold
 */
export function rangeOf(index: CipherRangeIndex, bounds: readonly (readonly [RangeOperator, unknown])[]): ValueRange {
  const intervals = bounds.reduce<Intervals>((all, [operator, bound]) => {
    return intersection(all, [intervalOf(index, operator, bound)])
  }, EVERYTHING)
  return { intervals, matches: (value) => bounds.every(([operator, bound]) => isWithin(index, value, operator, bound)) }
}

/** All other values. */
export function othersThan({ intervals, matches }: ValueRange): ValueRange {
  return { intervals: complement(intervals), matches: (value) => !matches(value) }
}

function isWithin(index: CipherRangeIndex, value: unknown, operator: RangeOperator, bound: unknown): boolean {
  const order = checkedValue(index.sources[0]!, () => compareValues(index.values, value, bound), 'kept')
  switch (operator) {
    case 'gt':
      return order > 0
    case 'gte':
      return order >= 0
    case 'lt':
      return order < 0
    case 'lte':
      return order <= 0
  }
}

function intervalOf(index: CipherRangeIndex, operator: RangeOperator, bound: unknown): Interval {
  const units = () => unitsOf(index.values, bound, index.scale)
  const { floor, isWhole } = checkedValue(index.sources[0]!, units, 'searched for')
  // The first unit of which all values are at least the bound, and the first of which all are above it.
  const ceiling = isWhole ? floor : floor + 1n
  const above = floor + 1n
  switch (operator) {
    case 'gt':
      return { from: above, to: undefined }
    case 'gte':
      return { from: ceiling, to: undefined }
    case 'lt':
      return { from: undefined, to: ceiling }
    case 'lte':
      return { from: undefined, to: above }
  }
}

/** One of the nodes over some values is over each of them. */
export function rangeQuery({ tree }: CipherRangeIndex, { intervals, matches }: ValueRange): TokenQuery {
  const cells = intervals.map(({ from, to }) => tree.scale.cellsOf(from, to)).filter((found) => found !== undefined)
  return {
    match: 'any',
    bodies: cells.flatMap(({ first, last }) => coverOf(tree, first, last)).map(nodeBody),
    isExact: cells.every(({ isExact }) => isExact),
    matches,
  }
}
