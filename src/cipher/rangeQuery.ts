import { EVERYTHING, type Interval, type Intervals, intersection, isWithin } from '../crypto/tokens/intervals.js'
import { coverOf, nodeBody } from '../crypto/tokens/rangeCover.js'
import { rangeUnits } from './tokenBodies.js'
import type { CipherRangeIndex } from './tokenIndex.js'
import type { TokenQuery } from './tokenQuery.js'

export type RangeOperator = 'gt' | 'gte' | 'lt' | 'lte'

const RANGE_OPERATORS: ReadonlySet<string> = new Set<RangeOperator>(['gt', 'gte', 'lt', 'lte'])

export function isRangeOperator(operator: string): operator is RangeOperator {
  return RANGE_OPERATORS.has(operator)
}

/**
 * The values, in units of the index, that are all of this: greater than one, less than another.
 *
 * @throws FieldsealError `VALUE_INVALID` for what the field cannot hold
 */
export function rangeIntervals(
  index: CipherRangeIndex,
  bounds: readonly (readonly [RangeOperator, unknown])[],
): Intervals {
  return bounds.reduce<Intervals>((all, [operator, bound]) => {
    return intersection(all, [intervalOf(index, operator, bound)])
  }, EVERYTHING)
}

function intervalOf(index: CipherRangeIndex, operator: RangeOperator, bound: unknown): Interval {
  const { floor, isWhole } = rangeUnits(index, bound, 'searched for')
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

/** The values of some intervals: one of the nodes over them is over each. */
export function rangeQuery(index: CipherRangeIndex, intervals: Intervals): TokenQuery {
  const { tree } = index
  const cells = intervals.map(({ from, to }) => tree.scale.cellsOf(from, to)).filter((found) => found !== undefined)
  return {
    match: 'any',
    bodies: cells.flatMap(({ first, last }) => coverOf(tree, first, last)).map(nodeBody),
    isExact: cells.every(({ isExact }) => isExact),
    matches: (value) => isWithin(intervals, rangeUnits(index, value, 'kept').floor),
  }
}
