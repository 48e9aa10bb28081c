import { randomBytes, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { localKms } from 'fieldseal/local-kms'
import { type TencentKmsClient, tencentKms } from 'fieldseal/tencent-kms'
import { startKmsEmulator } from 'fieldseal/testing'
import { kms as sdk } from 'tencentcloud-sdk-nodejs-kms/tencentcloud/services/kms/index.js'
import type { DekIdentity, Kms } from '../../../src/keys/kms.js'
import { emulatedKms } from '../../support/clinic.js'
import { refusal, refusalCode } from '../../support/refusal.js'

const identity: DekIdentity = { key: randomUUID(), purpose: 'encrypt', tenant: 'acme' }
const other: DekIdentity = { ...identity, tenant: 'globex' }

let emulator: Awaited<ReturnType<typeof startKmsEmulator>>
beforeAll(async () => {
  emulator = await startKmsEmulator()
})
beforeEach(() => emulator.faults.clear())
afterAll(() => emulator.close())

const vendors: { readonly [name: string]: () => Kms } = {
  tencentKms: () => emulatedKms(emulator, { maxRetries: 0 }),
  localKms: () => localKms({ key: 'ab'.repeat(32) }),
}

describe.each(Object.entries(vendors))('%s, wrap and rewrap', (_, make) => {
  it('wraps a DEK that was made elsewhere, bound to its identity, and leaves its bytes alone', async () => {
    const [kms, dek] = [make(), randomBytes(32)]
    const copy = Buffer.from(dek)
    const wrapped = await kms.wrap!(dek, identity)
    expect(dek).toEqual(copy)
    expect(await kms.unwrap(wrapped, identity)).toEqual(copy)
    expect(await refusalCode(() => kms.unwrap(wrapped, other))).toBe('KMS_REFUSED')
  })

  it('gives the same text back when nothing is newer', async () => {
    const kms = make()
    const { dek, ...wrapped } = await kms.generate(identity)
    expect(await kms.rewrap!(wrapped, identity)).toEqual(wrapped)
    expect(await kms.unwrap(wrapped, identity)).toEqual(dek)
  })
})

describe('tencentKms, rewrap', () => {
  it('puts the same DEK under the newest version of the key, for the same identity only', async () => {
    const kms = vendors.tencentKms!()
    const { dek, ...wrapped } = await kms.generate(identity)
    emulator.keys.rotate(emulator.keyId)
    const next = await kms.rewrap!(wrapped, identity)
    expect(next.kekId).toBe(emulator.keyId)
    expect(next.wrapped).not.toBe(wrapped.wrapped)
    expect(await kms.unwrap(next, identity)).toEqual(dek)
    expect(await refusalCode(() => kms.rewrap!(wrapped, other))).toBe('KMS_REFUSED')
  })

  it('refuses a text of another key than its row names', async () => {
    const own = emulator.keys.create({ alias: 'own' }).keyId
    const client = new sdk.v20190118.Client(emulator.clientConfig())
    const kms = tencentKms({ client, keyId: own })
    const { dek, ...wrapped } = await vendors.tencentKms!().generate(identity)
    dek.fill(0)
    const error = await refusal(() => kms.rewrap!({ ...wrapped, kekId: own }, identity))
    expect(error).toMatchObject({ code: 'KMS_REFUSED', message: expect.stringContaining(emulator.keyId) })
  })

  it('retries as the other calls do, and gives the same errors', async () => {
    const { dek, ...wrapped } = await vendors.tencentKms!().generate(identity)
    emulator.faults.add({ kind: 'error', code: 'RequestLimitExceeded', action: 'ReEncrypt' })
    expect(await emulatedKms(emulator).rewrap!(wrapped, identity)).toEqual(wrapped)
    emulator.faults.add({ kind: 'error', code: 'UnauthorizedOperation', action: 'ReEncrypt' })
    const error = await refusal(() => emulatedKms(emulator).rewrap!(wrapped, identity))
    expect(error).toMatchObject({ code: 'KMS_DENIED', message: expect.stringContaining('kms:ReEncrypt') })
    emulator.faults.add({ kind: 'error', code: 'UnauthorizedOperation', action: 'Encrypt' })
    expect((await refusal(() => emulatedKms(emulator).wrap!(dek, identity))).message).toContain('kms:Encrypt')
  })

  it('works through a client that has methods only, and says so when one is missing', async () => {
    const real = new sdk.v20190118.Client(emulator.clientConfig())
    const bare: TencentKmsClient = {
      GenerateDataKey: (request) => real.GenerateDataKey(request),
      Decrypt: (request) => real.Decrypt(request),
    }
    const whole: TencentKmsClient = { ...bare, ReEncrypt: (request) => real.ReEncrypt(request) }
    const { dek, ...wrapped } = await vendors.tencentKms!().generate(identity)
    dek.fill(0)
    const { keyId } = emulator
    expect(await tencentKms({ client: whole, keyId }).rewrap!(wrapped, identity)).toEqual(wrapped)
    const error = await refusal(() => tencentKms({ client: bare, keyId }).rewrap!(wrapped, identity))
    expect(error).toMatchObject({ code: 'OPTIONS_INVALID', message: expect.stringContaining('ReEncrypt') })
  })
})

describe('localKms, rewrap', () => {
  it('refuses a DEK under another KEK', async () => {
    const { dek, ...wrapped } = await localKms({ key: 'cd'.repeat(32) }).generate(identity)
    dek.fill(0)
    expect(await refusalCode(() => vendors.localKms!().rewrap!(wrapped, identity))).toBe('KMS_KEY_UNUSABLE')
  })
})
