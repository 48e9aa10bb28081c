import { randomBytes } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { awsKms } from 'fieldseal/aws-kms'
import type { Kms, ValueIdentity } from '../../../src/keys/kms.js'
import { encryptsValues } from '../../../src/keys/kms.js'
import { refusal } from '../../support/refusal.js'
import { start } from './emulated.js'

const here: ValueIdentity = { aad: 'digest', field: 'User.apiKey', tenant: 'acme' }

function ofValues(kms: Kms) {
  if (!encryptsValues(kms)) throw new Error(`${kms.name} encrypts no values`)
  return kms
}

describe('awsKms, values', () => {
  it('come back as they were, of every length up to 4,096 bytes, each by a request that names key and place', async () => {
    const { emulator, kms } = await start()
    const values = ofValues(kms)
    for (const length of [1, 2, 3, 4095, 4096]) {
      const value = randomBytes(length)
      const copy = Buffer.from(value)
      const text = await values.encrypt(value, here)
      expect(value).toEqual(copy)
      const opened = await values.decrypt(text, here)
      expect(opened).toEqual(value)
      expect(opened.buffer.byteLength).toBe(length)
    }
    const context = '{"aad":"digest","field":"User.apiKey","purpose":"value","tenant":"acme"}'
    expect(new Set(emulator.calls.log.map((call) => call.encryptionContext))).toEqual(new Set([context]))
    expect(new Set(emulator.calls.log.map((call) => call.keyId))).toEqual(new Set([emulator.keyId]))
  })

  it('are refused with another tenant, field or digest, changed, or as something else', async () => {
    const { emulator, kms } = await start()
    const values = ofValues(kms)
    const text = await values.encrypt(Buffer.from('top secret'), here)
    for (const change of [{ tenant: 'globex' }, { field: 'User.note' }, { aad: 'other' }]) {
      const error = await refusal(() => values.decrypt(text, { ...here, ...change }))
      expect(error).toMatchObject({
        code: 'KMS_REFUSED',
        message: expect.stringContaining('another tenant, field or row'),
      })
    }
    const sent = emulator.calls.count()
    for (const changed of ['', `${text}A`, text.slice(1), 'not base64'])
      expect(await refusal(() => values.decrypt(changed, here))).toMatchObject({ code: 'KMS_REFUSED' })
    expect(emulator.calls.count() - sent).toBeLessThanOrEqual(1)
  })

  it('under a former key open with one more request, and under a foreign one not at all', async () => {
    const { emulator, client, kms } = await start()
    const text = await ofValues(kms).encrypt(Buffer.from('value'), here)
    const keyId = emulator.keys.create().arn
    const moved = ofValues(awsKms({ client, keyId, formerKeyIds: [emulator.keyArn] }))
    emulator.calls.reset()
    expect((await moved.decrypt(text, here)).toString()).toBe('value')
    expect(emulator.calls.log.map(({ keyId: asked, result }) => [asked, result])).toEqual([
      [keyId, 'IncorrectKeyException'],
      [emulator.keyArn, 'ok'],
    ])
    expect(await refusal(() => ofValues(awsKms({ client, keyId })).decrypt(text, here))).toMatchObject({
      code: 'KMS_REFUSED',
      message: expect.stringContaining('formerKeyIds'),
    })
  })

  it('of a key that is disabled are KMS_KEY_UNUSABLE', async () => {
    const { emulator, kms } = await start()
    const values = ofValues(kms)
    const text = await values.encrypt(Buffer.from('value'), here)
    emulator.keys.setState(emulator.keyId, 'Disabled')
    expect(await refusal(() => values.decrypt(text, here))).toMatchObject({ code: 'KMS_KEY_UNUSABLE' })
    expect(await refusal(() => values.encrypt(Buffer.from('value'), here))).toMatchObject({ code: 'KMS_KEY_UNUSABLE' })
  })
})
