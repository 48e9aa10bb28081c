import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { DataSource } from 'typeorm'
import type { KeyStore } from '../../src/keys/keyStore.js'
import { prismaKeyStore } from '../../src/prisma/keyStore.js'
import { memoryKeyStore } from '../../src/testing/memoryKeyStore.js'
import { EncryptionKeyColumns } from '../../src/typeorm/keys/encryptionKeyColumns.js'
import { typeormKeyStore } from '../../src/typeorm/keys/keyStore.js'
import { EncryptionKeys } from '../../src/typeorm/schema/decorators.js'
import { encryptionSchemaOf } from '../../src/typeorm/schema/encryptionSchemaOf.js'
import { plainClient } from '../support/clinic.js'
import { createDatabase } from '../support/database.js'
import { fail } from '../support/fail.js'
import { runSql } from '../support/sql.js'
import { createKeysTable } from '../typeorm/keysTable.js'
import { newKey } from './newKey.js'

@EncryptionKeys()
class EncryptionKey extends EncryptionKeyColumns {}

interface OpenStore {
  readonly store: KeyStore
  clear(): Promise<unknown>
  close(): Promise<unknown>
}

const STORES: { readonly [name: string]: () => Promise<OpenStore> } = {
  async memory() {
    const store = memoryKeyStore()
    const clear = async () => {
      for (const { id } of store.rows) store.remove(id)
    }
    return { store, clear, close: async () => {} }
  },
  async Prisma() {
    const database = await createDatabase()
    const client = plainClient(database.url)
    return {
      store: prismaKeyStore(client, 'EncryptionKey'),
      clear: () => client.encryptionKey.deleteMany(),
      close: () => client.$disconnect().then(() => database.drop()),
    }
  },
  async TypeORM() {
    const database = await createKeysTable()
    const dataSource = new DataSource({ type: 'postgres', url: database.url, entities: [EncryptionKey] })
    await dataSource.initialize()
    return {
      store: typeormKeyStore(dataSource, encryptionSchemaOf(dataSource)),
      clear: () => runSql(database.url, 'DELETE FROM encryption_keys'),
      close: () => dataSource.destroy().then(() => database.drop()),
    }
  },
}

describe.each(Object.keys(STORES))('the key store of %s', (name) => {
  let open: OpenStore
  let store: KeyStore
  beforeAll(async () => {
    open = await STORES[name]!()
    store = open.store
  })
  afterAll(() => open.close())
  beforeEach(() => open.clear())

  it('finds the newest version whatever its state, of this tenant and purpose only, and null where there is none', async () => {
    expect(await store.findNewest('acme', 'encrypt')).toBeNull()
    const newest = newKey({ version: 3, state: 'destroyed', wrapped: null })
    for (const each of [newKey({ version: 9, tenant: 'globex' }), newKey({ purpose: 'index' }), newKey()])
      await store.insert(each)
    await store.insert(newest, { reopens: true })
    const found = await store.findNewest('acme', 'encrypt')
    expect(found).toMatchObject(newest)
    expect(Date.now() - found!.createdAt.getTime()).toBeLessThan(60_000)
  })

  it('finds rows by ids and leaves out unknown ones', async () => {
    const [one, other] = [newKey(), newKey({ tenant: 'globex' })]
    for (const each of [one, other]) await store.insert(each)
    const found = await store.findByIds([other.id, randomUUID(), other.id])
    expect(found.map(({ id }) => id)).toEqual([other.id])
    expect(await store.findByIds([])).toEqual([])
  })

  it('lets one of many writers of a version win, and retires the version before', async () => {
    const first = newKey()
    expect(await store.insert(first)).toBe(true)
    expect(await store.insert(newKey())).toBe(false)
    const second = Array.from({ length: 8 }, () => newKey({ version: 2 }))
    const won = await Promise.all(second.map((each) => store.insert(each)))
    expect(won.filter(Boolean)).toHaveLength(1)
    expect((await store.findByIds([first.id]))[0]!.state).toBe('retired')
    expect(await store.count({ states: ['active'] })).toBe(1)
  })

  it('makes no version after a destroyed one, unless it reopens', async () => {
    await store.insert(newKey())
    await store.destroy('acme', [])
    expect(await store.insert(newKey({ version: 2 }))).toBe(false)
    expect(await store.insert(newKey({ version: 2 }), { reopens: true })).toBe(true)
  })

  it('puts a version beside the one before, which is then replaced, retired and destroyed step by step', async () => {
    const first = newKey({ purpose: 'index' })
    const state = async () => {
      const [{ state, wrapped, destroyedAt } = fail('is gone')] = await store.findByIds([first.id])
      return { state, wrapped: wrapped !== null, destroyed: destroyedAt !== null }
    }
    await store.insert(first)
    for (const to of ['replaced', 'retired', 'destroyed'] as const)
      expect(await store.advance(first.id, to)).toBe(false)
    const second = Array.from({ length: 8 }, () => newKey({ purpose: 'index', version: 2 }))
    const won = await Promise.all(second.map((each) => store.insert(each, { beside: true })))
    expect(won.filter(Boolean)).toHaveLength(1)
    expect(await state()).toEqual({ state: 'retiring', wrapped: true, destroyed: false })
    expect(await store.insert(newKey({ purpose: 'index', version: 2 }), { beside: true })).toBe(false)
    for (const to of ['retired', 'destroyed'] as const) expect(await store.advance(first.id, to)).toBe(false)
    expect(await store.advance(first.id, 'replaced')).toBe(true)
    expect(await state()).toEqual({ state: 'replaced', wrapped: true, destroyed: false })
    expect(await store.advance(first.id, 'replaced')).toBe(false)
    expect(await store.advance(first.id, 'destroyed')).toBe(false)
    expect(await store.advance(first.id, 'retired')).toBe(true)
    expect(await state()).toEqual({ state: 'retired', wrapped: true, destroyed: false })
    expect(await store.advance(first.id, 'retired')).toBe(false)
    expect(await store.advance(first.id, 'destroyed')).toBe(true)
    expect(await state()).toEqual({ state: 'destroyed', wrapped: false, destroyed: true })
    expect((await store.findNewest('acme', 'index'))!.version).toBe(2)
  })

  it('puts no version beside one that is not active', async () => {
    const first = newKey({ purpose: 'index' })
    await store.insert(first)
    await store.insert(newKey({ purpose: 'index', version: 2 }))
    expect(await store.insert(newKey({ purpose: 'index', version: 2 }), { beside: true })).toBe(false)
    expect((await store.findByIds([first.id]))[0]!.state).toBe('retired')
  })

  it('reserves messages of an active key up to the limit, also for many at once', async () => {
    const { id, ...rest } = newKey()
    await store.insert({ id, ...rest })
    const reserved = await Promise.all(Array.from({ length: 10 }, () => store.reserve(id, 30, 100)))
    expect(reserved.reduce((sum, count) => sum + count, 0)).toBe(100)
    expect((await store.findByIds([id]))[0]!.messages).toBe(100)
    await store.insert(newKey({ version: 2 }))
    expect(await store.reserve(id, 1, 1_000)).toBe(0)
    expect(await store.reserve(randomUUID(), 1, 10)).toBe(0)
  })

  it('lists pages in the order of ids, and counts, by every filter', async () => {
    const keys = ['acme', 'globex', 'initech'].flatMap((tenant) => [
      newKey({ tenant }),
      newKey({ tenant, purpose: 'index' }),
    ])
    for (const each of keys) await store.insert(each)
    const ids = keys.map(({ id }) => id).toSorted()
    const page = await store.list({}, { limit: 4 })
    const rest = await store.list({}, { after: page.at(-1)!.id, limit: 4 })
    expect([...page, ...rest].map(({ id }) => id)).toEqual(ids)
    expect(await store.count({})).toBe(6)
    expect(await store.count({ tenants: ['acme', 'globex'], purpose: 'index', states: ['active', 'retired'] })).toBe(2)
    expect(await store.count({ tenants: [] })).toBe(0)
    expect(await store.count({ before: new Date(Date.now() - 60_000) })).toBe(0)
    expect(await store.count({ before: new Date(Date.now() + 60_000) })).toBe(6)
  })

  it('rewraps a row that is as it was read, and no other', async () => {
    await store.insert(newKey())
    const stored = (await store.findNewest('acme', 'encrypt'))!
    const to = { wrapped: 'newer', kms: 'other', kekId: 'other:1' }
    expect(await store.rewrap(stored, to)).toBe(true)
    expect(await store.rewrap(stored, to)).toBe(false)
    const now = (await store.findNewest('acme', 'encrypt'))!
    expect(now).toMatchObject(to)
    await store.destroy('acme', [])
    expect(await store.rewrap(now, to)).toBe(false)
  })

  it('destroys the keys of a tenant, but those for wrapping, and those that are being made meanwhile', async () => {
    for (const purpose of ['encrypt', 'index', 'wrap'] as const) await store.insert(newKey({ purpose }))
    await store.insert(newKey({ tenant: 'globex' }))
    const tombstone = newKey({ purpose: 'index', state: 'destroyed', wrapped: null })
    const [gone] = await Promise.all([
      store.destroy('acme', [tombstone]),
      ...Array.from({ length: 5 }, () => store.insert(newKey({ version: 2 }))),
    ])
    expect(gone.every(({ state, wrapped, destroyedAt }) => state === 'destroyed' && !wrapped && destroyedAt)).toBe(true)
    expect(await store.count({ tenants: ['acme'], states: ['active', 'retired'] })).toBe(1)
    expect(await store.count({ tenants: ['acme'], purpose: 'wrap', states: ['active'] })).toBe(1)
    expect(await store.count({ tenants: ['globex'], states: ['active'] })).toBe(1)
    expect(await store.destroy('nobody', [newKey({ tenant: 'nobody' })])).toEqual([])
  })
})
