import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  complement,
  EVERYTHING,
  type Interval,
  type Intervals,
  intersection,
} from '../../../src/crypto/tokens/intervals.js'

const end = fc.option(fc.bigInt({ min: -5n, max: 5n }), { nil: undefined })
const interval = fc.record({ from: end, to: end }, { noNullPrototype: true }) as fc.Arbitrary<Interval>
/** As they come of comparisons: cut out of everything. */
const intervals = fc
  .array(interval, { maxLength: 3 })
  .map((all) => all.reduce((left, one) => intersection(left, [one]), EVERYTHING))
const values = Array.from({ length: 15 }, (_, i) => BigInt(i - 7))

function isWithin(intervals: Intervals, value: bigint): boolean {
  return intervals.some(({ from, to }) => (from === undefined || value >= from) && (to === undefined || value < to))
}

describe('intervals', () => {
  it('hold together what each of two hold', () => {
    fc.assert(
      fc.property(intervals, intervals, (one, other) => {
        const both = intersection(one, other)
        for (const value of values) expect(isWithin(both, value)).toBe(isWithin(one, value) && isWithin(other, value))
      }),
    )
  })

  it('leave to their complement all that they do not hold, and nothing else', () => {
    fc.assert(
      fc.property(intervals, (some) => {
        for (const value of values) expect(isWithin(complement(some), value)).toBe(!isWithin(some, value))
        for (const value of values) expect(isWithin(complement(complement(some)), value)).toBe(isWithin(some, value))
      }),
    )
  })

  it('are everything where there is no bound, and nothing where bounds are the wrong way round', () => {
    expect(complement([])).toEqual(EVERYTHING)
    expect(complement(EVERYTHING)).toEqual([])
    expect(intersection([{ from: 5n, to: undefined }], [{ from: undefined, to: 5n }])).toEqual([])
  })
})
