import { CryptographyClient, KeyClient } from '@azure/keyvault-keys'
import { describe, expect, it } from '@jest/globals'
import type { FieldsealError } from '../../../src/errors.js'
import type { ValueIdentity } from '../../../src/keys/kms.js'
import type { AzureClientOf } from '../../../src/kms/azure/azureClient.js'
import { refusal } from '../../support/refusal.js'
import { clientOf, identity, kmsOf, start, startEmulator } from './start.js'

const value: ValueIdentity = { aad: 'digest', field: 'User.apiKey', tenant: 'acme' }

describe('azureKms, versions', () => {
  it('unwraps under the version of the row, wraps under the newest, and rewraps from one to the other', async () => {
    const { emulator, kms } = await start()
    const whose = identity()
    const { dek, ...old } = await kms.generate(whose)
    expect(await kms.rewrap!(old, whose)).toBe(old)
    emulator.keys.rotate('fieldseal')
    expect(await kms.unwrap(old, whose)).toEqual(dek)
    const moved = await kms.rewrap!(old, whose)
    expect(moved.kekId).toBe(`${emulator.keyId}/${emulator.keys.version('fieldseal').version}`)
    expect(moved.kekId).not.toBe(old.kekId)
    for (const each of [old, moved]) expect(await kms.unwrap(each, whose)).toEqual(dek)
    emulator.keys.update('fieldseal', { enabled: false }, old.kekId.slice(-32))
    expect(await kms.unwrap(moved, whose)).toEqual(dek)
    expect((await refusal(() => kms.unwrap(old, whose))).code).toBe('KMS_KEY_UNUSABLE')
  })

  it('knows the newest version also with an SDK that remembers an older one', async () => {
    const emulator = await startEmulator()
    const client: AzureClientOf = (key) => new CryptographyClient(key.id, emulator.credential, emulator.clientOptions())
    const kms = kmsOf(emulator, { client })
    const whose = identity()
    const first = await kms.generate(whose)
    emulator.keys.rotate('fieldseal')
    const second = await kms.generate(whose)
    expect(second.kekId).not.toBe(first.kekId)
    expect(await kms.unwrap(second, whose)).toEqual(second.dek)
    expect(emulator.calls.count('getKey')).toBeGreaterThan(0)
  })

  it('unwraps under a version that is not valid yet or has expired, and makes no DEK under it', async () => {
    let now = Date.now()
    const { emulator, kms } = await start({}, { now: () => now })
    const whose = identity()
    const { dek, ...wrapped } = await kms.generate(whose)
    const refused = async (why: string) => {
      expect(await kms.unwrap(wrapped, whose)).toEqual(dek)
      const error = await refusal(() => kms.generate(whose))
      expect([error.code, error.message]).toEqual(['KMS_KEY_UNUSABLE', expect.stringContaining(why)])
    }
    const second = Math.floor(now / 1000)
    emulator.keys.update('fieldseal', { notBefore: second + 10, expires: second + 20 })
    await refused('KeyNotYetValid')
    now += 15_000
    expect((await kms.generate(whose)).dek).toHaveLength(32)
    now += 10_000
    await refused('KeyExpired')
  })

  it('makes a client anew that remembers dates which were corrected', async () => {
    const emulator = await startEmulator({ keys: [{ name: 'fieldseal', expires: 1 }] })
    const client: AzureClientOf = (key) => new CryptographyClient(key.id, emulator.credential, emulator.clientOptions())
    const kms = kmsOf(emulator, { client })
    const error = await refusal(() => kms.generate(identity()))
    expect([error.code, error.message]).toEqual(['KMS_KEY_UNUSABLE', expect.stringContaining('the key has expired')])
    emulator.keys.update('fieldseal', { expires: undefined })
    expect((await kms.generate(identity())).dek).toHaveLength(32)
  })

  it('does not believe a row that names a version which its text does not', async () => {
    const { emulator, kms } = await start()
    const whose = identity()
    const first = await kms.generate(whose)
    emulator.keys.rotate('fieldseal')
    const second = await kms.generate(whose)
    emulator.calls.reset()
    const mixed = { wrapped: first.wrapped, kekId: second.kekId }
    expect((await refusal(() => kms.unwrap(mixed, whose))).code).toBe('KMS_REFUSED')
    expect((await refusal(() => kms.unwrap({ ...mixed, kekId: emulator.keyId }, whose))).code).toBe('KMS_REFUSED')
    expect(emulator.calls.count()).toBe(0)
  })
})

describe('azureKms, keys of tenants', () => {
  async function ofTenants() {
    const emulator = await startEmulator({ keys: [{ name: 'ours' }, { name: 'acme' }, { name: 'globex' }] })
    const keyId = (tenant: string) => emulator.idOf(tenant === 'acme' || tenant === 'globex' ? tenant : 'ours')
    return { emulator, kms: kmsOf(emulator, { keyId }) }
  }

  it('sends no request for a DEK under another tenant’s key', async () => {
    const { emulator, kms } = await ofTenants()
    const whose = identity('acme')
    const planted = await kmsOf(emulator, { keyId: emulator.idOf('globex') }).wrap!(Buffer.alloc(32, 0x41), whose)
    emulator.calls.reset()
    for (const work of [() => kms.unwrap(planted, whose), () => kms.rewrap!(planted, whose)]) {
      const error = await refusal(work)
      expect([error.code, error.message]).toEqual([
        'KMS_KEY_UNUSABLE',
        expect.stringContaining('does not name for tenant'),
      ])
    }
    expect(emulator.calls.count()).toBe(0)
  })

  it('lets a customer’s disabled key stop that customer only', async () => {
    const { emulator, kms } = await ofTenants()
    const made = await Promise.all(
      ['acme', 'globex', 'other'].map(async (tenant) => ({ tenant, ...(await of(tenant)) })),
    )
    async function of(tenant: string) {
      const whose = identity(tenant)
      return { whose, wrapped: await kms.generate(whose) }
    }
    emulator.keys.update('acme', { enabled: false })
    for (const { tenant, whose, wrapped } of made) {
      const opened = await kms.unwrap(wrapped, whose).catch((error: FieldsealError) => error.code)
      expect(opened).toEqual(tenant === 'acme' ? 'KMS_KEY_UNUSABLE' : wrapped.dek)
    }
  })

  it('moves a DEK and a value to another key, with the former one named', async () => {
    const { emulator, kms: old } = await ofTenants()
    const whose = identity('acme')
    const { dek, ...wrapped } = await old.generate(whose)
    const text = await old.encrypt(Buffer.from('secret'), value)
    const kms = kmsOf(emulator, { keyId: emulator.idOf('ours'), formerKeyIds: [emulator.idOf('acme')] })
    const moved = await kms.rewrap!(wrapped, whose)
    expect(moved.kekId.startsWith(`${emulator.idOf('ours')}/`)).toBe(true)
    expect(await kmsOf(emulator, { keyId: emulator.idOf('ours') }).unwrap(moved, whose)).toEqual(dek)
    expect(await kms.decrypt(text, value)).toEqual(Buffer.from('secret'))
    const error = await refusal(() => kmsOf(emulator, { keyId: emulator.idOf('ours') }).decrypt(text, value))
    expect([error.code, error.message]).toEqual(['KMS_REFUSED', expect.stringContaining('formerKeyIds')])
  })
})

describe('azureKms, beside what operators do with the SDK', () => {
  it('goes on with a key that is made, rotated, deleted and recovered', async () => {
    const { emulator } = await start()
    const operators = new KeyClient(emulator.url, emulator.credential, emulator.clientOptions())
    const { id } = await operators.createKey('later', 'oct-HSM', { keySize: 256 })
    const kms = kmsOf(emulator, { keyId: id!.slice(0, id!.lastIndexOf('/')) })
    const whose = identity()
    const { dek, ...wrapped } = await kms.generate(whose)
    expect(wrapped.kekId).toBe(id)
    const { id: rotated } = await operators.rotateKey('later')
    expect((await kms.rewrap!(wrapped, whose)).kekId).toBe(rotated)
    await (await operators.beginDeleteKey('later', { intervalInMs: 10 })).pollUntilDone()
    const error = await refusal(() => kms.unwrap(wrapped, whose))
    expect([error.code, error.message]).toEqual(['KMS_KEY_UNUSABLE', expect.stringContaining('recover')])
    await (await operators.beginRecoverDeletedKey('later', { intervalInMs: 10 })).pollUntilDone()
    expect(await kms.unwrap(wrapped, whose)).toEqual(dek)
  })

  it('takes tokens from a credential of its own', async () => {
    const emulator = await startEmulator({ principals: [{ id: 'operator' }, { id: 'app', operations: ['encrypt'] }] })
    const kms = kmsOf(emulator, { client: clientOf(emulator, emulator.credentialOf({ principal: 'app' })) })
    const whose = identity()
    const made = await kms.generate(whose)
    expect((await refusal(() => kms.unwrap(made, whose))).code).toBe('KMS_DENIED')
  })
})
