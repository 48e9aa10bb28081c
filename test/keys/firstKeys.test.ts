import { describe, expect, it } from '@jest/globals'
import { DekCache } from '../../src/keys/cache/dekCache.js'
import type { Emit, EncryptionEvent } from '../../src/keys/events.js'
import { KeyRing } from '../../src/keys/keyRing.js'
import type { KeyTraces, MissingKey } from '../../src/keys/keyTraces.js'
import { memoryKeyStore } from '../../src/testing/memoryKeyStore.js'
import { refusal, refusalCode } from '../support/refusal.js'
import { watchedKms } from './watchedKms.js'

function start(find: KeyTraces['find'] = async () => null, emit?: Emit) {
  const [store, kms] = [memoryKeyStore(), watchedKms()]
  const asked: MissingKey[] = []
  const traces: KeyTraces = {
    find: (key) => {
      asked.push(key)
      return find(key)
    },
  }
  const process = () =>
    new KeyRing({
      ...{ kms, store, traces, cache: new DekCache({ ttl: 60_000, max: 100 }) },
      observation: { emit, around: undefined },
    })
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
      code: 'KEY_MISSING',
      message: expect.stringMatching(/"acme".*Patient\.emailIndex.*Restore them.*keys restore.*reindex/),
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
    expect(await asked.find(({ purpose }) => purpose === 'index')!.deks()).toEqual([elsewhere.id])
    expect(store.rows.map(({ id }) => id)).toContain(here.id)
  })
})

describe('a tenant without a key for values', () => {
  it('gets one where nothing of it is stored, and is not looked for again', async () => {
    const { store, asked, process } = start()
    const { id } = await process().active.get('acme', 'encrypt')
    await process().active.rotate('acme', id)
    expect(store.rows.map(({ version, state }) => `${version} ${state}`)).toEqual(['1 retired', '2 active'])
    expect(asked).toMatchObject([{ tenant: 'acme', purpose: 'encrypt' }])
  })

  it('gets none where a ciphertext is, and is told where and what to do', async () => {
    const { store, kms, process } = start(async () => 'Patient.name')
    const error = await refusal(() => process().active.allot('acme', 1))
    expect(error).toMatchObject({
      code: 'KEY_MISSING',
      message: expect.stringMatching(/"acme".*Patient\.name holds.*keys restore.*reopen/),
    })
    expect([store.rows, kms.calls.generate]).toEqual([[], 0])
  })

  it('gets none where it cannot be looked, nor from a process that has had one in memory', async () => {
    const broken = start(async () => Promise.reject(new Error('no connection')))
    await expect(broken.process().active.get('acme', 'encrypt')).rejects.toThrow('no connection')
    const { store, process } = start()
    const ring = process()
    const { id } = await ring.active.get('acme', 'encrypt')
    store.remove(id)
    const error = await refusal(() => ring.active.rotate('acme', id))
    expect(error).toMatchObject({ code: 'KEY_MISSING', message: expect.stringContaining('in memory') })
    expect(store.rows).toEqual([])
  })

  it('takes the one that another process makes, and encrypts rows by, while it looks', async () => {
    const world = start(async ({ tenant }) => {
      if (world.asked.length > 1) return null
      await world.process().active.get(tenant, 'encrypt')
      return 'Patient.name'
    })
    expect((await world.process().active.get('acme', 'encrypt')).id).toBe(world.store.rows[0]!.id)
    expect(world.store.rows).toHaveLength(1)
  })

  it('is told whether any tenant has one, and tells of models that were skipped', async () => {
    const events: EncryptionEvent[] = []
    const { asked, process } = start(
      async ({ skipped }) => {
        skipped('Patient', 'time')
        return null
      },
      (event) => events.push(event),
    )
    await process().active.get('acme', 'encrypt')
    await process().active.get('globex', 'encrypt')
    expect(await asked[1]!.isAnyKeyThere()).toBe(true)
    expect(events.filter(({ type }) => type === 'key.unchecked')).toEqual([
      { type: 'key.unchecked', tenant: 'acme', purpose: 'encrypt', model: 'Patient', reason: 'time' },
      { type: 'key.unchecked', tenant: 'globex', purpose: 'encrypt', model: 'Patient', reason: 'time' },
    ])
  })
})

describe('reopen of a tenant whose keys are lost', () => {
  it('makes new ones, of which nothing else is asked', async () => {
    const { store, process } = start(async () => 'Patient.name')
    expect(await process().active.reopen('acme')).toEqual(['encrypt', 'index'])
    expect((await process().active.get('acme', 'encrypt')).id).toBe(store.rows[0]!.id)
  })

  it('makes none of a tenant that is new, nor one for indexes while those for values are there', async () => {
    const fresh = start()
    expect(await fresh.process().active.reopen('acme')).toEqual([])
    const { store, process } = start(async ({ purpose }) => (purpose === 'index' ? 'Patient.emailIndex' : null))
    await process().active.get('acme', 'encrypt')
    expect([await process().active.reopen('acme'), store.rows.length]).toEqual([[], 1])
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
    expect(asked.map(({ purpose }) => purpose)).toEqual(['index', 'encrypt'])
  })
})
