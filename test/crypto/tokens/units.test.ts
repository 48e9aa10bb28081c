import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { textOfUnits, unitsOf } from '../../../src/crypto/tokens/units.js'

describe('the units of a value', () => {
  it.each([
    ['Int', -3, 0, -3n, true],
    ['BigInt', 2n ** 60n, 0, 2n ** 60n, true],
    ['BigInt', '-7', 0, -7n, true],
    ['DateTime', new Date('1970-01-01T00:00:01Z'), 0, 1_000n, true],
    ['DateTime', '1969-12-31T23:59:59.999Z', 0, -1n, true],
    ['Decimal', '1.25', 2, 125n, true],
    ['Decimal', '-1.25', 2, -125n, true],
    ['Decimal', 12, 2, 1_200n, true],
    ['Decimal', '0.005', 2, 0n, false],
    ['Decimal', '-0.005', 2, -1n, false],
    ['Decimal', '-1.259', 2, -126n, false],
    ['Decimal', '-2', 0, -2n, true],
  ] as const)('of the %s %p with %d places', (kind, value, scale, floor, isWhole) => {
    expect(unitsOf(kind, value, scale)).toEqual({ floor, isWhole })
  })

  it('are the largest whole number that is not above a decimal', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }), fc.nat(4), (millionths, scale) => {
        const { floor, isWhole } = unitsOf('Decimal', `${millionths}e-6`, scale)
        const unit = 10n ** BigInt(6 - scale)
        expect(floor * unit <= millionths && millionths < (floor + 1n) * unit).toBe(true)
        expect(isWhole).toBe(millionths % unit === 0n)
      }),
    )
  })

  it('are written as their type writes them', () => {
    expect(textOfUnits('Decimal', -125n, 2)).toBe('-1.25')
    expect(textOfUnits('DateTime', 0n, 0)).toBe('1970-01-01T00:00:00.000Z')
    expect(textOfUnits('Int', 5n, 0)).toBe('5')
  })
})
