import { randomBytes, randomUUID } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import { aadOf } from '../../src/crypto/aad.js'
import { decodeHeader } from '../../src/crypto/header.js'
import { Dek } from '../../src/keys/dek.js'
import type { KeptIdentity } from '../../src/keys/kms.js'
import { deriveKey } from '../crypto/derivedKey.js'
import { formsIn } from './secretForms.js'

const EMAIL = { context: 'User.email', kind: 'String', column: 'String' } as const

function identityOf(purpose: KeptIdentity['purpose'] = 'encrypt'): KeptIdentity {
  return { key: randomUUID(), purpose, tenant: 'acme' }
}

describe('Dek', () => {
  it.each([0, 16, 31, 33, 64])('refuses %i bytes, names the DEK and zeroes them', (length) => {
    const bytes = randomBytes(length)
    const identity = identityOf()
    const error = expect.objectContaining({ code: 'KEY_INVALID', message: expect.stringContaining(identity.key) })
    expect(() => new Dek(identity, bytes)).toThrow(error)
    expect(bytes.every((byte) => byte === 0)).toBe(true)
  })

  it('zeroes the bytes also when the id is none', () => {
    const bytes = randomBytes(32)
    expect(() => new Dek({ ...identityOf(), key: 'not an id' }, bytes)).toThrow('a DEK id must be')
    expect(bytes.every((byte) => byte === 0)).toBe(true)
  })

  it('zeroes the bytes it was made of, and keeps the key derived for its purpose', () => {
    for (const purpose of ['encrypt', 'index'] as const) {
      const bytes = randomBytes(32)
      const derived = deriveKey(bytes, purpose)
      const dek = new Dek(identityOf(purpose), bytes)
      expect(dek.key.equals(derived)).toBe(true)
      expect(bytes.every((byte) => byte === 0)).toBe(true)
    }
  })

  it.each([
    ['encrypt', ['values']],
    ['index', ['indexes']],
    ['wrap', []],
  ] as const)('has for %s only what works for that', (purpose, parts) => {
    const dek = new Dek(identityOf(purpose), randomBytes(32))
    expect((['values', 'indexes'] as const).filter((part) => dek[part] !== undefined)).toEqual(parts)
  })

  it('shows neither the DEK nor the derived key to inspect, JSON or String', () => {
    const bytes = randomBytes(32)
    const secrets = [Buffer.from(bytes), deriveKey(bytes, 'encrypt').export()]
    const dek = new Dek(identityOf(), bytes)
    dek.place(EMAIL, false)
    const deeply = inspect(dek, { showHidden: true, depth: null, maxArrayLength: null, getters: true })
    const shown = [inspect(dek), deeply, JSON.stringify(dek), String(dek), JSON.stringify(dek.key)].join('\n')
    for (const secret of secrets) expect(formsIn(shown, secret)).toEqual([])
    expect(formsIn(`${shown}${secrets[0]!.toString('base64')}`, secrets[0]!)).toContain('base64')
  })

  it('has the header and the AAD of its ciphertexts, made once for fields that are alike', () => {
    const identity = identityOf()
    const dek = new Dek(identity, randomBytes(32))
    for (const flags of [0, 1]) {
      const place = dek.place(EMAIL, flags === 1)
      expect(decodeHeader(place.header)).toEqual({ suite: 1, flags, dekId: identity.key })
      expect(place.aad).toEqual(aadOf(place.header, 'acme', 'User.email'))
      expect(dek.place({ ...EMAIL }, flags === 1)).toBe(place)
      expect(dek.place({ ...EMAIL, context: 'User.name' }, flags === 1).aad).not.toEqual(place.aad)
      const bytes = dek.place({ ...EMAIL, kind: 'Bytes', column: 'Bytes' }, flags === 1)
      expect([bytes.form, bytes.codec, bytes.aad]).toEqual(['raw', undefined, place.aad])
      expect(dek.place(EMAIL, flags === 1)).toBe(place)
    }
  })
})
