import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { NORMALIZER_NAMES, NORMALIZERS, type NormalizerName } from '../../src/crypto/normalizers.js'
import { normalizersOf } from '../../src/plan/normalizers.js'
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

describe('the normalisers', () => {
  it('trims exactly the characters that docs/format.md lists', () => {
    for (let code = 0; code < 0x10000; code++) {
      if (code >= 0xd800 && code <= 0xdfff) continue
      const listed = TRIMMED.some(([from, to]) => code >= from! && code <= to!)
      const result = NORMALIZERS.trim(`${String.fromCharCode(code)}a`)
      if ((result === 'a') !== listed) fail(`U+${code.toString(16)}`)
    }
    expect(NORMALIZERS.trim('\t a b \u3000')).toBe('a b')
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
    expect(NORMALIZERS[name](before)).toBe(after)
  })

  it('changes nothing more when a normaliser is applied again', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.constantFrom(...NORMALIZER_NAMES), (text, name) => {
        const once = NORMALIZERS[name](text)
        expect(NORMALIZERS[name](once)).toBe(once)
      }),
    )
  })

  it('keeps well-formed text well-formed', () => {
    const names = fc.subarray([...NORMALIZER_NAMES])
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), names, (text, some) => {
        expect(
          normalizersOf(some, {})
            .reduce((given, one) => one(given), text)
            .isWellFormed(),
        ).toBe(true)
      }),
    )
  })
})
