import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { RangeScale } from '../../../src/crypto/tokens/rangeScale.js'

const bounds = fc
  .record({ min: fc.bigInt(-100n, 100n), size: fc.bigInt(1n, 200n), step: fc.bigInt(1n, 20n) })
  .map(({ min, size, step }) => ({ min, max: min + size, step }))

describe('a scale of a range index', () => {
  it('numbers the cells from 0, each as wide as a step', () => {
    const scale = new RangeScale({ min: -10n, max: 25n, step: 10n })
    expect([-10n, -1n, 0n, 9n, 25n].map((value) => scale.cellOf(value))).toEqual([0, 0, 1, 1, 3])
    expect([scale.last, scale.bits]).toEqual([3, 2])
  })

  it('has no cell for what is one below its min, or one above its max', () => {
    const scale = new RangeScale({ min: -10n, max: 25n, step: 10n })
    expect([scale.cellOf(-11n), scale.cellOf(26n)]).toEqual([undefined, undefined])
  })

  it('takes as many cells as 32 bits number, and not one more', () => {
    expect(new RangeScale({ min: 0n, max: 2n ** 32n - 1n, step: 1n })).toMatchObject({ bits: 32, last: 2 ** 32 - 1 })
    expect(() => new RangeScale({ min: 0n, max: 2n ** 32n, step: 1n })).toThrow(RangeError)
  })

  it.each([
    { wrong: 'a step of 0', of: { min: 0n, max: 9n, step: 0n } },
    { wrong: 'a step below 0', of: { min: 0n, max: 9n, step: -1n } },
    { wrong: 'a max that is its min', of: { min: 9n, max: 9n, step: 1n } },
    { wrong: 'a max below its min', of: { min: 9n, max: 0n, step: 1n } },
  ])('refuses $wrong', ({ of }) => {
    expect(() => new RangeScale(of)).toThrow(RangeError)
  })

  it('numbers its cells with one bit when all values share one', () => {
    expect(new RangeScale({ min: 0n, max: 9n, step: 100n })).toMatchObject({ bits: 1, last: 0 })
  })

  it('gives an interval the cells of exactly its values when it says so, and of no fewer in any case', () => {
    fc.assert(
      fc.property(bounds, fc.bigInt(-120n, 320n), fc.bigInt(-120n, 320n), (of, from, to) => {
        const scale = new RangeScale(of)
        const cells = scale.cellsOf(from, to)
        const isInside = (value: bigint) => value >= from && value < to
        const isFound = (value: bigint) => {
          const cell = scale.cellOf(value)!
          return cells !== undefined && cell >= cells.first && cell <= cells.last
        }
        const values = Array.from({ length: Number(of.max - of.min) + 1 }, (_, i) => of.min + BigInt(i))
        const found = values.filter(isFound)
        const isExact = cells?.isExact ?? true
        expect(isExact ? found : found.filter(isInside)).toEqual(values.filter(isInside))
      }),
    )
  })

  it('calls every interval of a scale of steps of 1 exact', () => {
    fc.assert(
      fc.property(bounds, fc.bigInt(-120n, 320n), fc.bigInt(-120n, 320n), (of, from, to) => {
        expect(new RangeScale({ ...of, step: 1n }).cellsOf(from, to)?.isExact ?? true).toBe(true)
      }),
    )
  })

  it('takes an interval without an end as one to the end of the scale', () => {
    const scale = new RangeScale({ min: 0n, max: 99n, step: 7n })
    expect(scale.cellsOf(undefined, undefined)).toEqual({ first: 0, last: 14, isExact: true })
    expect(scale.cellsOf(98n, undefined)).toEqual({ first: 14, last: 14, isExact: true })
    expect(scale.cellsOf(undefined, 7n)).toEqual({ first: 0, last: 0, isExact: true })
  })
})
