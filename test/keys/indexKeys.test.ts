import { describe, expect, it } from '@jest/globals'
import { FieldsealError } from 'fieldseal'
import { DekCache } from '../../src/keys/cache/dekCache.js'
import type { Dek } from '../../src/keys/dek.js'
import { KeyRing } from '../../src/keys/keyRing.js'
import type { KeyStore } from '../../src/keys/keyStore.js'
import { memoryKeyStore } from '../../src/testing/memoryKeyStore.js'
import { refusalCode } from '../support/refusal.js'
import { storeWith } from './storeWith.js'
import { watchedKms } from './watchedKms.js'

const TTL = 1_000

/** Processes with one keys table and one KMS. */
function processes() {
  const time = { now: 1 }
  const [store, kms] = [memoryKeyStore(), watchedKms()]
  const start = (changes: Partial<KeyStore> = {}) => {
    const cache = new DekCache({ ttl: TTL, max: 100, clock: { now: () => time.now } })
    return new KeyRing({ kms, store: storeWith(store, changes), cache })
  }
  return { time, store, kms, start }
}

/** The ids of what tokens are made under. */
const under = ({ id, beside }: Dek) => [id, ...beside.map((older) => older.dek.id)]

describe('a key for indexes while it is rotated', () => {
  it('is held with its successor, until it is retired', async () => {
    const { store, start } = processes()
    const ring = start()
    const first = await ring.active.get('acme', 'index')
    expect(under(first)).toEqual([first.id])
    expect(await ring.indexKeys.add('acme')).toBe(true)
    const [, second] = store.rows
    for (const one of [ring, start()]) {
      expect(under(await one.active.get('acme', 'index'))).toEqual([second!.id, first.id])
    }
    for (const [state, next] of [
      ['retiring', 'replaced'],
      ['replaced', 'retired'],
    ] as const) {
      for (const one of [ring, start()]) {
        const { beside } = await one.active.get('acme', 'index')
        expect(beside.map((older) => [older.dek.id, older.state])).toEqual([[first.id, state]])
      }
      const [row] = await ring.indexKeys.inState(state, undefined)
      expect(await ring.indexKeys.advance(row!, next)).toBe(true)
    }
    for (const one of [ring, start()]) expect(under(await one.active.get('acme', 'index'))).toEqual([second!.id])
    const [retired] = await ring.indexKeys.inState('retired', 'acme')
    expect(await ring.indexKeys.advance(retired!, 'destroyed')).toBe(true)
    expect(under(await start().active.get('acme', 'index'))).toEqual([second!.id])
    expect(store.rows.map(({ state }) => state)).toEqual(['destroyed', 'active'])
    expect(await ring.indexKeys.add('acme')).toBe(true)
  })

  it('costs a query more only of tenants that have had more than one', async () => {
    const { store, start } = processes()
    await start().active.get('acme', 'index')
    const before = { ...store.calls }
    await start().active.get('acme', 'index')
    expect(store.calls).toEqual({ ...before, findNewest: before.findNewest + 1 })
  })

  it('is rotated once by many who begin at the same time, and not again before that has ended', async () => {
    const { store, start } = processes()
    await start().active.get('acme', 'index')
    const added = await Promise.all(Array.from({ length: 8 }, () => start().indexKeys.add('acme')))
    expect(added.filter(Boolean)).toHaveLength(1)
    expect(await start().indexKeys.add('acme')).toBe(false)
    const [first] = store.rows
    for (const to of ['replaced', 'retired'] as const) {
      await store.advance(first!.id, to)
      expect(await start().indexKeys.add('acme')).toBe(false)
    }
    expect(store.rows.map(({ state }) => state)).toEqual(['retired', 'active'])
    expect(await start().indexKeys.add('nobody')).toBe(false)
  })

  it('is never found without it by whoever reads while it is succeeded, or while it is retired', async () => {
    for (const step of ['succeeded', 'retired'] as const) {
      const { store, start } = processes()
      await start().active.get('acme', 'index')
      const [first] = store.rows
      const change = async () => {
        if (step === 'succeeded') await start().indexKeys.add('acme')
        else await store.advance(first!.id, 'retired')
      }
      if (step === 'retired') {
        await start().indexKeys.add('acme')
        await store.advance(first!.id, 'replaced')
      }
      // Between the two questions of the process.
      const findNewest: KeyStore['findNewest'] = async (tenant, purpose) => {
        const newest = await store.findNewest(tenant, purpose)
        await change()
        return newest
      }
      const found = under(await start({ findNewest }).active.get('acme', 'index'))
      const [, second] = store.rows
      expect(found).toEqual(step === 'succeeded' ? [first!.id] : [second!.id])
    }
  })

  it('that cannot be had has its successor not used without it', async () => {
    const { store, kms, start } = processes()
    await start().active.get('acme', 'index')
    await start().indexKeys.add('acme')
    const [first] = store.rows
    store.tamper(first!.id, { wrapped: 'something else' })
    expect(await refusalCode(() => start().active.get('acme', 'index'))).toBe('KEY_INVALID')
    kms.error = new FieldsealError('KMS_UNAVAILABLE', 'down')
    expect(await refusalCode(() => start().active.get('acme', 'index'))).toBe('KMS_UNAVAILABLE')
  })

  it('is noticed by a process that looks into the keys table: when it begins, at each step, and when it ends', async () => {
    const { store, start } = processes()
    const ring = start()
    const first = await ring.active.get('acme', 'index')
    await start().indexKeys.add('acme')
    expect(ring.active.cached('acme', 'index')).toBe(first)
    await ring.held.recheck('acme')
    expect(ring.active.cached('acme', 'index')).toBeUndefined()
    const second = await ring.active.get('acme', 'index')
    await ring.held.recheck('acme')
    expect(ring.active.cached('acme', 'index')).toBe(second)
    await store.advance(first.id, 'replaced')
    await ring.held.recheck('acme')
    const [older] = (await ring.active.get('acme', 'index')).beside
    expect(older).toMatchObject({ dek: { id: first.id }, state: 'replaced' })
    await store.advance(first.id, 'retired')
    await ring.held.recheck('acme')
    expect(under(await ring.active.get('acme', 'index'))).toEqual([second.id])
  })

  it('is not taken for one without a successor: the newest must be active', async () => {
    const { store, start } = processes()
    await start().active.get('acme', 'index')
    const [first] = store.rows
    for (const state of ['retiring', 'replaced', 'retired'] as const) {
      store.tamper(first!.id, { state })
      expect(await refusalCode(() => start().active.get('acme', 'index'))).toBe('KEY_INVALID')
      expect(await start().indexKeys.inState(state, undefined)).toEqual([])
    }
  })

  it('is no state of a key for values', async () => {
    const { store, start } = processes()
    const dek = await start().active.get('acme', 'encrypt')
    for (const state of ['retiring', 'replaced'] as const) {
      store.tamper(dek.id, { state })
      expect(await refusalCode(() => start().loaded.load([dek.id], 'acme'))).toBe('KEY_INVALID')
    }
  })
})
