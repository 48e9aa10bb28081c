import { describe, expect, it } from '@jest/globals'
import { milliseconds } from '../../src/keys/duration.js'

describe('a duration', () => {
  it.each([
    [1500, 1500],
    [0, 0],
    ['90d', 7_776_000_000],
    ['12h', 43_200_000],
    ['5m', 300_000],
    ['30s', 30_000],
    ['250ms', 250],
    ['7 days', 604_800_000],
  ])('of %j is %d milliseconds', (given, expected) => {
    expect(milliseconds(given)).toBe(expected)
  })

  it.each([
    ['soon'],
    [''],
    ['-1d'],
    [-1],
    [Number.NaN],
    [Number.POSITIVE_INFINITY],
    [true],
    [null],
    [{}],
    ['9'.repeat(200)],
  ])('is not %j', (given) => {
    expect(milliseconds(given)).toBeUndefined()
  })
})
