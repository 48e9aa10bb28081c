import { describe, expect, it } from '@jest/globals'
import { encryptionContext } from '../../src/keys/encryptionContext.js'

const key = '0f8fad5b-d9cb-469f-a165-70867728950e'
const around = encryptionContext({ key, purpose: 'encrypt', tenant: '' }).length

describe('encryptionContext', () => {
  it('refuses a tenant id that makes it one byte too long, and names the length', () => {
    const tenant = 'x'.repeat(1024 - around + 1)
    expect(() => encryptionContext({ key, purpose: 'encrypt', tenant })).toThrow(
      expect.objectContaining({
        code: 'TENANT_INVALID',
        message: expect.stringMatching(/1025 bytes .* accepts 1024\. Shorten the id by 1 bytes/),
      }),
    )
  })

  it('counts UTF-8 bytes, not characters', () => {
    const tenant = '租'.repeat(400)
    expect(() => encryptionContext({ key, purpose: 'encrypt', tenant })).toThrow(`takes ${around + 1200} bytes`)
  })

  it('does not repeat an over-long tenant id in the message', () => {
    expect(() => encryptionContext({ key, purpose: 'encrypt', tenant: 'y'.repeat(5000) })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('y'.repeat(40)) }),
    )
  })

  it('takes a tenant id that fills it to the last byte', () => {
    const tenant = 'x'.repeat(1024 - around)
    expect(Buffer.byteLength(encryptionContext({ key, purpose: 'encrypt', tenant }))).toBe(1024)
  })

  it('is canonical JSON: sorted keys and no blanks, whatever the order they come in', () => {
    const text = `{"key":"${key}","purpose":"index","tenant":"acme \\"1\\" 租"}`
    expect(encryptionContext({ tenant: 'acme "1" 租', purpose: 'index', key })).toBe(text)
  })

  it('takes nothing but key, purpose and tenant from a larger object', () => {
    const identity = { key, purpose: 'encrypt', tenant: 'acme', version: 3 } as const
    expect(JSON.parse(encryptionContext(identity))).toEqual({ key, purpose: 'encrypt', tenant: 'acme' })
  })
})
