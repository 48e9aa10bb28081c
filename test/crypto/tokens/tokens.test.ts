import { createSecretKey } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { chooseEngine } from '../../../src/crypto/chooseEngine.js'
import type { IndexKey } from '../../../src/crypto/engine.js'
import { pieceBody } from '../../../src/crypto/tokens/textPieces.js'
import { rangePrefix, textPrefix, tokenLists } from '../../../src/crypto/tokens/tokens.js'

/** The tokens of one value. */
const tokensOf = (...[key, prefix, bodies]: [IndexKey, Buffer, readonly Buffer[]]) =>
  tokenLists(key, prefix, [bodies])[0]!

const BYTES = Buffer.alloc(32, 7)
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const RANGE = { min: 0n, max: 100n, step: 1n, sparsity: 2, unit: '1' }

describe.each(['', 'node'])('the tokens of a text, engine "%s"', (engine) => {
  const key = chooseEngine(engine).openIndex(createSecretKey(BYTES), BYTES)
  const words = (...all: string[]) => all.map((word) => pieceBody('word', word))
  const prefix = textPrefix('User.name', { normalize: [], words: true })

  it('are UUIDs in the order of their bytes, which is not that of what they were made of', () => {
    const tokens = tokensOf(key, prefix, words('a', 'b', 'c', 'd', 'e'))
    expect(tokens.every((token) => UUID.test(token))).toBe(true)
    expect(tokens).toEqual([...tokens].sort())
    expect(tokens).toEqual(tokensOf(key, prefix, words('e', 'd', 'c', 'b', 'a')))
  })

  it('are the same however often a piece is in it', () => {
    expect(tokensOf(key, prefix, words('a', 'b', 'a', 'a'))).toEqual(tokensOf(key, prefix, words('a', 'b')))
  })

  it('are none of nothing', () => {
    expect(tokensOf(key, prefix, [])).toEqual([])
  })

  it('are those of each piece alone, together', () => {
    const many = Array.from({ length: 3000 }, (_, i) => `word${i}`)
    const alone = many.flatMap((word) => tokensOf(key, prefix, words(word)))
    expect(tokensOf(key, prefix, words(...many))).toEqual([...new Set(alone)].sort())
    expect(new Set(alone).size).toBe(many.length)
  })

  it.each([
    ['field', textPrefix('User.nick', { normalize: [], words: true })],
    ['normalisers', textPrefix('User.name', { normalize: ['trim'], words: true })],
    ['parts', textPrefix('User.name', { normalize: [], words: true, grams: 3 })],
  ])('have nothing in common with those of another %s', (_, other) => {
    const [one, two] = [prefix, other].map((of) => tokensOf(key, of, words('ada', 'bob')))
    expect(new Set([...one!, ...two!]).size).toBe(4)
  })
})

describe('what sets indexes apart', () => {
  it('is written in one way, whatever order the parameters were given in', () => {
    const given = { words: true, suffix: [2, 6], normalize: ['nfkc'], prefix: [2, 10] } as const
    expect(textPrefix('User.name', given).toString('latin1', 4)).toBe(
      'User.name\0\0\0B{"normalize":["nfkc"],"prefix":[2,10],"suffix":[2,6],"words":true}',
    )
    const { unit, step, ...rest } = RANGE
    expect(rangePrefix('User.age', { step, ...rest, unit }).toString('latin1', 4)).toBe(
      'User.age\0\0\0:{"max":"100","min":"0","sparsity":2,"step":"1","unit":"1"}',
    )
  })

  it('is the same for words that are switched off as for none', () => {
    expect(textPrefix('a', { normalize: [], words: false })).toEqual(textPrefix('a', { normalize: [] }))
  })

  it.each([
    ['max', { max: 101n }],
    ['min', { min: -1n }],
    ['step', { step: 2n }],
    ['sparsity', { sparsity: 1 }],
    ['unit', { unit: 'ms' }],
  ])('differs between ranges of another %s', (_, other) => {
    expect(rangePrefix('User.age', { ...RANGE, ...other })).not.toEqual(rangePrefix('User.age', RANGE))
  })
})
