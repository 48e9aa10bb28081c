import { randomBytes, randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, it } from '@jest/globals'
import { type HierarchicalKmsOptions, hierarchicalKms } from 'fieldseal/hierarchical-kms'
import { localKms } from 'fieldseal/local-kms'
import { type MemoryKeyStore, memoryKeyStore } from 'fieldseal/testing'
import type { DekIdentity, Kms, WrappedDek } from '../../../src/keys/kms.js'
import { checkedOptions } from '../../../src/kms/hierarchical/hierarchicalOptions.js'
import { IntermediateKeys } from '../../../src/kms/hierarchical/intermediateKeys.js'
import { rewrap } from '../../../src/maintenance/keys/rewrap.js'
import { watchedKms } from '../../keys/watchedKms.js'
import { fail } from '../../support/fail.js'
import { refusal, refusalCode } from '../../support/refusal.js'

/* Each group of tenants has an intermediate key of its own, and no other group's opens its DEKs. */

let store: MemoryKeyStore
let local: Kms
let inner: ReturnType<typeof watchedKms>
beforeEach(() => {
  store = memoryKeyStore()
  local = localKms({ key: randomBytes(32).toString('base64') })
  inner = watchedKms(local)
})

const regionOf = (tenant: string) => tenant.split('-')[0]!
const open = (options: Partial<HierarchicalKmsOptions> = { group: regionOf }): Kms =>
  hierarchicalKms({ kms: inner, ...options })(store)
const identity = (tenant: string, purpose: DekIdentity['purpose'] = 'encrypt'): DekIdentity => {
  return { key: randomUUID(), purpose, tenant }
}

/** What somebody makes who has the intermediate key of the group `eu`, for anybody: as if anybody belonged to it. */
const planted = (whose: DekIdentity, group = 'eu'): Promise<WrappedDek> =>
  open({ group: () => group }).wrap!(Buffer.alloc(32, 0x41), whose)

async function insert(
  whose: DekIdentity,
  { wrapped, kekId, kms = 'hierarchy' }: WrappedDek,
  version = 1,
): Promise<void> {
  const row = { id: whose.key, tenant: whose.tenant, purpose: whose.purpose as 'encrypt', wrapped, kekId, kms }
  await store.insert({ ...row, version, state: 'active', messages: 0 })
}

describe('an intermediate key of one group', () => {
  it.each(['encrypt', 'index'] as const)(
    'opens no DEK of a tenant of another, is not even unwrapped for it, and no rewrap takes such a DEK over (%s)',
    async (purpose) => {
      const whose = identity('us-1', purpose)
      const wrapped = await planted(whose)
      await insert(whose, wrapped)
      inner.unwrapped.length = 0
      const kms = open()
      const error = await refusal(() => kms.unwrap(wrapped, whose))
      expect(error.code).toBe('KMS_KEY_UNUSABLE')
      for (const part of [whose.key, wrapped.kekId, '"us-1"', '"formerGroups"', 'backup']) {
        expect(error.message).toContain(part)
      }
      expect(await refusalCode(() => kms.rewrap!(wrapped, whose))).toBe('KMS_KEY_UNUSABLE')
      const report = await rewrap(kms, store, { tenants: 'us-1', rate: 1000 })
      expect([report.changed, report.failed.map(({ error }) => error.code)]).toEqual([0, ['KMS_KEY_UNUSABLE']])
      expect(inner.unwrapped).toEqual([])
    },
  )

  it('opens none of another either when it is in memory already', async () => {
    const [mine, theirs] = [identity('eu-1'), identity('us-1')]
    const kms = open()
    const own = await kms.generate(mine)
    const wrapped = await planted(theirs)
    expect(await kms.unwrap(own, mine)).toEqual(own.dek)
    expect(await refusalCode(() => kms.unwrap(wrapped, theirs))).toBe('KMS_KEY_UNUSABLE')
  })

  it('opens none of a tenant without a group, whose DEKs the KMS itself wraps', async () => {
    const whose = identity('own')
    const wrapped = await planted(whose)
    const kms = open({ group: (tenant) => (tenant === 'own' ? null : regionOf(tenant)) })
    expect(await refusalCode(() => kms.unwrap(wrapped, whose))).toBe('KMS_KEY_UNUSABLE')
    expect(await refusalCode(() => kms.rewrap!(wrapped, whose))).toBe('KMS_KEY_UNUSABLE')
  })

  it('opens none of the tenant "*", whose keys serve all, unless that is its group', async () => {
    const whose = identity('*', 'index')
    const wrapped = await planted(whose)
    expect(await refusalCode(() => open().unwrap(wrapped, whose))).toBe('KMS_KEY_UNUSABLE')
    expect(await open({ group: () => 'eu' }).unwrap(wrapped, whose)).toHaveLength(32)
  })

  it('wraps no other intermediate key: a rewrap would put it under the KMS, as if that had made it', async () => {
    const hierarchy = hierarchicalKms({ kms: local, shards: 1 })(store)
    const forged = identity('shard-0', 'wrap')
    const holder = new IntermediateKeys(checkedOptions({ kms: local, shards: 1 }), store)
    const under = await holder.wrap('shard-0', Buffer.alloc(32, 0x41), forged)
    await insert(forged, under, 2)
    for (const call of [hierarchy.unwrap, hierarchy.rewrap!]) {
      expect(await refusalCode(() => call(under, forged))).toBe('KMS_REFUSED')
    }
    const { changed, failed } = await rewrap(hierarchy, store, { rate: 1000 })
    expect([changed, failed.map(({ key, error }) => [key, error.code])]).toEqual([0, [[forged.key, 'KMS_REFUSED']]])
  })

  it('is told of when its row is right and the text is not, by a rewrap as well', async () => {
    const whose = identity('eu-1')
    const kms = open()
    const { kekId } = await kms.generate(whose)
    const forged = { wrapped: `fsw1.${'A'.repeat(80)}`, kekId }
    expect(await refusalCode(() => kms.rewrap!(forged, whose))).toBe('KMS_REFUSED')
  })
})

describe('a tenant that moves to another group', () => {
  const moved = (tenant: string) => (tenant === 'eu-1' ? 'us' : regionOf(tenant))

  it.each<[string, HierarchicalKmsOptions['formerGroups']]>([
    ['a list', ['eu']],
    ['a function of the tenant', (tenant) => (tenant === 'eu-1' ? ['eu'] : [])],
  ])('is read while formerGroups, %s, names the old one, rewrapped, and read without', async (_, formerGroups) => {
    const whose = identity('eu-1')
    const { dek, ...wrapped } = await open().generate(whose)
    await insert(whose, wrapped)
    expect(await refusalCode(() => open({ group: moved }).unwrap(wrapped, whose))).toBe('KMS_KEY_UNUSABLE')
    const moving = open({ group: moved, formerGroups })
    expect(await moving.unwrap(wrapped, whose)).toEqual(dek)
    expect(await rewrap(moving, store, { tenants: 'eu-1', rate: 1000 })).toMatchObject({ changed: 1, failed: [] })
    const row = store.rows.find(({ id }) => id === whose.key)!
    expect(await open({ group: moved }).unwrap({ wrapped: row.wrapped!, kekId: row.kekId }, whose)).toEqual(dek)
  })

  it('leaves the others of that function where they are', async () => {
    const stranger = identity('us-2')
    const formerGroups = (tenant: string) => (tenant === 'eu-1' ? ['eu'] : [])
    const wrapped = await planted(stranger)
    const kms = open({ group: moved, formerGroups })
    expect(await refusalCode(() => kms.unwrap(wrapped, stranger))).toBe('KMS_KEY_UNUSABLE')
  })

  it('can be rewrapped from a hierarchy with the old groups instead, and found there by another run', async () => {
    const whose = identity('eu-1')
    const { dek, ...wrapped } = await open().generate(whose)
    await insert(whose, wrapped)
    const run = () => {
      const options = { tenants: 'eu-1', rate: 1000, from: hierarchicalKms({ kms: inner, group: regionOf }) }
      return rewrap(open({ group: moved }), store, options)
    }
    expect(await run()).toEqual({ changed: 1, unchanged: 0, failed: [] })
    expect(await run()).toEqual({ changed: 0, unchanged: 1, failed: [] })
    const row = store.rows.find(({ id }) => id === whose.key)!
    expect(await open({ group: moved }).unwrap({ wrapped: row.wrapped!, kekId: row.kekId }, whose)).toEqual(dek)
  })

  it.each<[string, () => readonly string[], string]>([
    ['gives no list', () => 'eu' as never, 'gave no list of names'],
    ['gives what is no name', () => [''], 'gave no list of names'],
    ['throws', () => fail('a secret'), 'failed'],
  ])('is told of when its formerGroups function %s', async (_, formerGroups, why) => {
    const whose = identity('eu-1')
    const wrapped = await open().generate(whose)
    const error = await refusal(() => open({ group: moved, formerGroups }).unwrap(wrapped, whose))
    expect([error.code, error.message]).toEqual(['KMS_KEY_UNUSABLE', expect.stringContaining(`"formerGroups"`)])
    expect(error.message).toMatch(new RegExp(`${why}.*"eu-1"`))
  })
})

describe('shards', () => {
  it('isolate nothing, so that their number may change at any time', async () => {
    const whose = identity('acme')
    const { dek, ...wrapped } = await open({ shards: 7 }).generate(whose)
    expect(await open({ shards: 2 }).unwrap(wrapped, whose)).toEqual(dek)
  })
})
