import { createSecretKey } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decrypt, encrypt, NONCE_BYTES, nonceSource, TAG_BYTES } from '../../src/crypto/aead.js'
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
  const sealed = encrypt(KEY, AAD, 'a value', nonceSource(1)())

  it('refuses every single flipped bit of nonce, ciphertext and tag', () => {
    for (const bit of bitsOf(sealed)) expect(decrypt(KEY, AAD, flipped(sealed, bit)), `bit ${bit}`).toBeNull()
  })

  it('refuses every single flipped bit of the AAD', () => {
    for (const bit of bitsOf(AAD)) expect(decrypt(KEY, flipped(AAD, bit), sealed), `bit ${bit}`).toBeNull()
  })

  it('refuses every single flipped bit of the key', () => {
    const bytes = KEY.export()
    for (const bit of bitsOf(bytes)) {
      expect(decrypt(createSecretKey(flipped(bytes, bit)), AAD, sealed), `bit ${bit}`).toBeNull()
    }
  })

  it('refuses what is cut off at any length, from either end, and what is longer', () => {
    for (let length = 0; length < sealed.length; length++) {
      expect(decrypt(KEY, AAD, sealed.subarray(0, length)), `first ${length}`).toBeNull()
      expect(decrypt(KEY, AAD, sealed.subarray(sealed.length - length)), `last ${length}`).toBeNull()
    }
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
        const made = encrypt(KEY, aad, plaintext, nonceSource(1)())
        expect(decrypt(KEY, aad, made)).toEqual(Buffer.from(plaintext))
      }),
    )
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(decrypt(KEY, AAD, encrypt(KEY, AAD, text, nonceSource(1)()))?.toString('utf8')).toBe(text)
      }),
    )
  })
})

describe('encrypt', () => {
  it.each([0, 11, 13, 16])('refuses a nonce of %i bytes', (length) => {
    expect(() => encrypt(KEY, AAD, 'a value', Buffer.alloc(length))).toThrowError('a nonce must be 12 bytes')
  })

  it.each(published.aes256gcm)('makes $name', ({ key, iv, aad, msg, ct, tag }) => {
    expect(encrypt(createSecretKey(hex(key)), hex(aad), hex(msg), hex(iv)).toString('hex')).toBe(iv + ct + tag)
  })

  it('adds a nonce and a tag to the length, no more', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (plaintext) => {
        const made = encrypt(KEY, AAD, plaintext, nonceSource(1)())
        expect(made.length).toBe(NONCE_BYTES + plaintext.length + TAG_BYTES)
      }),
    )
  })
})

describe('nonceSource', () => {
  it('never repeats a nonce, in a block and across blocks, and goes on beyond what was announced', () => {
    for (const count of [0, 1, 5, 5000]) {
      const next = nonceSource(count)
      const nonces = Array.from({ length: 2500 }, next)
      expect(new Set(nonces.map((nonce) => nonce.toString('hex'))).size).toBe(2500)
      expect(nonces.every((nonce) => nonce.length === NONCE_BYTES)).toBe(true)
    }
  })

  it('leaves the nonces it has given out as they are', () => {
    const next = nonceSource(2)
    const first = next()
    const before = Buffer.from(first)
    for (let i = 0; i < 10; i++) next()
    expect(first).toEqual(before)
  })
})
