import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { NORMALIZERS, type NormalizerName, normalize } from '../../src/crypto/normalize.js'
import { fail } from '../support/fail.js'

const TRIMMED = [
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
]

describe('normalize', () => {
  it('trims exactly the characters that docs/format.md lists', () => {
    for (let code = 0; code < 0x10000; code++) {
      if (code >= 0xd800 && code <= 0xdfff) continue
      const listed = TRIMMED.some(([from, to]) => code >= from! && code <= to!)
      const result = normalize(`${String.fromCharCode(code)}a`, ['trim'])
      if ((result === 'a') !== listed) fail(`U+${code.toString(16)}`)
    }
    expect(normalize('\t a b \u3000', ['trim'])).toBe('a b')
  })

  it.each<[NormalizerName, string, string]>([
    ['lowercase', 'STRASSE ẞ İ ΣΑΣ', 'strasse ß i\u0307 σας'],
    ['nfkc', 'Ｆ ﬁ ① e\u0301', 'F fi 1 é'],
    ['digits', '+44 (20) 7946-0000', '442079460000'],
    ['digits', '٣ x ½ ² ４', '٣４'],
    ['diacritics', 'Ångström Łódź', 'Angstrom Łodz'],
    ['diacritics', 'e\u0301', 'e'],
    ['diacritics', '한국어', '한국어'],
  ])('%s turns %j into %j', (name, before, after) => {
    expect(normalize(before, [name])).toBe(after)
  })

  it('applies the normalisers in the order written', () => {
    expect(normalize('\u{1d400}', ['nfkc', 'lowercase'])).toBe('a')
    expect(normalize('\u{1d400}', ['lowercase', 'nfkc'])).toBe('A')
    expect(normalize(' A ', [])).toBe(' A ')
  })

  it('changes nothing more when a normaliser is applied again', () => {
    const names = Object.keys(NORMALIZERS) as NormalizerName[]
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.constantFrom(...names), (text, name) => {
        const once = normalize(text, [name])
        expect(normalize(once, [name])).toBe(once)
      }),
    )
  })

  it('keeps well-formed text well-formed', () => {
    const names = fc.subarray(Object.keys(NORMALIZERS) as NormalizerName[])
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), names, (text, some) => {
        expect(normalize(text, some).isWellFormed()).toBe(true)
      }),
    )
  })
})
