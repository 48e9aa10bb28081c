import { createSecretKey } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { decrypt, encrypt, NONCE_BYTES, randomNonces, TAG_BYTES } from '../../src/crypto/aead.js'
import { hex, published } from './vectors.js'

const KEY = createSecretKey(Buffer.alloc(32, 7))
const AAD = Buffer.from('the place of a value')

function flipped(bytes: Uint8Array, bit: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[bit >> 3]! ^= 1 << (bit & 7)
  return copy
}

const bitsOf = (bytes: Uint8Array) => Array.from({ length: bytes.length * 8 }, (_, bit) => bit)

describe('decrypt', () => {
  const sealed = encrypt(KEY, AAD, 'a value', randomNonces(1))

  it('refuses every single flipped bit of nonce, ciphertext and tag', () => {
    const opens = (bit: number) => decrypt(KEY, AAD, flipped(sealed, bit)) !== null
    expect(bitsOf(sealed).filter(opens)).toEqual([])
  })

  it('refuses every single flipped bit of the AAD', () => {
    const opens = (bit: number) => decrypt(KEY, flipped(AAD, bit), sealed) !== null
    expect(bitsOf(AAD).filter(opens)).toEqual([])
  })

  it('refuses every single flipped bit of the key', () => {
    const bytes = KEY.export()
    const opens = (bit: number) => decrypt(createSecretKey(flipped(bytes, bit)), AAD, sealed) !== null
    expect(bitsOf(bytes).filter(opens)).toEqual([])
  })

  it('refuses what is cut off at any length, from either end, and what is longer', () => {
    const lengths = Array.from(sealed.keys())
    const opens = (part: Buffer) => decrypt(KEY, AAD, part) !== null
    expect(lengths.filter((length) => opens(sealed.subarray(0, length)))).toEqual([])
    expect(lengths.filter((length) => opens(sealed.subarray(sealed.length - length)))).toEqual([])
    expect(decrypt(KEY, AAD, Buffer.concat([sealed, Buffer.alloc(1)]))).toBeNull()
  })

  it.each(published.aes256gcmForged)('refuses $name', ({ key, iv, aad, ct, tag }) => {
    expect(decrypt(createSecretKey(hex(key)), hex(aad), hex(iv + ct + tag))).toBeNull()
  })

  it.each(published.aes256gcm)('opens $name', ({ key, iv, aad, msg, ct, tag }) => {
    expect(decrypt(createSecretKey(hex(key)), hex(aad), hex(iv + ct + tag))).toEqual(hex(msg))
  })

  it('opens whatever encrypt made, of bytes and of text', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 100 }), (plaintext, aad) => {
        const made = encrypt(KEY, aad, plaintext, randomNonces(1))
        expect(decrypt(KEY, aad, made)).toEqual(Buffer.from(plaintext))
      }),
    )
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(decrypt(KEY, AAD, encrypt(KEY, AAD, text, randomNonces(1)))?.toString('utf8')).toBe(text)
      }),
    )
  })
})

describe('encrypt', () => {
  it.each([0, 11, 13, 16])('refuses a nonce of %i bytes', (length) => {
    expect(() => encrypt(KEY, AAD, 'a value', Buffer.alloc(length))).toThrow('a nonce must be 12 bytes')
  })

  it.each(published.aes256gcm)('makes $name', ({ key, iv, aad, msg, ct, tag }) => {
    expect(encrypt(createSecretKey(hex(key)), hex(aad), hex(msg), hex(iv)).toString('hex')).toBe(iv + ct + tag)
  })

  it('adds a nonce and a tag to the length, no more', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (plaintext) => {
        const made = encrypt(KEY, AAD, plaintext, randomNonces(1))
        expect(made.length).toBe(NONCE_BYTES + plaintext.length + TAG_BYTES)
      }),
    )
  })
})

describe('randomNonces', () => {
  it('draws twelve bytes for each value and never the same twice', () => {
    const counts = [0, 1, 5, 5000]
    const nonces = counts.flatMap((count) => {
      const bytes = randomNonces(count)
      expect(bytes.length).toBe(count * NONCE_BYTES)
      return Array.from({ length: count }, (_, i) => bytes.toString('hex', i * NONCE_BYTES, (i + 1) * NONCE_BYTES))
    })
    expect(new Set(nonces).size).toBe(5006)
  })

  it('shares no memory with other buffers', () => {
    expect(randomNonces(2).buffer.byteLength).toBe(2 * NONCE_BYTES)
  })
})
