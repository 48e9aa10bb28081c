import { describe, expect, it, jest } from '@jest/globals'
import fc from 'fast-check'
import { looksMasked, MASK_NAMES, MASKS, type MaskName } from '../src/masks.js'
import { onTestFinished } from './support/onTestFinished.js'

/** How many characters each mask shows, at most; of a top-level domain up to 24, and an `@` and a dot around it. */
const MOST: { readonly [name in MaskName]: number } = { hidden: 0, last4: 4, phone: 4, initials: 2, email: 28 }

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' })
/** As people see them. */
const characters = (text: string) => Array.from(segmenter.segment(text), ({ segment }) => segment)

const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.stringMatching(/^[a-z0-9.+-]{0,12}@[a-z0-9.-]{0,20}$/),
  fc.stringMatching(/^\+?[0-9 ()-]{0,20}$/),
  fc.array(fc.string({ unit: 'grapheme-composite' }), { maxLength: 4 }).map((words) => words.join(' ')),
)

describe.each(MASK_NAMES)('the mask %s', (name) => {
  const mask = MASKS[name]

  it('takes any text, shows no more characters of it than it may, and looks masked', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const masked = mask(text)
        expect(looksMasked(masked)).toBe(true)
        const shown = masked.split('•••').flatMap((part) => characters(part.trim()))
        expect(shown.length).toBeLessThanOrEqual(MOST[name])
        for (const character of shown) expect(text).toContain(character)
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

/** Counts how many characters are taken out of texts from now on. */
function countSteps(): () => number {
  let steps = 0
  const { segment } = Intl.Segmenter.prototype
  const spy = jest.spyOn(Intl.Segmenter.prototype, 'segment').mockImplementation(function (this: Intl.Segmenter, text) {
    const segments = segment.call(this, text)
    const count = <T>(one: T) => {
      steps += 1
      return one
    }
    return {
      containing: (at: number) => count(segments.containing(at)),
      *[Symbol.iterator]() {
        for (const one of segments) yield count(one)
      },
    } as Intl.Segments
  })
  onTestFinished(() => spy.mockRestore())
  return () => steps
}

describe('masks', () => {
  it.each<[MaskName, string, string]>([
    ['email', 'ada@example.com', 'a•••@e•••.com'],
    ['email', 'a@b.co.uk', 'a•••@b•••.uk'],
    ['email', '"a@b"@例子.中国', '"•••@例•••.中国'],
    ['email', '👩🏽‍⚕️.who@localhost', '👩🏽‍⚕️•••@l•••'],
    ['email', 'e\u0301mile@x.y', 'e\u0301•••@x•••'],
    ['email', 'call me @ home. the password is secret', 'c•••@ •••'],
    ['email', 'ada@mail.example.org', 'a•••@m•••.org'],
    ['email', 'ada@host.secret word', 'a•••@h•••'],
    ['email', 'ada@host.aaaaaaaaaaaaaaaaaaaaaaaa', 'a•••@h•••.aaaaaaaaaaaaaaaaaaaaaaaa'],
    ['email', 'ada@host.aaaaaaaaaaaaaaaaaaaaaaaaa', 'a•••@h•••'],
    ['email', 'ada@host.', 'a•••@h•••'],
    ['email', 'ada@.com', 'a•••@.•••'],
    ['email', 'ada', '•••'],
    ['email', '@example.com', '•••'],
    ['email', 'ada@', '•••'],
    ['email', '', '•••'],
    ['phone', '+86 138 0013 8000', '•••8000'],
    ['phone', '٠١٢٣٤٥٦٧٨٩', '•••٦٧٨٩'],
    ['phone', '13800138 (ext. home)', '•••0138'],
    ['phone', '555 0100 9 or 7', '•••0097'],
    ['phone', 'secret 12345678 secret', '•••5678'],
    ['phone', '1234567', '•••67'],
    ['phone', '1234', '•••34'],
    ['phone', '123', '•••'],
    ['phone', '110', '•••'],
    ['phone', 'none', '•••'],
    ['phone', '', '•••'],
    ['last4', '4111 1111 1111 1234', '•••1234'],
    ['last4', 'DE89 3704 0044 0532 01-3 0', '•••0130'],
    ['last4', 'C01X-00T4-7 ...', '•••0T47'],
    ['last4', 'abcdefgh', '•••efgh'],
    ['last4', '1234567', '•••'],
    ['last4', '😀😀😀😀😀😀😀😀😀', '•••'],
    ['last4', '', '•••'],
    ['initials', 'Ada King Lovelace', 'A••• L•••'],
    ['initials', '  ada ', 'a•••'],
    ['initials', 'Ada\tKing\nLovelace', 'A••• L•••'],
    ['initials', 'e\u0301mile Zola', 'e\u0301••• Z•••'],
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
    const steps = countSteps()
    for (const name of MASK_NAMES) MASKS[name](`${long}@${long}12345678`)
    expect(steps()).toBeLessThan(50)
  })

  it('leave ordinary values alone', () => {
    for (const text of ['', 'ada@example.com', '··', '• one', '••']) expect(looksMasked(text)).toBe(false)
  })
})
