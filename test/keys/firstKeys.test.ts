import { describe, expect, it } from '@jest/globals'
import { DekCache } from '../../src/keys/cache/dekCache.js'
import { KeyRing } from '../../src/keys/keyRing.js'
import type { KeyTraces, MissingKey } from '../../src/keys/keyTraces.js'
import { memoryKeyStore } from '../../src/testing/memoryKeyStore.js'
import { refusal, refusalCode } from '../support/refusal.js'
import { watchedKms } from './watchedKms.js'

function start(find: KeyTraces['find'] = async () => null) {
  const [store, kms] = [memoryKeyStore(), watchedKms()]
  const asked: MissingKey[] = []
  const traces: KeyTraces = {
    find: (key) => {
      asked.push(key)
      return find(key)
    },
  }
  const process = () => new KeyRing({ kms, store, traces, cache: new DekCache({ ttl: 60_000, max: 100 }) })
  return { store, kms, asked, process }
}

describe('a tenant without a key for blind indexes', () => {
  it('gets one where nothing is stored that one has made, and is not looked for again', async () => {
    const { store, asked, process } = start()
    await process().active.get('acme', 'index')
    await process().active.get('acme', 'index')
    expect(store.rows).toMatchObject([{ purpose: 'index', version: 1, state: 'active' }])
    expect(asked).toMatchObject([{ tenant: 'acme', purpose: 'index' }])
  })

  it('gets none where something is, and is told where and what to do', async () => {
    const { store, kms, process } = start(async () => 'Patient.emailIndex')
    const error = await refusal(() => process().active.get('acme', 'index'))
    expect(error).toMatchObject({
      code: 'KEY_NOT_FOUND',
      message: expect.stringMatching(/"acme".*Patient\.emailIndex.*restore the table.*reindex/),
    })
    expect([store.rows, kms.calls.generate]).toEqual([[], 0])
  })

  it('gets none where it cannot be looked', async () => {
    const { store, process } = start(async () => Promise.reject(new Error('no connection')))
    await expect(process().active.get('acme', 'index')).rejects.toThrow('no connection')
    expect(store.rows).toEqual([])
  })

  it('gets none from a process that has had one in memory', async () => {
    const { store, asked, process } = start()
    const ring = process()
    const { id } = await ring.active.get('acme', 'index')
    store.remove(id)
    ring.held.renewSoon('acme')
    expect(ring.active.cached('acme', 'index')?.id).toBe(id)
    for (let turn = 0; turn < 30; turn += 1) await new Promise(setImmediate)
    expect([store.rows, asked.length]).toEqual([[], 1])
  })

  it('takes the one that another process makes, and fills rows by, while it looks', async () => {
    const world = start(async ({ tenant }) => {
      if (world.asked.length > 1) return null
      await world.process().active.get(tenant, 'index')
      return 'Patient.emailIndex'
    })
    expect((await world.process().active.get('acme', 'index')).id).toBe(world.store.rows[0]!.id)
    expect(world.store.rows).toHaveLength(1)
  })

  it('is known by its DEKs for values, but not by one that this process has made just now', async () => {
    const { store, asked, process } = start()
    const elsewhere = await process().active.get('acme', 'encrypt')
    const ring = process()
    const here = await ring.active.rotate('acme', elsewhere.id)
    await ring.active.get('acme', 'index')
    expect(await asked[0]!.deks()).toEqual([elsewhere.id])
    expect(store.rows.map(({ id }) => id)).toContain(here.id)
  })

  it('costs nothing to ask for where the purpose is another one', async () => {
    const { asked, process } = start(async () => 'Patient.emailIndex')
    await process().active.get('acme', 'encrypt')
    expect(asked).toEqual([])
  })
})

describe('a key for blind indexes', () => {
  it('that is retired is refused, and not succeeded', async () => {
    const { store, kms, process } = start()
    const { id } = await process().active.get('acme', 'index')
    store.tamper(id, { state: 'retired' })
    const error = await refusal(() => process().active.get('acme', 'index'))
    expect(error).toMatchObject({
      code: 'KEY_INVALID',
      message: expect.stringMatching(/retired.*backup.*active again/),
    })
    expect([store.rows.length, kms.calls.generate]).toEqual([1, 1])
    store.tamper(id, { state: 'active' })
    expect((await process().active.get('acme', 'index')).id).toBe(id)
  })

  it('that is destroyed has a successor when the tenant is reopened, whatever is stored', async () => {
    const { store, asked, process } = start(async () => null)
    const { id } = await process().active.get('acme', 'index')
    store.tamper(id, { state: 'destroyed', wrapped: null, destroyedAt: new Date() })
    expect(await refusalCode(() => process().active.get('acme', 'index'))).toBe('KEY_DESTROYED')
    expect(await process().active.reopen('acme')).toEqual(['index'])
    expect(store.rows.map(({ version, state }) => `${version} ${state}`)).toEqual(['1 destroyed', '2 active'])
    expect(asked).toHaveLength(1)
  })
})
