import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import { canonicalJson } from '../../src/crypto/canonicalJson.js'

it('is one text for equal values, in whatever order their keys are', () => {
  expect(canonicalJson({ b: [{ d: null, c: 'ä"' }, 1], a: undefined, A: true })).toBe(
    '{"A":true,"b":[{"c":"ä\\"","d":null},1]}',
  )
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
      const turned = Object.fromEntries(Object.entries(object).reverse())
      expect(canonicalJson(turned)).toBe(canonicalJson(object))
      expect(JSON.parse(canonicalJson(object))).toEqual(JSON.parse(JSON.stringify(object)))
    }),
  )
})
