import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { hasExactNumbers, hasUniqueKeys, isExactNumber } from '../../../src/maintenance/rows/exactJson.js'

describe('numbers in JSON', () => {
  it.each([
    '0.30000000000000004',
    '1e21',
    '1000000000000000000000',
    '1.500000000000000000000',
    '-0.000000000000000000',
    '5e-324',
    '1.7976931348623157e308',
    '9007199254740990.0e-1',
    '"12345678901234567890"',
    '{"12345678901234567890": "\\"12345678901234567890"}',
  ])('are exact in JavaScript: %s', (json) => expect(hasExactNumbers(json)).toBe(true))

  it.each(['12345678901234567890', '[1, {"a": 9007199254740993}]', '0.1000000000000000055', '1e400', '1e-400'])(
    'would be rounded: %s',
    (json) => expect(hasExactNumbers(json)).toBe(false),
  )

  it('that JavaScript wrote are exact', () => {
    fc.assert(fc.property(fc.json(), (json) => hasExactNumbers(json)))
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (n) => hasExactNumbers(JSON.stringify(n))),
    )
  })
})

describe('a number in decimal digits', () => {
  it.each(['0', '-0', '.5', '5.', '1.50', '-12e-3', '0.1', '1e21'])('is exact in JavaScript: %s', (number) =>
    expect(isExactNumber(number)).toBe(true),
  )
  it.each(['.10000000000000000555', '9007199254740993', '1e400', '-1e-400'])('would be rounded: %s', (number) =>
    expect(isExactNumber(number)).toBe(false),
  )
})

describe('keys in JSON', () => {
  it.each([
    '{"a": 1, "b": {"a": 1}}',
    '[{"a": 1}, {"a": 1}]',
    '"{\\"a\\":1,\\"a\\":1}"',
    '{"a" : ":", "\\"a": 1}',
    '{"__proto__": 1}',
  ])('are there once: %s', (json) => expect(hasUniqueKeys(json)).toBe(true))
  it.each([
    '{"a": 1, "a": 1}',
    '[{"b": {"a": 1, "c": 2, "a": 1}}]',
    '{"a": 1, "\\u0061" : 2}',
    '{"__proto__": 1, "__proto__": 2}',
  ])('are there twice: %s', (json) => expect(hasUniqueKeys(json)).toBe(false))
  it('that JavaScript wrote are there once', () => {
    fc.assert(fc.property(fc.json({ stringUnit: 'binary' }), (json) => hasUniqueKeys(json)))
  })
})
