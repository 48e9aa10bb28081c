import { describe, expect, it } from '@jest/globals'
import { hkdfSha256 } from '../../src/crypto/keys.js'
import { deriveKey } from './derivedKey.js'
import { hex, published } from './vectors.js'

const DEK = hex('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f')

describe('hkdfSha256', () => {
  it.each(published.hkdfSha256)('makes $name', ({ key, salt, info, length, okm }) => {
    const made = hkdfSha256({ key: hex(key), salt: hex(salt), info: hex(info), length })
    expect(made.toString('hex')).toBe(okm)
  })
})

describe('deriveWith', () => {
  it('makes another key for each use, and never the DEK itself', () => {
    const keys = [
      DEK,
      deriveKey(DEK, 'encrypt').export(),
      deriveKey(DEK, 'index').export(),
      deriveKey(DEK, 'wrap').export(),
    ]
    expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(4)
  })

  it('is HKDF with an empty salt and the info of docs/format.md', () => {
    const info = Buffer.from('fieldseal/1 aes-256-gcm')
    const expected = hkdfSha256({ key: DEK, salt: Buffer.alloc(32), info, length: 32 })
    expect(deriveKey(DEK, 'encrypt').export()).toEqual(expected)
  })

  it('leaves the DEK to its owner, unchanged', () => {
    const bytes = Buffer.from(DEK)
    deriveKey(bytes, 'encrypt')
    expect(bytes).toEqual(DEK)
  })
})
