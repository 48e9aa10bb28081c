import { describe, expect, it } from '@jest/globals'
import type { CipherField, CipherIndex } from '../../src/cipher/cipher.js'
import { indexedText, normalized } from '../../src/cipher/indexText.js'
import { normalizersOf } from '../../src/plan/normalizers.js'

const text: CipherField = { kind: 'String', column: 'String', context: 'User.name', name: 'User.name' }
const number: CipherField = { kind: 'Int', column: 'String', context: 'User.age', name: 'User.age' }

function indexOf(normalize: readonly string[], own = {}, sources: readonly CipherField[] = [text]): CipherIndex {
  const normalizers = normalizersOf(normalize, own)
  return {
    name: 'User.nameIndex',
    sources,
    normalize,
    normalizers,
    bits: 128,
    column: 'String',
    constrained: false,
    scope: 'tenant',
  }
}

describe('what a blind index is made from', () => {
  it('is the value by its normalisers in the order written', () => {
    expect(normalized(indexOf(['nfkc', 'lowercase']), '\u{1d400}')).toBe('a')
    expect(normalized(indexOf(['lowercase', 'nfkc']), '\u{1d400}')).toBe('A')
    expect(normalized(indexOf([]), ' A ')).toBe(' A ')
  })

  it('is the same for values that the normalisers make one, and for no others', () => {
    const index = indexOf(['trim', 'lowercase'])
    const [one, same, other] = [' Ada', 'ada ', 'adá'].map((value) => indexedText(index, [value], 'written'))
    expect([one === same, one === other]).toEqual([true, false])
  })

  it('tells where one of several values ends', () => {
    const index = indexOf([], {}, [text, { ...text, context: 'User.last' }])
    expect(indexedText(index, ['ab', 'c'], 'written')).not.toBe(indexedText(index, ['a', 'bc'], 'written'))
  })

  it('is no number by a normaliser, which is for text', () => {
    const own = { never: () => 'x' }
    expect(indexedText(indexOf(['never'], own, [number]), [7], 'written')).toBe(
      indexedText(indexOf([], {}, [number]), [7], 'written'),
    )
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('of ada')
      },
      'threw an error',
    ],
    ['answers with no text', () => 7, 'answered with something other than a string'],
  ])('is refused when a normaliser of the application %s, without what it said', (_, own, said) => {
    expect(() => normalized(indexOf(['own'], { own }), 'ada')).toThrow(
      `User.nameIndex cannot be made: its normalizer "own" ${said}`,
    )
  })
})
