import { randomBytes } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { googleKms } from '../../../src/kms/google/googleKms.js'
import { refusal } from '../../support/refusal.js'
import { OTHER, OWN, start, valueIdentity } from './google.js'

describe('googleKms, values', () => {
  it('are texts that say under which key they are, and each is one call', async () => {
    const { emulator, kms } = await start()
    const text = await kms.encrypt!(Buffer.from('a certificate'), valueIdentity())
    expect(text).toMatch(/^fsgv1\.[0-9a-f]{16}\.[A-Za-z0-9+/]+=*$/)
    expect(String(await kms.decrypt!(text, valueIdentity()))).toBe('a certificate')
    expect(emulator.calls.byAction).toEqual({ Encrypt: 1, Decrypt: 1 })
    expect(emulator.calls.log[1]).toMatchObject({
      keyId: OWN,
      encryptionContext: `{"aad":"${'a'.repeat(43)}","field":"User.apiKey","purpose":"value","tenant":"acme"}`,
    })
  })

  it('are opened after a rotation, and after a move by the key that they name, which must be the tenant’s', async () => {
    const { emulator, client, kms } = await start()
    const text = await kms.encrypt!(Buffer.from('v'), valueIdentity())
    emulator.keyRings.rotate(OWN)
    expect(String(await kms.decrypt!(text, valueIdentity()))).toBe('v')
    const next = googleKms({ client, keyId: OTHER, formerKeyIds: (tenant) => (tenant === 'acme' ? [OWN] : []) })
    emulator.calls.reset()
    expect(String(await next.decrypt!(text, valueIdentity()))).toBe('v')
    expect(emulator.calls.log.map(({ keyId }) => keyId)).toEqual([OWN])
    const error = await refusal(() => next.decrypt!(text, valueIdentity('globex')))
    expect(error).toMatchObject({ code: 'KMS_KEY_UNUSABLE', message: expect.stringContaining('formerKeyIds') })
    expect(emulator.calls.count()).toBe(1)
  })

  it('fit a key of Cloud HSM with the longest encryption context', async () => {
    const { kms } = await start({}, { keys: [{ name: OWN, protectionLevel: 'HSM' }] })
    const whose = valueIdentity('t'.repeat(900))
    const value = randomBytes(4096)
    expect(await kms.decrypt!(await kms.encrypt!(Buffer.from(value), whose), whose)).toEqual(value)
  })
})
