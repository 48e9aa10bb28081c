import { randomBytes } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { type TypeormEncryptedOptions, typeormEncrypted } from 'fieldseal/former-formats'
import { EncryptionTransformer, JSONEncryptionTransformer } from 'typeorm-encrypted'
import { refusal } from '../support/refusal.js'
import { failureOf } from './failureOf.js'

const SETTINGS: TypeormEncryptedOptions[] = [
  { algorithm: 'aes-256-cbc', ivLength: 16, key: 'ab'.repeat(32) },
  { algorithm: 'aes-128-cbc', ivLength: 16, key: 'cd'.repeat(16), iv: '0f'.repeat(16) },
  { algorithm: 'aes-256-gcm', ivLength: 12, key: 'ef'.repeat(32) },
  { algorithm: 'aes-192-gcm', ivLength: 16, key: '12'.repeat(24), authTagLength: 14, iv: '1f'.repeat(16) },
]
const TEXTS = ['Ada', '', 'Ünïcödé 日本 😀', 'a'.repeat(16), 'line\nand\ttab', 'x'.repeat(50_000)]
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()

describe.each(SETTINGS)('what typeorm-encrypted has stored with $algorithm', (options) => {
  const format = typeormEncrypted(options)
  const stored = (value: string) => new EncryptionTransformer(options as never).to(value) as string

  it.each(TEXTS)('is read: %#', (value) => {
    expect(text(format.decrypt(stored(value)))).toBe(value)
  })

  it('is read of JSON, which stands in an object', () => {
    const json = new JSONEncryptionTransformer(options as never).to({ likes: ['tea', null, 1.5] })
    expect(JSON.parse(text(format.decrypt(json)))).toEqual({ likes: ['tea', null, 1.5] })
  })

  it('is found by the same ciphertext where all had one IV, and not otherwise', () => {
    if (options.iv === undefined) expect(format.search).toBeUndefined()
    else for (const value of TEXTS) expect(format.search!.formOf(value)).toBe(stored(value))
  })

  it.each(['Ada', 'ada@example.com', 'YWRh', randomBytes(33).toString('base64'), 'x'.repeat(64)])(
    'is not what plaintext is: %s',
    (value) => {
      expect(['CIPHERTEXT_INVALID', 'DECRYPTION_FAILED']).toContain(failureOf(() => format.decrypt(value)).code)
    },
  )

  it('and cut, or under another key, is an error', () => {
    const whole = Buffer.from(stored('Ada Lovelace, born in 1815'), 'base64')
    const cut = failureOf(() => format.decrypt(whole.subarray(0, whole.length - 1).toString('base64')))
    expect(cut.code).toBe(options.algorithm.endsWith('cbc') ? 'CIPHERTEXT_INVALID' : 'DECRYPTION_FAILED')
    const others = Array.from({ length: 300 }, () => randomBytes(options.key.length / 2).toString('hex'))
    for (const key of others) {
      const { code } = failureOf(() => typeormEncrypted({ ...options, key }).decrypt(stored('Ada')))
      expect(code).toBe('DECRYPTION_FAILED')
    }
  })
})

describe('a changed ciphertext of typeorm-encrypted', () => {
  const changedAt = (options: TypeormEncryptedOptions, position: number) => {
    const bytes = Buffer.from(new EncryptionTransformer(options as never).to('Ada Lovelace') as string, 'base64')
    bytes[position]! ^= 0x01
    return bytes.toString('base64')
  }

  it('is an error with GCM, wherever it was changed', () => {
    const options = SETTINGS[2]!
    for (const position of [0, 12, 28, 39]) {
      const { code } = failureOf(() => typeormEncrypted(options).decrypt(changedAt(options, position)))
      expect(code).toBe('DECRYPTION_FAILED')
    }
  })

  it('may be another text with CBC, as it was to the library, and is never anything but text', () => {
    const options = SETTINGS[0]!
    expect(text(typeormEncrypted(options).decrypt(changedAt(options, 0)))).toBe('@da Lovelace')
    const bytes = Buffer.from(changedAt(options, 0), 'base64')
    bytes[0]! ^= 0x81
    expect(failureOf(() => typeormEncrypted(options).decrypt(bytes.toString('base64'))).code).toBe('DECRYPTION_FAILED')
    bytes[0]! ^= 0x80 | 0x41
    expect(failureOf(() => typeormEncrypted(options).decrypt(bytes.toString('base64'))).code).toBe('DECRYPTION_FAILED')
  })
})

describe('options of typeormEncrypted', () => {
  const [good] = SETTINGS as [TypeormEncryptedOptions]
  it.each([
    [{ ...good, algorithm: 'aes-256-ctr' }, '"algorithm"'],
    [{ ...good, key: 'secret' }, '"key"'],
    [{ ...good, ivLength: 12 }, '"ivLength"'],
    [{ ...good, algorithm: 'aes-256-gcm', authTagLength: 4 }, '"authTagLength"'],
    [{ ...good, iv: 'abcd' }, '"iv"'],
  ])('that cannot work are refused: %#', async (options, named) => {
    const { code, message } = await refusal(() => typeormEncrypted(options))
    expect([code, message]).toEqual(['OPTIONS_INVALID', expect.stringContaining(named)])
    expect(message).not.toContain('secret')
  })
})
