import { randomUUID } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { localKms } from 'fieldseal/local-kms'
import { memoryKeyStore, startKmsEmulator } from 'fieldseal/testing'
import { DekCache } from '../../../src/keys/cache/dekCache.js'
import { KeyRing } from '../../../src/keys/keyRing.js'
import type { Kms } from '../../../src/keys/kms.js'
import { warm } from '../../../src/maintenance/keys/warm.js'
import { emulatedKms } from '../../support/clinic.js'
import { onTestFinished } from '../../support/onTestFinished.js'

const LIMIT = 100

/** A throttled KMS, and a keys table with DEKs of `count` tenants. */
async function start(count: number) {
  const emulator = await startKmsEmulator({ limits: { Decrypt: LIMIT } })
  onTestFinished(() => emulator.close())
  const store = memoryKeyStore()
  const open = () => {
    const cache = new DekCache({ ttl: 60_000, max: 10_000 })
    return { cache, ring: new KeyRing({ kms: emulatedKms(emulator), store, cache }) }
  }
  const tenants = Array.from({ length: count }, () => randomUUID())
  const { ring } = open()
  for (const tenant of tenants) await ring.active.get(tenant, 'encrypt')
  emulator.calls.reset()
  return { emulator, store, tenants, ...open() }
}

describe('warm', () => {
  it('fetches the keys of all tenants at the pace of the KMS, with few queries, and no more calls than it must', async () => {
    const { emulator, store, tenants, ring, cache } = await start(200)
    const lists = store.calls.list
    const begun = performance.now()
    const report = await warm(ring.active, store, tenants, { rate: LIMIT / 2 })
    const seconds = (performance.now() - begun) / 1000
    expect(report).toEqual({ changed: 200, unchanged: 0, failed: [] })
    expect(cache.size).toBe(200)
    expect(seconds).toBeGreaterThan(2.5)
    expect(emulator.calls.count('Decrypt')).toBeLessThan(220)
    expect(emulator.calls.maxInFlight).toBeLessThanOrEqual(20)
    expect(store.calls.list - lists).toBeLessThanOrEqual(3)
    expect(tenants.every((tenant) => ring.active.cached(tenant, 'encrypt'))).toBe(true)
  })

  it('keeps to the pace from the keys of one purpose to those of the next', async () => {
    const store = memoryKeyStore()
    const kms = localKms({ key: 'ab'.repeat(32) })
    const starts: number[] = []
    const watched: Kms = {
      ...kms,
      unwrap: (wrapped, identity) => {
        starts.push(performance.now())
        return kms.unwrap(wrapped, identity)
      },
    }
    const ringOf = () => new KeyRing({ kms: watched, store, cache: new DekCache({ ttl: 60_000, max: 10_000 }) })
    const tenants = Array.from({ length: 120 }, () => randomUUID())
    const maker = ringOf()
    for (const tenant of tenants) {
      await maker.active.get(tenant, 'encrypt')
      await maker.active.get(tenant, 'index')
    }
    starts.length = 0
    await warm(ringOf().active, store, tenants, { rate: 100, purposes: ['encrypt', 'index'] })
    const inSecond = starts.map((start, i) => starts.slice(i).filter((other) => other < start + 1_000).length)
    expect(starts).toHaveLength(240)
    expect(Math.max(...inSecond)).toBeLessThanOrEqual(104)
  })

  it('leaves what is in memory, and makes no keys for tenants that have none', async () => {
    const { emulator, store, tenants, ring } = await start(3)
    await ring.active.get(tenants[0]!, 'encrypt')
    emulator.calls.reset()
    const report = await warm(ring.active, store, [...tenants, 'nobody'], { purposes: ['encrypt', 'index'] })
    expect(report).toEqual({ changed: 2, unchanged: 1, failed: [] })
    expect(emulator.calls.byAction).toEqual({ Decrypt: 2 })
    expect(store.rows).toHaveLength(3)
  })

  it('slows down when others use the quota as well, rather than give up', async () => {
    const { emulator, store, tenants, ring } = await start(5)
    emulator.faults.add({ kind: 'error', code: 'RequestLimitExceeded', times: 20 })
    expect(await warm(ring.active, store, tenants)).toEqual({ changed: 5, unchanged: 0, failed: [] })
  })

  it('names the tenant whose row is broken, and warms the others', async () => {
    const { store, tenants, ring } = await start(3)
    store.tamper(store.rows[1]!.id, { kms: 'other' })
    const { changed, failed } = await warm(ring.active, store, tenants)
    expect(changed).toBe(2)
    expect(failed).toMatchObject([{ tenant: tenants[1], error: { code: 'KEY_INVALID' } }])
  })

  it('ends when it is told to', async () => {
    const { store, tenants, ring } = await start(50)
    const signal = AbortSignal.timeout(100)
    await expect(warm(ring.active, store, tenants, { rate: 20, signal })).rejects.toMatchObject({
      name: 'TimeoutError',
    })
  })
})
