import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type PieceKind, pieceBody, piecesOf, type TextParts, wordsOf } from '../../../src/crypto/tokens/textPieces.js'

const pieces = (text: string, parts: TextParts) =>
  piecesOf(text, parts).map((body) => `${body[0]} ${body.toString('utf8', 1)}`)

const has = (text: string, parts: TextParts, kind: PieceKind, piece: string) =>
  piecesOf(text, parts).some((body) => body.equals(pieceBody(kind, piece)))

/** Texts with few letters, so that they often begin or end alike; one is outside of the basic plane, one a mark. */
const text = fc.array(fc.constantFrom('a', 'b', '𝛼', '\u0301', ' '), { maxLength: 9 }).map((points) => points.join(''))

describe('the pieces of a text', () => {
  it('are its beginnings and endings of the lengths that are asked for, in code points', () => {
    expect(pieces('a𝛼bc', { prefix: [2, 3] })).toEqual(['1 a𝛼', '1 a𝛼b'])
    expect(pieces('a𝛼bc', { suffix: [1, 9] })).toEqual(['2 c', '2 bc', '2 𝛼bc', '2 a𝛼bc'])
  })

  it('are none of a text that is shorter, or empty', () => {
    const parts: TextParts = { prefix: [2, 4], suffix: [2, 4], words: true, wordPrefix: [2, 4], grams: 3 }
    expect(pieces('', parts)).toEqual([])
    expect(pieces('a', parts)).toEqual(['3 a'])
  })

  it('are words of letters, digits and their marks in any script, parted by everything else', () => {
    expect(wordsOf("Ada  Lovelace-King, 'née' 1815_x; e\u0301tude Ωμέγα 李明 \u{1d6fc}")).toEqual([
      'Ada',
      'Lovelace',
      'King',
      'née',
      '1815',
      'x',
      'e\u0301tude',
      'Ωμέγα',
      '李明',
      '\u{1d6fc}',
    ])
  })

  it('are the beginnings of words, where these are asked for', () => {
    expect(pieces('ada lovelace', { wordPrefix: [3, 4] })).toEqual(['5 ada', '5 lov', '5 love'])
  })

  it('are all runs of so many code points', () => {
    expect(pieces('a𝛼bc', { grams: 3 })).toEqual(['4 a𝛼b', '4 𝛼bc'])
  })

  it('have the kind in front, so that a prefix is no suffix, word or gram', () => {
    const parts: TextParts = { prefix: [3, 3], suffix: [3, 3], words: true, wordPrefix: [3, 3], grams: 3 }
    expect(pieces('ada', parts)).toEqual(['1 ada', '2 ada', '3 ada', '5 ada', '4 ada'])
  })

  it('say of every beginning and ending within the lengths whether a text has it', () => {
    fc.assert(
      fc.property(text, text, (whole, piece) => {
        const length = Array.from(piece).length
        fc.pre(length >= 1 && length <= 5)
        expect(has(whole, { prefix: [1, 5] }, 'prefix', piece)).toBe(
          Array.from(whole).slice(0, length).join('') === piece,
        )
        expect(has(whole, { suffix: [1, 5] }, 'suffix', piece)).toBe(
          Array.from(whole).slice(-length).join('') === piece,
        )
      }),
    )
  })

  it('never have half of a surrogate pair', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (whole) => {
        const all = piecesOf(whole, { prefix: [1, 4], suffix: [1, 4], words: true, wordPrefix: [1, 3], grams: 2 })
        expect(all.every((body) => !body.toString('utf8', 1).includes('\ufffd'))).toBe(!whole.includes('\ufffd'))
      }),
    )
  })
})
