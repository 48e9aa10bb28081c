import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { decodeHeader, encodeHeader, HEADER_BYTES, HEADER_CHARS, NO_DEK } from '../../src/crypto/header.js'

const DEK_ID = '0f8fad5b-d9cb-469f-a165-70867728950e'
const header = fc.record({
  suite: fc.constant(1),
  flags: fc.constantFrom(0, 1),
  dekId: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => {
    return Buffer.from(bytes)
      .toString('hex')
      .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
  }),
})

describe('decodeHeader', () => {
  it('refuses every suite and every flag that it does not know', () => {
    const known = encodeHeader({ suite: 1, flags: 0, dekId: DEK_ID })
    for (let byte = 0; byte < 256; byte++) {
      const suited = Buffer.concat([Buffer.of(byte), known.subarray(1)])
      expect([byte, decodeHeader(suited) !== null]).toEqual([byte, byte === 1])
      const flagged = Buffer.concat([Buffer.of(1, byte), known.subarray(2)])
      expect([byte, decodeHeader(flagged) !== null]).toEqual([byte, byte <= 1])
    }
  })

  it('reads suite 2 with a DEK id of zeros, and with no other', () => {
    for (const flags of [0, 1]) {
      const known = encodeHeader({ suite: 2, flags, dekId: NO_DEK })
      expect(decodeHeader(known)).toEqual({ suite: 2, flags, dekId: NO_DEK })
      for (let at = 2; at < HEADER_BYTES; at++) {
        const changed = Buffer.from(known)
        changed[at] = 1
        expect([at, decodeHeader(changed)]).toEqual([at, null])
      }
    }
  })

  it('refuses a header that is cut short', () => {
    const bytes = encodeHeader({ suite: 1, flags: 0, dekId: DEK_ID })
    for (let length = 0; length < HEADER_BYTES; length++) expect(decodeHeader(bytes.subarray(0, length))).toBeNull()
  })

  it('reads what encodeHeader wrote, also from within a larger buffer', () => {
    fc.assert(
      fc.property(header, fc.nat(20), (one, offset) => {
        const bytes = Buffer.concat([Buffer.alloc(offset, 0xff), encodeHeader(one), Buffer.alloc(3, 0xff)])
        expect(decodeHeader(bytes.subarray(offset))).toEqual(one)
      }),
    )
  })
})

describe('encodeHeader', () => {
  it.each(['', DEK_ID.toUpperCase(), DEK_ID.replaceAll('-', ''), `${DEK_ID}0`, DEK_ID.replace('0', 'g')])(
    'refuses %j as a DEK id',
    (dekId) => {
      expect(() => encodeHeader({ suite: 1, flags: 0, dekId })).toThrow('a DEK id must be a lower-case UUID')
    },
  )

  it('writes what decodeHeader read, in exactly as many characters as bytes need', () => {
    fc.assert(
      fc.property(header, (one) => {
        const bytes = encodeHeader(one)
        expect(encodeHeader(decodeHeader(bytes)!)).toEqual(bytes)
        expect([bytes.length, bytes.toString('base64url').length]).toEqual([HEADER_BYTES, HEADER_CHARS])
      }),
    )
  })
})
