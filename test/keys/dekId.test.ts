import { describe, expect, it } from '@jest/globals'
import { isDekId } from '../../src/crypto/header.js'
import { DekCache } from '../../src/keys/cache/dekCache.js'
import { newDekId, versionInId } from '../../src/keys/dekId.js'
import { KeyRing } from '../../src/keys/keyRing.js'
import { memoryKeyStore } from '../../src/testing/memoryKeyStore.js'
import { refusal, refusalCode } from '../support/refusal.js'
import { watchedKms } from './watchedKms.js'

describe('the id of a new DEK', () => {
  it('is a UUID of version 8 that ends with the version of the DEK', () => {
    for (const version of [1, 2, 255, 2 ** 31 - 1]) {
      const id = newDekId(version)
      expect(isDekId(id)).toBe(true)
      expect(id).toMatch(/^.{14}8.{4}[89ab]/)
      expect([versionInId(id), Number.parseInt(id.slice(-8), 16)]).toEqual([version, version])
    }
  })

  it('is random else', () => {
    expect(new Set(Array.from({ length: 1_000 }, () => newDekId(1).slice(0, 28))).size).toBe(1_000)
  })

  it('of another kind holds no version', () => {
    for (const id of ['0f8fad5b-d9cb-469f-a165-70867728950e', '0198c2d4-0000-7000-8000-000000000001', '', 'x']) {
      expect(versionInId(id)).toBeUndefined()
    }
  })
})

async function start() {
  const [store, kms] = [memoryKeyStore(), watchedKms()]
  const process = () => new KeyRing({ kms, store, cache: new DekCache({ ttl: 60_000, max: 100 }) })
  const one = await process().active.get('acme', 'encrypt')
  const two = await process().active.rotate('acme', one.id)
  return { store, kms, process, one, two }
}

describe('a row of the keys table whose version is not the one of its id', () => {
  it('is refused for reading and writing while it is active, without asking the KMS', async () => {
    for (const version of [0, 1, 3, 12]) {
      const { store, kms, process, two } = await start()
      store.tamper(two.id, { version })
      const unwraps = kms.calls.unwrap
      const error = await refusal(() => process().loaded.load([two.id], 'acme'))
      expect(error).toMatchObject({ code: 'KEY_INVALID', message: expect.stringContaining(two.id) })
      expect(kms.calls.unwrap).toBe(unwraps)
      if (version > 1) expect(await refusalCode(() => process().active.get('acme', 'encrypt'))).toBe('KEY_INVALID')
    }
  })

  it('does not make a retired DEK the active one', async () => {
    const { store, process, one } = await start()
    store.tamper(one.id, { version: 12, state: 'active', messages: 0, createdAt: new Date() })
    expect(await refusalCode(() => process().active.get('acme', 'encrypt'))).toBe('KEY_INVALID')
    expect(await refusalCode(() => process().active.allot('acme', 1))).toBe('KEY_INVALID')
    expect(store.rows).toHaveLength(2)
  })

  it('decrypts while it is retired and has gone up, as in tables that were merged, and is succeeded', async () => {
    const { store, process, one } = await start()
    store.tamper(one.id, { version: 12 })
    expect((await process().loaded.load([one.id], 'acme'))[0]!.id).toBe(one.id)
    const next = await process().active.get('acme', 'encrypt')
    expect(versionInId(next.id)).toBe(13)
    store.tamper(one.id, { version: 0 })
    expect(await refusalCode(() => process().loaded.load([one.id], 'acme'))).toBe('KEY_INVALID')
  })

  it('is refused when no version can come after it', async () => {
    const { store, process, one } = await start()
    store.tamper(one.id, { version: 2 ** 31 - 1 })
    expect(await refusalCode(() => process().active.get('acme', 'encrypt'))).toBe('KEY_INVALID')
  })

  it('is taken as it is where the id holds none, in rows that were made elsewhere', async () => {
    const { store, kms, process, two } = await start()
    const identity = { key: '0f8fad5b-d9cb-469f-a165-70867728950e', purpose: 'encrypt', tenant: 'old' } as const
    const { dek, ...wrapped } = await kms.generate(identity)
    dek.fill(0)
    const row = {
      id: identity.key,
      tenant: 'old',
      purpose: 'encrypt',
      version: 7,
      state: 'active',
      messages: 0,
    } as const
    await store.insert({ ...row, ...wrapped, kms: kms.name })
    expect((await process().active.get('old', 'encrypt')).id).toBe(identity.key)
    expect((await process().active.get('acme', 'encrypt')).id).toBe(two.id)
  })
})

describe('processes that make a key at once', () => {
  it('agree on the one whose id has the version of its row', async () => {
    const [store, kms] = [memoryKeyStore(), watchedKms()]
    const rings = Array.from(
      { length: 8 },
      () => new KeyRing({ kms, store, cache: new DekCache({ ttl: 60_000, max: 9 }) }),
    )
    const first = await Promise.all(rings.map((ring) => ring.active.get('acme', 'encrypt')))
    const second = await Promise.all(rings.map((ring) => ring.active.rotate('acme', first[0]!.id)))
    for (const [i, deks] of [first, second].entries()) {
      expect(new Set(deks.map(({ id }) => id)).size).toBe(1)
      expect(versionInId(deks[0]!.id)).toBe(i + 1)
    }
    expect(store.rows.map(({ id, version }) => versionInId(id) === version)).toEqual([true, true])
  })
})

describe('a version below 1', () => {
  it.each([0, -2, -5])('%i has no successor: its row was changed', async (version) => {
    const { store, process, one, two } = await start()
    store.remove(one.id)
    store.tamper(two.id, { state: 'retired', version })
    expect(await refusalCode(() => process().active.get('acme', 'encrypt'))).toBe('KEY_INVALID')
  })
})
