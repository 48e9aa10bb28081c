import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, it } from '@jest/globals'
import { FieldsealError } from 'fieldseal'
import { type TencentKmsOptions, tencentKms } from 'fieldseal/tencent-kms'
import { kms as sdk } from 'tencentcloud-sdk-nodejs-kms/tencentcloud/services/kms/index.js'
import { encryptionContext } from '../../../src/keys/encryptionContext.js'
import type { DekIdentity, WrappedDek } from '../../../src/keys/kms.js'
import { refusal, refusalCode } from '../../support/refusal.js'
import { north, twoRegions } from '../regions.js'

twoRegions()

let client: InstanceType<typeof sdk.v20190118.Client>
let [own, other, former] = ['', '', '']
beforeAll(() => {
  client = new sdk.v20190118.Client(north.clientConfig())
  own = north.keyId
  ;[other, former] = ['other', 'former'].map((alias) => north.keys.create({ alias }).keyId) as [string, string]
})

const of = (options: Partial<TencentKmsOptions> = {}) => tencentKms({ client, keyId: own, maxRetries: 0, ...options })
const identity = (tenant = 'acme', purpose: DekIdentity['purpose'] = 'encrypt'): DekIdentity => {
  return { key: randomUUID(), purpose, tenant }
}

/** A DEK that somebody knows who may use any KEK of the account, for the very identity that it is to have. */
async function planted(kekId: string, whose: DekIdentity): Promise<WrappedDek> {
  const request = { KeyId: kekId, Plaintext: Buffer.alloc(32, 0x41).toString('base64') }
  const { CiphertextBlob } = await client.Encrypt({ ...request, EncryptionContext: encryptionContext(whose) })
  north.calls.reset()
  return { wrapped: CiphertextBlob!, kekId }
}

describe('tencentKms, a DEK under a KEK that is not the tenant’s', () => {
  it.each(['encrypt', 'index', 'wrap', 'check'] as const)(
    'is neither unwrapped nor rewrapped, and no request is sent (%s)',
    async (purpose) => {
      const whose = identity('acme', purpose)
      const wrapped = await planted(other, whose)
      for (const call of [() => of().unwrap(wrapped, whose), () => of().rewrap!(wrapped, whose)]) {
        const error = await refusal(call)
        expect(error.code).toBe('KMS_KEY_UNUSABLE')
        for (const part of [other, whose.key, '"acme"', '"formerKeyIds"', 'backup'])
          expect(error.message).toContain(part)
      }
      expect(north.calls.count()).toBe(0)
    },
  )

  it('is refused as well when its row claims the tenant’s own KEK', async () => {
    const whose = identity()
    const wrapped = { ...(await planted(other, whose)), kekId: own }
    for (const call of [() => of().unwrap(wrapped, whose), () => of().rewrap!(wrapped, whose)]) {
      expect(await refusal(call)).toMatchObject({ code: 'KMS_REFUSED', message: expect.stringContaining(other) })
    }
  })

  it('is refused as well when its row claims a former KEK of the tenant', async () => {
    const whose = identity()
    const wrapped = { ...(await planted(other, whose)), kekId: former }
    const kms = of({ formerKeyIds: [former] })
    expect(await refusalCode(() => kms.unwrap(wrapped, whose))).toBe('KMS_REFUSED')
    expect(await refusalCode(() => kms.rewrap!(wrapped, whose))).toBe('KMS_REFUSED')
  })

  it('is refused for one tenant where it is right for another', async () => {
    const kms = of({ keyId: (tenant) => (tenant === 'globex' ? other : own) })
    const [acme, globex] = [identity('acme'), identity('globex')]
    expect(await refusalCode(async () => kms.unwrap(await planted(other, acme), acme))).toBe('KMS_KEY_UNUSABLE')
    expect(await refusalCode(async () => kms.unwrap(await planted(own, globex), globex))).toBe('KMS_KEY_UNUSABLE')
    expect(await kms.unwrap(await planted(other, globex), globex)).toHaveLength(32)
  })
})

describe('tencentKms, formerKeyIds', () => {
  it('open what was wrapped before keyId changed, until they are taken out', async () => {
    const whose = identity()
    const { dek, ...wrapped } = await of({ keyId: former }).generate(whose)
    expect(await of({ formerKeyIds: [former] }).unwrap(wrapped, whose)).toEqual(dek)
    expect(await refusalCode(() => of().unwrap(wrapped, whose))).toBe('KMS_KEY_UNUSABLE')
    const moved = await of({ formerKeyIds: [former] }).rewrap!(wrapped, whose)
    expect(moved.kekId).toBe(own)
    expect(await of().unwrap(moved, whose)).toEqual(dek)
  })

  it('may be a function of the tenant, sync or async, so that one tenant’s are not another’s', async () => {
    const formerOf = { acme: [former], globex: [] } as { readonly [tenant: string]: readonly string[] }
    for (const formerKeyIds of [(tenant: string) => formerOf[tenant]!, async (tenant: string) => formerOf[tenant]!]) {
      const kms = of({ formerKeyIds })
      const [acme, globex] = [identity('acme'), identity('globex')]
      expect(await kms.unwrap(await planted(former, acme), acme)).toHaveLength(32)
      expect(await refusalCode(async () => kms.unwrap(await planted(former, globex), globex))).toBe('KMS_KEY_UNUSABLE')
    }
  })

  it('name the KEKs of values with the same meaning', async () => {
    const here = { aad: 'digest', field: 'User.apiKey', tenant: 'acme' }
    const text = await of({ keyId: former }).encrypt!(Buffer.from('x'), here)
    const formerKeyIds = (tenant: string) => (tenant === 'acme' ? [former] : [])
    expect(await of({ formerKeyIds }).decrypt!(text, here)).toEqual(Buffer.from('x'))
    expect(await refusalCode(() => of({ formerKeyIds: () => [] }).decrypt!(text, here))).toBe('KMS_REFUSED')
    expect(await refusalCode(() => of().decrypt!(text, here))).toBe('KMS_REFUSED')
  })

  it.each<[string, () => readonly string[] | Promise<readonly string[]>, string]>([
    ['gives no list', () => 'key' as never, 'gave no list of key ids'],
    ['gives what is no key id', () => ['two words'], 'gave no list of key ids'],
    ['throws', () => Promise.reject(new Error('no such tenant')), 'failed'],
  ])('say so when their function %s, naming the tenant', async (_, formerKeyIds, why) => {
    const whose = identity()
    expect(await refusal(() => of({ formerKeyIds }).unwrap({ wrapped: 'blob', kekId: former }, whose))).toMatchObject({
      code: 'KMS_KEY_UNUSABLE',
      message: expect.stringMatching(`^The formerKeyIds function of tencentKms ${why} for tenant "acme"`),
    })
  })
})

describe('tencentKms, functions of the tenant', () => {
  it('may say with an error of this library that what they ask is down', async () => {
    const keyId = () => Promise.reject(new FieldsealError('KMS_UNAVAILABLE', 'the registry of tenants is down'))
    const whose = identity()
    for (const call of [
      () => of({ keyId }).generate(whose),
      () => of({ keyId }).unwrap({ wrapped: 'blob', kekId: own }, whose),
    ]) {
      expect(await refusal(call)).toMatchObject({ code: 'KMS_UNAVAILABLE', message: 'the registry of tenants is down' })
    }
  })

  it('are asked with "*" for keys that serve all tenants', async () => {
    const asked: string[] = []
    const keyId = (tenant: string) => {
      asked.push(tenant)
      return tenant === '*' ? own : other
    }
    const kms = of({ keyId })
    const whose = identity('*', 'index')
    const { dek, ...wrapped } = await kms.generate(whose)
    expect(await kms.unwrap(wrapped, whose)).toEqual(dek)
    expect([wrapped.kekId, asked]).toEqual([own, ['*', '*']])
  })
})
