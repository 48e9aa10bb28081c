import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { decodeBase64url, lengthPrefixed } from '../../src/crypto/bytes.js'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

describe('decodeBase64url', () => {
  it.each(['A', 'AAAAA', 'AA==', 'AAA=', 'A A', 'AA\n', '\nAA', 'AA+A', 'AA/A', 'AAé', 'AA.', 'AA\u0000A', 'ＡＡ'])(
    'refuses %j',
    (text) => {
      expect(decodeBase64url(text)).toBeNull()
    },
  )

  it('takes exactly one text for each of the last one and two bytes', () => {
    for (const tail of ['A', 'AA']) {
      const accepted = [...ALPHABET].filter((last) => decodeBase64url(tail + last) !== null)
      expect(accepted.length).toBe(tail.length === 1 ? 4 : 16)
    }
  })

  it('refuses every text but the one that encodes the bytes again', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...ALPHABET, '=', '+', '/', ' ', '\n'), maxLength: 20 }),
        (text) => {
          const bytes = decodeBase64url(text)
          expect(bytes === null || bytes.toString('base64url') === text).toBe(true)
        },
      ),
    )
  })

  it('reads what Buffer writes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(decodeBase64url(Buffer.from(bytes).toString('base64url'))).toEqual(Buffer.from(bytes))
      }),
    )
  })
})

describe('lengthPrefixed', () => {
  it('counts the bytes of UTF-8, not characters', () => {
    expect(lengthPrefixed('é😀').toString('hex')).toBe('00000006c3a9f09f9880')
    expect(lengthPrefixed('').toString('hex')).toBe('00000000')
    expect(lengthPrefixed(Buffer.alloc(300)).subarray(0, 4).toString('hex')).toBe('0000012c')
  })
})
