import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { FieldsealError } from 'fieldseal'
import { quoted } from '../src/errors.js'
import { printable, printableLines } from '../src/printable.js'
import { UNSEEN } from './support/unseen.js'

describe('text from outside', () => {
  it.each([
    ['an escape sequence', 'a\u001b[2Jb', 'a\\u001b[2Jb'],
    ['one of a single character', '\u009b31m', '\\u009b31m'],
    ['a line of its own', 'acme\r\nfieldseal: done', 'acme\\u000d\\u000afieldseal: done'],
    ['another kind of line', 'a\u2028b\u2029c\u0085d', 'a\\u2028b\\u2029c\\u0085d'],
    ['a turn of direction', 'a\u202eb\u2066c\u2069\u200f', 'a\\u202eb\\u2066c\\u2069\\u200f'],
    ['what cannot be seen', 'ac\u200bme\u00ad\ufeff', 'ac\\u200bme\\u00ad\\ufeff'],
    ['what cannot be seen, of two units', 'a\u{e0041}', 'a\\udb40\\udc41'],
    ['half a character', 'a\ud800', 'a\\ud800'],
    ['letters of all kinds', 'Ä日本語 😀 عربي', 'Ä日本語 😀 عربي'],
  ])('shows %s, and does nothing', (_, text, shown) => expect(printable(text)).toBe(shown))

  it('is on one line in quotes, and still tells what it is', () => {
    const property = fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(quoted(text)).not.toMatch(UNSEEN)
      expect(JSON.parse(quoted(text))).toBe(text)
    })
    fc.assert(property)
  })

  it('is no longer than what somebody reads, whatever was planted in the database', () => {
    const planted = 'k'.repeat(5_000_000)
    expect(quoted(planted)).toBe(`"${'k'.repeat(256)}… (5000000 characters)"`)
    expect(printable(planted)).toBe(`${'k'.repeat(10_000)}… (5000000 characters)`)
    expect(new FieldsealError('KMS_REFUSED', `The key ${planted}.`).message).toHaveLength(50_022)
  })

  it('stays the same JSON', () => {
    const property = fc.property(fc.json({ stringUnit: 'binary' }), (json) => {
      expect(printableLines(json).replaceAll('\n', '')).not.toMatch(UNSEEN)
      expect(JSON.parse(printableLines(json))).toEqual(JSON.parse(json))
    })
    fc.assert(property)
  })

  it('may have lines of its own where it is a whole text', () => {
    expect(printableLines('a\n\tb\r\nc\rd\u001b')).toBe('a\n\tb\r\nc\\u000dd\\u001b')
  })

  it('steers nothing from the message of an error', () => {
    expect(new FieldsealError('KMS_REFUSED', 'said \u001b]0;x\u0007 and\nmore').message).toBe(
      'said \\u001b]0;x\\u0007 and\nmore',
    )
  })
})
