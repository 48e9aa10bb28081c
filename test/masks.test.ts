import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { looksMasked, MASK_NAMES, MASKS, type MaskName } from '../src/masks.js'

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' })
const graphemes = (text: string) => Array.from(segmenter.segment(text), ({ segment }) => segment)

/** The characters that may be seen of a text, at most, from what docs/access.md says. */
const SHOWN: { readonly [name in MaskName]: (text: string) => string[] } = {
  hidden: () => [],
  last4: (text) =>
    graphemes(text)
      .filter((one) => /^[\p{L}\p{N}]/u.test(one))
      .slice(-4),
  phone: (text) =>
    graphemes(text)
      .filter((one) => /^\p{Nd}/u.test(one))
      .slice(-4),
  initials: (text) => {
    const words = text.split(/\s+/u).filter(Boolean)
    return [words.at(0), words.at(-1)].filter((word) => word !== undefined).map((word) => graphemes(word)[0]!)
  },
  email: (text) => {
    const at = text.lastIndexOf('@')
    const domain = text.slice(at + 1)
    const dot = domain.lastIndexOf('.')
    const first = [text.slice(0, at), domain].map((part) => graphemes(part)[0] ?? '')
    return [...first, '@', '.', domain.slice(dot + 1)]
  },
}

const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.stringMatching(/^[a-z0-9.+-]{0,12}@[a-z0-9.-]{0,20}$/),
  fc.stringMatching(/^\+?[0-9 ()-]{0,20}$/),
  fc.array(fc.string({ unit: 'grapheme-composite' }), { maxLength: 4 }).map((words) => words.join(' ')),
)

describe.each(MASK_NAMES)('the mask %s', (name) => {
  const mask = MASKS[name]

  it('takes any text, shows no more than is written of it, and looks masked', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const masked = mask(text)
        expect(looksMasked(masked)).toBe(true)
        const rest = masked.replaceAll('•••', '').replaceAll(' ', '')
        const allowed = SHOWN[name](text).join('')
        expect(rest.length).toBeLessThanOrEqual(allowed.length)
        for (const character of rest) expect(allowed).toContain(character)
      }),
      { numRuns: 2_000 },
    )
  })

  it('gives texts that differ only in what it hides the same mask, whatever their length', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii', maxLength: 40 }), (middle) => {
        const clean = middle.replace(/[\s@.]/g, 'x')
        const wrap = { email: (x: string) => `a${x}@e${x}.com`, initials: (x: string) => `A${x} b ${x} L${x}` }
        const around = (x: string) => (name in wrap ? wrap[name as 'email'](x) : `${x}00000000`)
        expect(mask(around(clean))).toBe(mask(around('')))
      }),
    )
  })
})

describe('masks', () => {
  it.each<[MaskName, string, string]>([
    ['email', 'ada@example.com', 'a•••@e•••.com'],
    ['email', 'a@b.co.uk', 'a•••@b•••.uk'],
    ['email', '"a@b"@例子.中国', '"•••@例•••.中国'],
    ['email', '👩🏽‍⚕️.who@localhost', '👩🏽‍⚕️•••@l•••'],
    ['email', 'e\u0301mile@x.y', 'e\u0301•••@x•••'],
    ['email', 'call me @ home. the password is secret', 'c•••@ •••'],
    ['email', 'ada', '•••'],
    ['email', '@example.com', '•••'],
    ['email', 'ada@', '•••'],
    ['email', '', '•••'],
    ['phone', '+86 138 0013 8000', '•••8000'],
    ['phone', '٠١٢٣٤٥٦٧٨٩', '•••٦٧٨٩'],
    ['phone', '13800138 (ext. home)', '•••0138'],
    ['phone', '1234567', '•••67'],
    ['phone', '110', '•••'],
    ['phone', 'none', '•••'],
    ['phone', '', '•••'],
    ['last4', '4111 1111 1111 1234', '•••1234'],
    ['last4', 'DE89 3704 0044 0532 01-3 0', '•••0130'],
    ['last4', '1234567', '•••'],
    ['last4', '😀😀😀😀😀😀😀😀😀', '•••'],
    ['last4', '', '•••'],
    ['initials', 'Ada King Lovelace', 'A••• L•••'],
    ['initials', '  ada ', 'a•••'],
    ['initials', '王小明', '王•••'],
    ['initials', '👨‍👩‍👧 Family', '👨‍👩‍👧••• F•••'],
    ['initials', ' ', '•••'],
    ['initials', '', '•••'],
    ['hidden', 'anything', '•••'],
    ['hidden', '', '•••'],
  ])('%s of %j is %j', (name, text, masked) => {
    expect(MASKS[name](text)).toBe(masked)
  })

  it('look at no more than the ends of a very long text', () => {
    const long = 'x'.repeat(5_000_000)
    const begun = performance.now()
    for (const name of MASK_NAMES) MASKS[name](`${long}@${long}12345678`)
    expect(performance.now() - begun).toBeLessThan(2_000)
  })

  it('leave ordinary values alone', () => {
    for (const text of ['', 'ada@example.com', '··', '• one', '••']) expect(looksMasked(text)).toBe(false)
  })
})
