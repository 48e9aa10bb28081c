import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type Ciphertext, headerOfHead, headOf, sealedPart } from '../../src/crypto/ciphertext.js'
import type { ValueKind } from '../../src/crypto/codec.js'
import { fail } from '../support/fail.js'
import { open, type Place, seal } from './sealing.js'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const uuid = fc.uuid().map((id) => id.toLowerCase())
const text = fc.string({ unit: 'binary', maxLength: 40 })
const place = fc.record({
  dek: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  dekId: uuid,
  tenant: text,
  context: text,
  bound: fc.array(text, { maxLength: 3 }),
})
const padTo = fc.option(fc.integer({ min: 1, max: 64 }), { nil: undefined })
const value = fc.oneof(
  fc.record({ kind: fc.constant<ValueKind>('String'), value: text as fc.Arbitrary<unknown> }),
  fc.record({ kind: fc.constant<ValueKind>('Bytes'), value: fc.uint8Array() as fc.Arbitrary<unknown> }),
  fc.record({ kind: fc.constant<ValueKind>('Json'), value: fc.jsonValue().map((v) => JSON.parse(JSON.stringify(v))) }),
)

const HERE: Place = {
  dek: Buffer.alloc(32, 1),
  dekId: '0f8fad5b-d9cb-469f-a165-70867728950e',
  tenant: 'acme',
  context: 'User.email',
  bound: ['row 1'],
  kind: 'String',
}
const stored = seal({ ...HERE, value: 'Ada' }) as string
const storedRaw = seal({ ...HERE, kind: 'Bytes', value: Buffer.from('Ada') }) as Uint8Array

describe('a ciphertext', () => {
  it('gives its value again wherever it belongs', () => {
    fc.assert(
      fc.property(place, value, padTo, (where, what, block) => {
        const made = seal({ ...where, ...what, padTo: block })
        expect(open({ ...where, kind: what.kind }, made)).toEqual({ value: what.value })
      }),
    )
  })

  it.each<[string, Partial<Place>]>([
    ['under another DEK', { dek: Buffer.alloc(32, 2) }],
    ['for another tenant', { tenant: 'Acme' }],
    ['in another field', { context: 'User.name' }],
    ['in another row', { bound: ['row 2'] }],
    ['without its bound value', { bound: [] }],
    ['with one bound value more', { bound: ['row 1', ''] }],
  ])('does not open %s', (_, other) => {
    expect(open(HERE, stored)).toEqual({ value: 'Ada' })
    expect(open({ ...HERE, ...other }, stored)).toBe('DECRYPTION_FAILED')
  })

  it('does not open as another type of field', () => {
    expect(open({ ...HERE, kind: 'Json' }, stored)).toBe('CIPHERTEXT_INVALID')
    expect(open({ ...HERE, kind: 'String' }, storedRaw)).toBe('CIPHERTEXT_INVALID')
  })

  it('does not open with any single bit flipped: each part has its own answer', () => {
    const answer = (bit: number) => {
      if (bit < 32) return 'CIPHERTEXT_INVALID' // prefix
      if (bit < 40) return 'CIPHERTEXT_INVALID' // suite
      if (bit < 48) return bit === 40 ? 'DECRYPTION_FAILED' : 'CIPHERTEXT_INVALID' // flags
      return bit < 176 ? 'KEY_NOT_FOUND' : 'DECRYPTION_FAILED'
    }
    for (let bit = 0; bit < storedRaw.length * 8; bit++) {
      const changed = Uint8Array.from(storedRaw)
      changed[bit >> 3]! ^= 1 << (bit & 7)
      expect([bit, open({ ...HERE, kind: 'Bytes' }, changed)]).toEqual([bit, answer(bit)])
    }
  })

  it('does not open with any single character of the text form changed', () => {
    for (let at = 0; at < stored.length; at++) {
      for (const character of [...ALPHABET, '=', '.', ' ', 'é']) {
        if (character === stored[at]) continue
        const opened = open(HERE, stored.slice(0, at) + character + stored.slice(at + 1))
        if (typeof opened !== 'string') fail(`"${character}" at ${at}`)
      }
    }
  })

  it('does not open when it is cut off at any length, or continued', () => {
    for (let length = 0; length < stored.length; length++) {
      expect(['CIPHERTEXT_INVALID', 'DECRYPTION_FAILED']).toContain(open(HERE, stored.slice(0, length)))
    }
    for (let length = 0; length < storedRaw.length; length++) {
      const opened = open({ ...HERE, kind: 'Bytes' }, storedRaw.subarray(0, length))
      expect(['CIPHERTEXT_INVALID', 'DECRYPTION_FAILED']).toContain(opened)
    }
    for (const more of ['A', 'AA', 'AAA', 'AAAA', '=', '==', '\n', ' ']) {
      expect(typeof open(HERE, stored + more)).toBe('string')
    }
  })

  it('is not taken for one that needs no key when it is too short to hold a value', () => {
    const shortest = seal({ ...HERE, value: '' }) as string
    expect(sealedPart(shortest)?.length).toBe(29)
    expect(open(HERE, shortest)).toEqual({ value: '' })
    expect(sealedPart(shortest.slice(0, -1))).toBeNull()
    const shortestRaw = seal({ ...HERE, kind: 'Bytes', value: Buffer.alloc(0) }) as Uint8Array
    expect(sealedPart(shortestRaw.subarray(0, -1))).toBeNull()
  })
})

describe('headOf', () => {
  it.each([undefined, null, 0, true, '', 'Ada', 'fs1', 'FS1.AAAA', ' fs1.', 'fs2.AAAA', {}, [], Buffer.from('Ada')])(
    'finds none in %j',
    (other) => {
      expect(headOf(other)).toBeNull()
    },
  )

  it('is the same 28 characters for the text and the raw form', () => {
    expect(headOf(stored)).toBe(stored.slice(0, 28))
    expect(headOf(storedRaw)).toBe(stored.slice(0, 28))
    expect(headerOfHead(headOf(stored)!)).toEqual({ suite: 1, flags: 0, dekId: HERE.dekId })
  })

  it('reads raw bytes in the middle of a larger buffer, and leaves them as they are', () => {
    const larger = Buffer.concat([Buffer.alloc(5, 0xff), storedRaw, Buffer.alloc(5, 0xff)])
    const view: Ciphertext = larger.subarray(5, 5 + storedRaw.length)
    expect(open({ ...HERE, kind: 'Bytes' }, view)).toEqual({ value: new Uint8Array(Buffer.from('Ada')) })
    expect(larger.subarray(5, 5 + storedRaw.length).equals(storedRaw)).toBe(true)
  })
})
