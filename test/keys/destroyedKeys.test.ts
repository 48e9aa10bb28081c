import { describe, expect, it } from '@jest/globals'
import { DekCache } from '../../src/keys/cache/dekCache.js'
import { DestroyedKeys } from '../../src/keys/destroyedKeys.js'
import { KeyRing } from '../../src/keys/keyRing.js'
import type { StoredKey } from '../../src/keys/keyStore.js'
import { memoryKeyStore } from '../../src/testing/memoryKeyStore.js'
import { refusalCode } from '../support/refusal.js'
import { watchedKms } from './watchedKms.js'

async function start() {
  const [store, kms] = [memoryKeyStore(), watchedKms()]
  const process = () => new KeyRing({ kms, store, cache: new DekCache({ ttl: 60_000, max: 100, staleFor: 60_000 }) })
  const { id } = await process().active.get('acme', 'encrypt')
  const [before] = store.rows as [StoredKey]
  const destroy = () => store.tamper(id, { state: 'destroyed', wrapped: null, destroyedAt: new Date() })
  return { store, kms, process, id, destroy, restore: () => store.tamper(id, before) }
}

type World = Awaited<ReturnType<typeof start>>

/** The ways in which a process comes to see that a key is destroyed. */
const WAYS: { readonly [way: string]: (ring: KeyRing, world: World) => Promise<unknown> } = {
  'a read': (ring, { id }) => refusalCode(() => ring.loaded.load([id], 'acme')),
  'a write': (ring) => refusalCode(() => ring.active.get('acme', 'encrypt')),
  'news, with the DEK in memory': (ring) => ring.held.recheck('acme'),
  'a connection that was made again': (ring) => ring.held.recheck(),
  'its own shred': async (ring, { id }) => ring.held.forgetDestroyed('acme', [id]),
}

describe.each(Object.entries(WAYS))('a process that has learnt by %s that a key is destroyed', (way, see) => {
  it('never uses it again, though its row comes back', async () => {
    const world = await start()
    const ring = world.process()
    if (/memory|again|own/.test(way)) await ring.loaded.load([world.id], 'acme')
    world.destroy()
    await see(ring, world)
    world.restore()
    for (const state of ['active', 'retired'] as const) {
      world.store.tamper(world.id, { state })
      const unwraps = world.kms.calls.unwrap
      expect(await refusalCode(() => ring.loaded.load([world.id], 'acme'))).toBe('KEY_DESTROYED')
      expect(await refusalCode(() => ring.active.get('acme', 'encrypt'))).toBe('KEY_DESTROYED')
      expect([world.kms.calls.unwrap, world.store.rows.length]).toEqual([unwraps, 1])
    }
    world.restore()
    expect((await world.process().loaded.load([world.id], 'acme'))[0]!.id).toBe(world.id)
  })
})

describe('a row with a time of destruction', () => {
  it('is destroyed, whatever its state says', async () => {
    const { store, process, id } = await start()
    for (const state of ['active', 'retired'] as const) {
      store.tamper(id, { state, destroyedAt: new Date() })
      expect(await refusalCode(() => process().loaded.load([id], 'acme'))).toBe('KEY_DESTROYED')
      expect(await refusalCode(() => process().active.get('acme', 'encrypt'))).toBe('KEY_DESTROYED')
    }
    expect(store.rows).toHaveLength(1)
    expect(await process().active.reopen('acme')).toEqual(['encrypt'])
  })
})

describe('the memory of destroyed keys', () => {
  it('is bounded, and drops the one that was met longest ago', () => {
    const keys = new DestroyedKeys()
    for (let i = 0; i < 10_001; i += 1) keys.add(`key ${i}`)
    expect([keys.has('key 0'), keys.has('key 1'), keys.has('key 10000')]).toEqual([false, true, true])
  })
})
