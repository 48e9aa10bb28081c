import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { pad, unpad } from '../../src/crypto/padding.js'

describe('unpad', () => {
  it.each(['', '00', '0000', '81', '0100', '807f', '80ff00'])('refuses %j, which has no padding', (hex) => {
    expect(unpad(Buffer.from(hex, 'hex'))).toBeNull()
  })

  it('takes off what pad put on, whatever the plaintext ends with', () => {
    const tail = fc.constantFrom('', '80', '00', '8000', '0080')
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), tail, fc.integer({ min: 1, max: 70 }), (bytes, end, block) => {
        const plaintext = Buffer.concat([bytes, Buffer.from(end, 'hex')])
        expect(unpad(pad(plaintext, block))).toEqual(plaintext)
      }),
    )
  })
})

describe('pad', () => {
  it('fills up to the next multiple of the block and always adds a byte', () => {
    fc.assert(
      fc.property(fc.nat(200), fc.integer({ min: 1, max: 70 }), (length, block) => {
        const added = pad(Buffer.alloc(length), block).length - length
        expect((length + added) % block).toBe(0)
        expect(added).toBeGreaterThanOrEqual(1)
        expect(added).toBeLessThanOrEqual(block)
      }),
    )
  })
})
