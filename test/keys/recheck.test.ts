import { describe, expect, it } from '@jest/globals'
import { FieldsealError } from 'fieldseal'
import { DekCache } from '../../src/keys/cache/dekCache.js'
import { KeyRing } from '../../src/keys/keyRing.js'
import { memoryKeyStore } from '../../src/testing/memoryKeyStore.js'
import { refusalCode } from '../support/refusal.js'
import { watchedKms } from './watchedKms.js'

const [TTL, STALE] = [1_000, 10_000]

async function start(staleFor = STALE) {
  const time = { now: 1 }
  const [store, kms] = [memoryKeyStore(), watchedKms()]
  const cache = new DekCache({ ttl: TTL, max: 100, staleFor, clock: { now: () => time.now } })
  const ring = new KeyRing({ kms, store, cache })
  const dek = await ring.active.get('acme', 'encrypt')
  const calls = () => ({ unwrap: kms.calls.unwrap, find: store.calls.findByIds, newest: store.calls.findNewest })
  return { time, store, kms, cache, ring, dek, calls }
}

describe('a look into the keys table that somebody has asked for', () => {
  it('changes nothing where nothing has become of the keys, and costs one query', async () => {
    const { ring, dek, cache, calls } = await start()
    const before = calls()
    await ring.held.recheck('acme')
    expect(calls()).toEqual({ ...before, find: before.find + 1 })
    expect([ring.loaded.cached(dek.id), ring.active.cached('acme', 'encrypt'), cache.size]).toEqual([dek, dek, 1])
  })

  it('costs nothing where no key of the tenant is in memory', async () => {
    const { ring, calls } = await start()
    const before = calls()
    await ring.held.recheck('nobody')
    expect(calls()).toEqual(before)
  })

  it('does not shorten the time that a DEK serves on while the KMS is down', async () => {
    const { ring, kms, dek, time } = await start()
    kms.error = new FieldsealError('KMS_UNAVAILABLE', 'down')
    for (let asked = 0; asked < 50; asked += 1) await ring.held.recheck('acme')
    time.now += TTL + STALE - 1
    expect(await ring.loaded.load([dek.id], 'acme')).toEqual([dek])
    expect((await ring.active.allot('acme', 1))[0]!.dek).toBe(dek)
  })

  it('drops a key that is destroyed, at once', async () => {
    const { ring, store, dek, cache } = await start()
    store.tamper(dek.id, { state: 'destroyed', wrapped: null, destroyedAt: new Date() })
    await ring.held.recheck('acme')
    expect(cache.size).toBe(0)
    expect(await refusalCode(() => ring.loaded.load([dek.id], 'acme'))).toBe('KEY_DESTROYED')
  })

  it('drops a key whose row is gone: nothing may be encrypted that no row can open', async () => {
    const { ring, store, dek, cache } = await start()
    store.remove(dek.id)
    await ring.held.recheck('acme')
    expect(cache.size).toBe(0)
  })

  it('has a retired key encrypt no more, not even while the KMS is down', async () => {
    const { ring, store, kms, dek } = await start()
    store.tamper(dek.id, { state: 'retired' })
    await ring.held.recheck('acme')
    kms.error = new FieldsealError('KMS_UNAVAILABLE', 'down')
    expect([ring.active.cached('acme', 'encrypt'), ring.loaded.cached(dek.id)]).toEqual([undefined, dek])
    expect(await refusalCode(() => ring.active.allot('acme', 1))).toBe('KMS_UNAVAILABLE')
  })

  it('that cannot be had has the keys asked for before their next use, and served on by what is in memory', async () => {
    const { ring, store, dek, calls } = await start()
    store.fail()
    expect(await refusalCode(() => ring.held.recheck('acme'))).toBe('KEY_STORE_UNAVAILABLE')
    expect([ring.loaded.cached(dek.id), ring.active.cached('acme', 'encrypt')]).toEqual([undefined, undefined])
    expect(await ring.loaded.load([dek.id], 'acme')).toEqual([dek])
    expect((await ring.active.allot('acme', 1))[0]!.dek).toBe(dek)
    store.repair()
    expect(await refusalCode(() => ring.held.recheck('other').then(() => ring.loaded.load(['x'], 'acme')))).toBe(
      'KEY_NOT_FOUND',
    )
    store.fail()
    await ring.held.recheck('acme').catch(() => undefined)
    store.repair()
    store.tamper(dek.id, { state: 'destroyed', wrapped: null, destroyedAt: new Date() })
    const before = calls()
    expect(await refusalCode(() => ring.loaded.load([dek.id], 'acme'))).toBe('KEY_DESTROYED')
    expect(calls().unwrap).toBe(before.unwrap)
  })

  it('that cannot be had lets none serve longer than it would have without', async () => {
    const { ring, store, dek, time } = await start(0)
    store.fail()
    await ring.held.recheck('acme').catch(() => undefined)
    expect(await ring.loaded.load([dek.id], 'acme')).toEqual([dek])
    time.now += TTL + 1
    expect(await refusalCode(() => ring.loaded.load([dek.id], 'acme'))).toBe('KEY_STORE_UNAVAILABLE')
  })

  it('keeps nothing of what was read before it', async () => {
    const { ring, store, kms, cache } = await start()
    const reading = ring.active.get('other', 'encrypt')
    await ring.held.recheck('other')
    const dek = await reading
    expect([cache.size, store.rows.length, kms.calls.generate]).toEqual([1, 2, 2])
    expect(ring.active.cached('other', 'encrypt')).toBeUndefined()
    expect((await ring.active.get('other', 'encrypt')).id).toBe(dek.id)
  })

  it('does not have a key that is held for reading taken for the active one again by a fetch that began before it', async () => {
    const { ring, store, dek, time } = await start()
    await ring.loaded.load([dek.id], 'acme')
    time.now += TTL + 1
    await ring.loaded.load([dek.id], 'acme')
    const fetching = ring.active.get('acme', 'encrypt')
    await new Promise(setImmediate)
    store.tamper(dek.id, { state: 'retired' })
    await ring.held.recheck('acme')
    await fetching
    expect(ring.active.cached('acme', 'encrypt')).toBeUndefined()
  })

  it('asks once, and once more, however many ask at once', async () => {
    const { ring, calls } = await start()
    const before = calls()
    await Promise.all(Array.from({ length: 100 }, () => ring.held.recheck('acme')))
    expect(calls().find).toBe(before.find + 2)
  })
})
