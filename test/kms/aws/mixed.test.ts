import { describe, expect, it } from '@jest/globals'
import { awsKms } from 'fieldseal/aws-kms'
import { hierarchicalKms } from 'fieldseal/hierarchical-kms'
import { redundantKms } from 'fieldseal/redundant-kms'
import { type MemoryKeyStore, memoryKeyStore } from 'fieldseal/testing'
import type { DekIdentity, Kms, WrappedDek } from '../../../src/keys/kms.js'
import { openKms } from '../../../src/keys/kmsOfStore.js'
import { rewrap } from '../../../src/maintenance/keys/rewrap.js'
import { emulatedKms } from '../../support/clinic.js'
import { lose, north, twoRegions } from '../regions.js'
import { identity, start } from './emulated.js'

twoRegions()

async function insert(store: MemoryKeyStore, { key: id, tenant }: DekIdentity, kms: Kms, dek: WrappedDek) {
  const { wrapped, kekId } = dek
  const row = { id, tenant, purpose: 'encrypt', version: 1, state: 'active', messages: 0 } as const
  await store.insert({ ...row, kms: kms.name, wrapped, kekId })
}

/** The DEK that a row of the keys table holds, for this `Kms`. */
async function stored(store: MemoryKeyStore, whose: DekIdentity, kms: Kms): Promise<Buffer> {
  const row = store.rows.find(({ id }) => id === whose.key)!
  expect(row.kms).toBe(kms.name)
  return kms.unwrap({ wrapped: row.wrapped!, kekId: row.kekId }, whose)
}

describe('awsKms among others', () => {
  it('takes over the DEKs of Tencent, and gives them back', async () => {
    const store = memoryKeyStore()
    const { kms: aws } = await start()
    const tencent = emulatedKms(north)
    const whose = identity()
    const { dek, ...wrapped } = await tencent.generate(whose)
    await insert(store, whose, tencent, wrapped)
    for (const [from, to] of [
      [tencent, aws],
      [aws, tencent],
    ] as const) {
      const { changed, failed } = await rewrap(to, store, { from, rate: 1000 })
      expect([changed, failed]).toEqual([1, []])
      expect((await stored(store, whose, to)).equals(dek)).toBe(true)
    }
  })

  it('is rewrapped where it is, once after each rotation, and to another key', async () => {
    const store = memoryKeyStore()
    const { emulator, client, kms } = await start()
    const whose = identity()
    const { dek, ...wrapped } = await kms.generate(whose)
    await insert(store, whose, kms, wrapped)
    const run = async (to: Kms) => (await rewrap(to, store, { rate: 1000 })).changed
    expect(await run(kms)).toBe(0)
    emulator.keys.rotate(emulator.keyId)
    expect([await run(kms), await run(kms)]).toEqual([1, 0])
    const keyId = emulator.keys.create().arn
    const moved = awsKms({ client, keyId, formerKeyIds: [emulator.keyArn] })
    expect([await run(moved), await run(moved)]).toEqual([1, 0])
    expect(store.rows[0]?.kekId).toBe(keyId)
    expect((await stored(store, whose, awsKms({ client, keyId }))).equals(dek)).toBe(true)
  })

  it('goes on with a member of another vendor, whichever of the two is lost', async () => {
    const { emulator, client } = await start()
    const limits = { maxRetries: 0, timeout: 2_000 }
    const aws = awsKms({ client, keyId: emulator.keyArn, ...limits })
    const both = () => redundantKms({ members: { aws, tencent: emulatedKms(north, limits) } })
    const whose = identity()
    const { dek, ...wrapped } = await both().generate(whose)
    lose(north)
    expect((await both().unwrap(wrapped, whose)).equals(dek)).toBe(true)
    const without = await both().generate(whose)
    north.faults.clear()
    emulator.faults.add({ kind: 'hangUp', when: 'before', times: 'always' })
    expect((await both().unwrap(wrapped, whose)).equals(dek)).toBe(true)
    emulator.faults.clear()
    expect((await both().unwrap(without, whose)).equals(without.dek)).toBe(true)
  })

  it('wraps intermediate keys, so that many tenants cost it a few requests', async () => {
    const store = memoryKeyStore()
    const { emulator, kms } = await start()
    const hierarchical = hierarchicalKms({ kms, shards: 2 })
    const whose = Array.from({ length: 50 }, (_, i) => identity(`tenant-${i}`))
    const made = await Promise.all(whose.map((each) => openKms(hierarchical, store).generate(each)))
    emulator.calls.reset()
    const cold = openKms(hierarchical, store)
    for (const [i, each] of whose.entries()) expect((await cold.unwrap(made[i]!, each)).equals(made[i]!.dek)).toBe(true)
    expect(emulator.calls.count()).toBeLessThanOrEqual(2)
  })
})
