import { createSecretKey } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { blindIndexes, indexPrefix } from '../../src/crypto/blindIndex.js'
import { chooseEngine } from '../../src/crypto/chooseEngine.js'
import { encode } from '../../src/crypto/codec.js'
import { hmacSha256 } from '../../src/crypto/hmac.js'
import { hex, published } from './vectors.js'

const KEY = createSecretKey(Buffer.alloc(32, 7))
const BYTES = Buffer.alloc(32, 7)
const OTHER_BYTES = Buffer.alloc(32, 8)

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

describe.each(['', 'node'])('a blind index, engine "%s"', (engine) => {
  const open = (bytes: Buffer) => chooseEngine(engine).openIndex(createSecretKey(bytes), bytes)
  const [key, otherKey] = [open(BYTES), open(OTHER_BYTES)]
  const indexOf = (
    plaintext: string | Uint8Array,
    { bits = 128, normalize = [] as readonly string[], context = 'User.email', under = key } = {},
  ) => blindIndexes(under, indexPrefix([context], { bits, normalize }), [plaintext], bits)[0]!
  const index = (value: string, context?: string, under = key) =>
    indexOf(encode('String', value), { context, under }).toString('hex')

  it('differs between fields, keys, and the kinds of a value', () => {
    const bytes = indexOf(encode('Bytes', Buffer.from('ada'))).toString('hex')
    const all = [index('ada'), index('ada', 'User.name'), index('ada', 'User.email', otherKey), bytes]
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

  it('is as long as the bits say, and no beginning of a longer one', () => {
    const all = Array.from({ length: 32 }, (_, i) => indexOf('\0ada', { bits: 8 * (i + 1) }))
    expect(all.map(({ length }) => length)).toEqual(Array.from({ length: 32 }, (_, i) => i + 1))
    // Of one byte, some are alike by chance.
    const beginnings = all.slice(3).map((index) => index.subarray(0, 4).toString('hex'))
    expect(new Set(beginnings).size).toBe(beginnings.length)
  })

  it('tells by nothing whether normalising changed a value: each list of normalisers makes indexes of its own', () => {
    const lists = [
      [],
      ['trim'],
      ['lowercase'],
      ['trim', 'lowercase'],
      ['lowercase', 'trim'],
      ['trim,lowercase'],
      ['own'],
    ]
    const all = lists.map((normalize) => indexOf('\0ada', { normalize }).toString('hex'))
    expect(new Set(all).size).toBe(lists.length)
  })

  it('is the same alone as among any number of others', () => {
    const plaintexts = Array.from({ length: 2500 }, (_, i) =>
      i % 3 === 0 ? Buffer.from(`\0value ${i}`) : `\0välue ${i}`,
    )
    const together = blindIndexes(key, indexPrefix(['User.email'], { bits: 128, normalize: [] }), plaintexts, 128)
    expect(together).toEqual(plaintexts.map((plaintext) => indexOf(plaintext)))
    expect(new Set(together.map(String)).size).toBe(plaintexts.length)
  })
})
