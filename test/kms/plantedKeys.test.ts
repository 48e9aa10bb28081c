import { randomBytes, randomUUID } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { hierarchicalKms } from 'fieldseal/hierarchical-kms'
import { localKms } from 'fieldseal/local-kms'
import { redundantKms } from 'fieldseal/redundant-kms'
import { tencentKms } from 'fieldseal/tencent-kms'
import { type MemoryKeyStore, memoryKeyStore } from 'fieldseal/testing'
import { kms as sdk } from 'tencentcloud-sdk-nodejs-kms/tencentcloud/services/kms/index.js'
import type { KeyStore } from '../../src/keys/keyStore.js'
import type { DekIdentity, Kms, WrappedDek } from '../../src/keys/kms.js'
import { type KmsOfStore, openKms } from '../../src/keys/kmsOfStore.js'
import { rewrap } from '../../src/maintenance/keys/rewrap.js'
import { refusal, refusalCode } from '../support/refusal.js'
import { north, south, twoRegions } from './regions.js'

/*
 * Whoever can write to the keys table, and encrypt under a KEK that is not the tenant's own, plants DEKs that they know.
 * The same for each `Kms`: neither does one open, nor does a rewrap put it under the right KEK.
 */

twoRegions()

const identity = (tenant = 'us-1', purpose: DekIdentity['purpose'] = 'encrypt'): DekIdentity => {
  return { key: randomUUID(), purpose, tenant }
}
const known = () => Buffer.alloc(32, 0x41)
const clientOf = (region: typeof north) => new sdk.v20190118.Client(region.clientConfig())
const tencent = (region: typeof north, keyId = region.keyId, formerKeyIds: readonly string[] = []): Kms =>
  tencentKms({ client: clientOf(region), keyId, formerKeyIds, maxRetries: 0 })
/** The same client with another KEK of the account, as somebody else may use it. */
const attackers = (region: typeof north) => tencent(region, region.keys.create({ alias: randomUUID() }).keyId)
const both = () => redundantKms({ members: { north: tencent(north), south: tencent(south) } })

async function insert(store: MemoryKeyStore, whose: DekIdentity, kms: Kms, wrapped: WrappedDek): Promise<void> {
  const row = { id: whose.key, tenant: whose.tenant, purpose: whose.purpose as 'encrypt', kms: wrapped.kms ?? kms.name }
  await store.insert({
    ...row,
    version: 1,
    state: 'active',
    messages: 0,
    wrapped: wrapped.wrapped,
    kekId: wrapped.kekId,
  })
}

/** Neither opens nor moves; the row stays as it was. */
async function expectRefused(kms: Kms | KmsOfStore, store: MemoryKeyStore, whose: DekIdentity): Promise<void> {
  const opened = openKms(kms, store)
  const row = store.rows.find(({ id }) => id === whose.key)!
  const wrapped = { wrapped: row.wrapped!, kekId: row.kekId }
  expect(await refusalCode(() => opened.unwrap(wrapped, whose))).toBe('KMS_KEY_UNUSABLE')
  expect(await refusalCode(() => opened.rewrap!(wrapped, whose))).toBe('KMS_KEY_UNUSABLE')
  const { changed, failed } = await rewrap(opened, store as KeyStore, { tenants: whose.tenant, rate: 1000 })
  expect([changed, failed.map(({ key, error }) => [key, error.code])]).toEqual([0, [[whose.key, 'KMS_KEY_UNUSABLE']]])
  expect(store.rows.find(({ id }) => id === whose.key)).toEqual(row)
}

describe('a DEK under somebody else’s KEK is refused, by reading and by rewrapping', () => {
  it('with tencentKms', async () => {
    const [store, whose, kms] = [memoryKeyStore(), identity(), tencent(north)]
    await insert(store, whose, kms, await attackers(north).wrap!(known(), whose))
    await expectRefused(kms, store, whose)
  })

  it('with localKms, whatever KEK the row claims', async () => {
    const [store, whose] = [memoryKeyStore(), identity()]
    const [kms, theirs] = [1, 2].map(() => localKms({ key: randomBytes(32).toString('base64') })) as [Kms, Kms]
    const wrapped = await theirs.wrap!(known(), whose)
    await insert(store, whose, kms, wrapped)
    await expectRefused(kms, store, whose)
    const { kekId } = await kms.generate(whose)
    expect(await refusalCode(() => kms.unwrap({ ...wrapped, kekId }, whose))).toBe('KMS_REFUSED')
    expect(await refusalCode(() => kms.rewrap!({ ...wrapped, kekId }, whose))).toBe('KMS_REFUSED')
  })

  it('with redundantKms, under another KEK of each of its members', async () => {
    const [store, whose] = [memoryKeyStore(), identity()]
    const theirs = redundantKms({ members: { north: attackers(north), south: attackers(south) } })
    await insert(store, whose, both(), await theirs.wrap!(known(), whose))
    await expectRefused(both(), store, whose)
    expect([north.calls.count('ReEncrypt'), south.calls.count('ReEncrypt')]).toEqual([0, 0])
  })

  it('with redundantKms, where one member’s text was exchanged: the other one opens, and a rewrap refuses', async () => {
    for (const [planted, region] of [
      ['north', north],
      ['south', south],
    ] as const) {
      const whose = identity()
      const { dek, ...wrapped } = await both().generate(whose)
      const theirs = await attackers(region).wrap!(known(), whose)
      const texts = { ...(JSON.parse(wrapped.wrapped.slice(5)) as object), [planted]: theirs } as Record<
        string,
        WrappedDek
      >
      const kekId = ['north', 'south'].map((name) => `${name}=${texts[name]!.kekId}`).join(' ')
      const forged = { wrapped: `fsm1.${JSON.stringify(texts)}`, kekId }
      expect(await both().unwrap(forged, whose)).toEqual(dek)
      expect(await refusalCode(() => both().rewrap!(forged, whose))).toBe('KMS_KEY_UNUSABLE')
    }
  })

  it('with redundantKms, also where a member’s own KEK wraps another DEK than the others', async () => {
    const whose = identity()
    const { dek, ...wrapped } = await both().generate(whose)
    dek.fill(0)
    const texts = JSON.parse(wrapped.wrapped.slice(5)) as Record<string, WrappedDek>
    texts.south = await tencent(south).wrap!(known(), whose)
    const forged = { wrapped: `fsm1.${JSON.stringify(texts)}`, kekId: wrapped.kekId }
    expect(await refusal(() => both().rewrap!(forged, whose))).toMatchObject({
      code: 'KMS_REFUSED',
      message: expect.stringContaining('another DEK than the other members'),
    })
  })

  it('with hierarchicalKms, that the KMS wrapped by itself', async () => {
    const [store, whose] = [memoryKeyStore(), identity()]
    await insert(store, whose, tencent(north), await attackers(north).wrap!(known(), whose))
    await expectRefused(hierarchicalKms({ kms: tencent(north) }), store, whose)
    await expectRefused(hierarchicalKms({ kms: tencent(north), group: () => null }), store, whose)
  })

  it('with hierarchicalKms over redundantKms', async () => {
    const [store, whose] = [memoryKeyStore(), identity()]
    const theirs = redundantKms({ members: { north: attackers(north), south: attackers(south) } })
    await insert(store, whose, both(), await theirs.wrap!(known(), whose))
    await expectRefused(hierarchicalKms({ kms: both() }), store, whose)
  })
})

describe('an intermediate key under somebody else’s KEK is refused', () => {
  it.each<[string, () => Kms, () => Kms]>([
    ['tencentKms', () => tencent(north), () => attackers(north)],
    ['redundantKms', both, () => redundantKms({ members: { north: attackers(north), south: attackers(south) } })],
  ])('by making, reading and rewrapping what is under it (%s)', async (_, make, makeTheirs) => {
    const [store, kms] = [memoryKeyStore(), make()]
    const own = identity('shard-0', 'wrap')
    await insert(store, own, kms, await makeTheirs().wrap!(known(), own))
    await expectRefused(hierarchicalKms({ kms, shards: 1 }), store, own)
    const hierarchy = openKms(hierarchicalKms({ kms, shards: 1 }), store)
    expect(await refusalCode(() => hierarchy.generate(identity()))).toBe('KMS_KEY_UNUSABLE')
    const under = { wrapped: `fsw1.${'A'.repeat(80)}`, kekId: own.key }
    expect(await refusalCode(() => hierarchy.unwrap(under, identity()))).toBe('KMS_KEY_UNUSABLE')
  })

  it('unless the group’s former KEK is named, from which a rewrap takes it away', async () => {
    const [store, whose] = [memoryKeyStore(), identity()]
    const old = north.keys.create({ alias: randomUUID() }).keyId
    const { dek, ...wrapped } = await openKms(hierarchicalKms({ kms: tencent(north, old) }), store).generate(whose)
    const afterwards = () => openKms(hierarchicalKms({ kms: tencent(north) }), store)
    expect(await refusalCode(() => afterwards().unwrap(wrapped, whose))).toBe('KMS_KEY_UNUSABLE')
    const moving = hierarchicalKms({ kms: tencent(north, north.keyId, [old]) })
    expect(await rewrap(openKms(moving, store), store, { rate: 1000 })).toEqual({
      changed: 1,
      unchanged: 0,
      failed: [],
    })
    expect(await afterwards().unwrap(wrapped, whose)).toEqual(dek)
  })
})
