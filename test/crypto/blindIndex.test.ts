import { createSecretKey } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { blindIndex, hmacSha256 } from '../../src/crypto/blindIndex.js'
import { encode } from '../../src/crypto/codec.js'
import { hex, published } from './vectors.js'

const KEY = createSecretKey(Buffer.alloc(32, 7))
const OTHER_KEY = createSecretKey(Buffer.alloc(32, 8))
const index = (value: string, context = 'User.email', key = KEY) => {
  return blindIndex(key, context, encode('String', value), 128).toString('hex')
}

describe('hmacSha256', () => {
  it.each(published.hmacSha256)('makes $name', ({ key, data, mac }) => {
    expect(
      hmacSha256(createSecretKey(hex(key)), hex(data))
        .toString('hex')
        .slice(0, mac.length),
    ).toBe(mac)
  })

  it('makes the same of the parts as of the whole', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
        expect(hmacSha256(KEY, a, b)).toEqual(hmacSha256(KEY, Buffer.concat([a, b])))
      }),
    )
  })
})

describe('blindIndex', () => {
  it('differs between fields, keys, and the kinds of a value', () => {
    const bytes = blindIndex(KEY, 'User.email', encode('Bytes', Buffer.from('ada')), 128).toString('hex')
    const all = [index('ada'), index('ada', 'User.name'), index('ada', 'User.email', OTHER_KEY), bytes]
    expect(new Set(all).size).toBe(4)
  })

  it('is not misled by a value that continues the context', () => {
    expect(index('x', 'User.emai')).not.toBe(index('x', 'User.email'))
    expect(index('lx', 'User.emai')).not.toBe(index('x', 'User.email'))
  })

  it('is equal exactly when the values are', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
        expect(index(a)).toBe(index(a))
        expect(index(a) === index(b)).toBe(a === b)
      }),
    )
  })

  it('is as long as the bits say, each a beginning of the longer', () => {
    const full = blindIndex(KEY, 'User.email', '\0ada', 256)
    for (let bits = 8; bits <= 256; bits += 8) {
      expect(blindIndex(KEY, 'User.email', '\0ada', bits)).toEqual(full.subarray(0, bits / 8))
    }
  })
})
