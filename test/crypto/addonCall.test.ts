import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { inParts } from '../../src/crypto/native/addonCall.js'
import { MOST_VALUES } from '../../src/crypto/native/addonFrame.js'

/** V8 makes strings beyond 128 KB objects of their own, at ten times the cost: the size of two bytes for each character. */
const CHEAP = 2 ** 17 / 2

const texts = fc.array(
  fc.integer({ min: 1, max: 70_000 }).map((length) => 'x'.repeat(length)),
  { maxLength: 40 },
)
const manyTexts = fc.integer({ min: 0, max: 3 * MOST_VALUES }).map((count) => Array.from({ length: count }, () => 'x'))

describe('what is handed to the addon', () => {
  it('goes in calls that each are cheap to make, or of one value, and comes back in its order', () => {
    fc.assert(
      fc.property(fc.oneof(texts, manyTexts), (values) => {
        const calls: string[][] = []
        const lengths = inParts(
          values,
          values,
          (all, from, to) => all.slice(from, to),
          (part) => {
            calls.push(part)
            return part.map(({ length }) => length)
          },
        )
        expect(lengths).toEqual(values.map(({ length }) => length))
        for (const call of calls) {
          expect(call.length).toBeLessThanOrEqual(MOST_VALUES)
          if (call.length > 1) expect(call.join('').length).toBeLessThan(CHEAP)
        }
      }),
    )
  })
})
