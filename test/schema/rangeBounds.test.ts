import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { RangeScale } from '../../src/crypto/tokens/rangeScale.js'
import type { RangeKind } from '../../src/crypto/tokens/units.js'
import { boundsProblem, rangeBounds } from '../../src/schema/rangeBounds.js'
import { type GivenRange, rangeOptions } from '../../src/schema/rangeOptions.js'

/** The bounds of what is given, or all that is wrong with it. */
function read(given: GivenRange, kind: RangeKind) {
  const problems: string[] = []
  const range = rangeOptions(given, (problem) => problems.push(problem))
  if (!range) return problems
  return boundsProblem(range, kind) ?? rangeBounds(range, kind)
}

const day = 86_400_000

describe('the bounds of a range, from JavaScript', () => {
  it.each<[string, GivenRange, RangeKind, object]>([
    ['bigints', { min: -(2n ** 63n), max: -(2n ** 63n) + 9n }, 'BigInt', { min: '-9223372036854775808', step: '1' }],
    ['numbers in another notation', { min: 1e-3, max: 1e3, scale: 3 }, 'Decimal', { min: '1', max: '1000000' }],
    ['a negative zero', { min: -0, max: 5 }, 'Int', { min: '0', max: '5' }],
    ['a whole number with a fraction of zeros', { min: '1.0', max: '5.00' }, 'Int', { min: '1', max: '5' }],
    ['a step as a bigint', { min: 0, max: 100n, step: 5n }, 'BigInt', { step: '5' }],
    [
      'Dates, which are moments',
      { min: new Date(0), max: new Date(day * 7), step: '7h' },
      'DateTime',
      { unit: 'ms', min: '0', max: '604800000', step: '25200000' },
    ],
    ['years before 1970', { min: '0001-01-01', max: '1969-12-31' }, 'DateTime', { max: '-86400000', step: '86400000' }],
  ])('may be %s', (_, given, kind, bounds) => {
    expect(read(given, kind)).toMatchObject({ ...bounds, sparsity: 2 })
  })

  it.each<[string, GivenRange]>([
    ['null', { min: null, max: 9 }],
    ['an invalid Date', { min: new Date(Number.NaN), max: 9 }],
    ['an object', { min: {}, max: 9 }],
    ['true', { min: true, max: 9 }],
  ])('are not %s', (_, given) => {
    expect(read(given, 'Int')).toEqual(['`min` is the least value: a number or, of a DateTime, a text'])
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 1e300])('are no number that is none of its type: %s', (max) => {
    for (const kind of ['Int', 'BigInt', 'DateTime'] as const) {
      expect(read({ min: 0, max }, kind)).toMatch(/^has the `m(in|ax)` \S+, which is no \w+; write/)
    }
  })

  it('says all at once what is wrong with the form of several', () => {
    expect(read({ min: null, step: false, scale: -1, sparsity: 1.5 }, 'Decimal')).toHaveLength(5)
  })
})

describe('the bounds of any range', () => {
  it('are those of a scale, unless something is wrong with them', () => {
    const near = fc.bigInt(-20n, 20n)
    const large = fc.bigInt(-(2n ** 35n), 2n ** 35n)
    const value = fc.oneof(near, large)
    fc.assert(
      fc.property(value, value, fc.bigInt(-1n, 9n), fc.integer({ min: 1, max: 8 }), (min, max, step, sparsity) => {
        const found = read({ min, max, step, sparsity }, 'BigInt')
        if (typeof found === 'string') {
          const cells = step > 0n && max > min ? (max - min) / step + 1n : 0n
          expect(cells < 2n || cells > 2n ** 32n).toBe(true)
        } else {
          expect(found).toEqual({ unit: '1', min: `${min}`, max: `${max}`, step: `${step}`, sparsity })
          expect(new RangeScale({ min, max, step }).last).toBeGreaterThan(0)
        }
      }),
    )
  })
})
