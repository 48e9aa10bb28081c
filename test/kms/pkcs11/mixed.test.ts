import { randomUUID } from 'node:crypto'
import { expect, it } from '@jest/globals'
import { hierarchicalKms } from 'fieldseal/hierarchical-kms'
import { redundantKms } from 'fieldseal/redundant-kms'
import { memoryKeyStore } from 'fieldseal/testing'
import type { KeyStore } from '../../../src/keys/keyStore.js'
import type { DekIdentity, Kms } from '../../../src/keys/kms.js'
import { rewrap } from '../../../src/maintenance/keys/rewrap.js'
import { emulatedKms } from '../../support/clinic.js'
import { refusalCode } from '../../support/refusal.js'
import { lose, north, twoRegions } from '../regions.js'
import { onSoftHsm } from './onSoftHsm.js'

const identity = (tenant: string): DekIdentity & { purpose: 'encrypt' } => {
  return { key: randomUUID(), purpose: 'encrypt', tenant }
}

await onSoftHsm('a token beside other KMSs', ({ softHsm, kmsOf }) => {
  twoRegions()

  it('takes DEKs over from another and gives them back, and rewraps them under its next KEK between', async () => {
    const [store, cloud] = [memoryKeyStore(), emulatedKms(north)]
    const deks = new Map<string, Buffer>()
    for (const each of Array.from({ length: 5 }, (_, i) => identity(`tenant-${i}`))) {
      const { dek, wrapped, kekId } = await cloud.generate(each)
      deks.set(each.key, dek)
      const row = { id: each.key, tenant: each.tenant, purpose: each.purpose, kms: cloud.name, version: 1, messages: 0 }
      await store.insert({ ...row, state: 'active', wrapped, kekId })
    }
    const first = kmsOf()
    const { kekId } = await first.generate(identity('any'))
    const next = kmsOf({ formerKeyIds: [decodeURIComponent(kekId.split('#')[0]!)] })
    const moves: readonly (readonly [to: Kms, from?: Kms])[] = [[first, cloud], [next], [cloud, next]]
    for (const [to, from] of moves) {
      const { changed, failed } = await rewrap(to, store as KeyStore, { rate: 1_000, ...(from && { from }) })
      expect([changed, failed]).toEqual([5, []])
      for (const { id, tenant, kms, kekId, wrapped } of store.rows) {
        expect(kms).toBe(to.name)
        const own: DekIdentity = { key: id, purpose: 'encrypt', tenant }
        expect(await to.unwrap({ wrapped: wrapped!, kekId }, own)).toEqual(deks.get(id))
      }
    }
  })

  it('and a cloud stand in for each other in redundantKms', async () => {
    const [cloud, token] = [emulatedKms(north, { maxRetries: 0 }), kmsOf({ maxRetries: 0, reinitialize: true })]
    const both = redundantKms({ members: { cloud, token }, minimum: 1 })
    const whose = identity('acme')
    const { dek, ...wrapped } = await both.generate(whose)
    softHsm.takeAway()
    expect(await both.unwrap(wrapped, whose)).toEqual(dek)
    const alone = await both.generate(whose)
    softHsm.bringBack()
    lose(north)
    expect(await both.unwrap(wrapped, whose)).toEqual(dek)
    expect(await refusalCode(() => both.unwrap(alone, whose))).toBe('KMS_UNAVAILABLE')
    north.faults.clear()
    const whole = await both.rewrap!(alone, whose)
    lose(north)
    expect(await both.unwrap(whole, whose)).toEqual(alone.dek)
  })

  it('wraps intermediate keys, so that many tenants cost it few calls', async () => {
    let calls = 0
    const kms = kmsOf({}, (name, call) => {
      if (name === 'C_DecryptAsync') calls += 1
      return call()
    })
    const store = memoryKeyStore()
    const hierarchical = hierarchicalKms({ kms })(store)
    const made = await Promise.all(
      Array.from({ length: 200 }, async (_, i) => {
        const whose = identity(`tenant-${i}`)
        return { whose, ...(await hierarchical.generate(whose)) }
      }),
    )
    calls = 0
    const cold = hierarchicalKms({ kms })(store)
    for (const { whose, dek, ...wrapped } of made) expect(await cold.unwrap(wrapped, whose)).toEqual(dek)
    expect(calls).toBeLessThan(20)
  })
})
