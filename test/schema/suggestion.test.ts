import { describe, expect, it } from '@jest/globals'
import { didYouMean, nearest } from '../../src/schema/suggestion.js'

describe('nearest', () => {
  it.each([
    ['tent', 2, 'tenant'],
    ['teacher', 2, undefined],
    ['Tenant', 0, 'tenant'],
    ['blind-index', 0, 'blindIndex'],
    ['blnidIndex', 2, 'blindIndex'],
    ['', 2, undefined],
  ])('of %j within %i is %s', (word, limit, found) => {
    expect(nearest(word, ['tenant', 'blindIndex'], limit)).toBe(found)
  })
})

describe('didYouMean', () => {
  it('suggests nothing for a short word that shares too little', () => {
    expect(didYouMean('id', ['bind', 'as'])).toBe('')
  })

  it('suggests a short word with one letter missing', () => {
    expect(didYouMean('bnd', ['bind', 'as'])).toBe('did you mean `bind`?')
  })
})
