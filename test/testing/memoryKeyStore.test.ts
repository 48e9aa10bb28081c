import { randomUUID } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import type { StoredKey } from '../../src/keys/keyStore.js'
import { memoryKeyStore } from '../../src/testing/memoryKeyStore.js'
import { newKey } from '../keys/newKey.js'

const row = (change: Partial<StoredKey> = {}): StoredKey => ({
  ...newKey(),
  createdAt: new Date(),
  destroyedAt: null,
  ...change,
})

describe('memoryKeyStore', () => {
  it('throws while it is told to fail, and works again once repaired', async () => {
    const store = memoryKeyStore()
    store.fail()
    await expect(store.findNewest('acme', 'encrypt')).rejects.toMatchObject({ code: 'KEY_STORE_UNAVAILABLE' })
    await expect(store.insert(row())).rejects.toMatchObject({ code: 'KEY_STORE_UNAVAILABLE' })
    store.repair()
    await expect(store.insert(row())).resolves.toBe(true)
  })

  it('fails one method, a number of times, with the error it is given', async () => {
    const store = memoryKeyStore()
    store.fail({ method: 'insert', times: 1, error: new Error('pool is closed') })
    await expect(store.findByIds([])).resolves.toEqual([])
    await expect(store.insert(row())).rejects.toThrow('pool is closed')
    await expect(store.insert(row())).resolves.toBe(true)
  })

  it('refuses a second row with the same id, as a primary key does', async () => {
    const first = row()
    const store = memoryKeyStore([first])
    await expect(store.insert(row({ id: first.id, version: 2 }))).rejects.toMatchObject({
      code: 'KEY_STORE_UNAVAILABLE',
    })
  })

  it('refuses to tamper with or remove a row that is not there', () => {
    const store = memoryKeyStore()
    expect(() => store.tamper(randomUUID(), { tenant: 'globex' })).toThrow(/no row/)
    expect(() => store.remove(randomUUID())).toThrow(/no row/)
  })

  it('lets exactly one of many concurrent writers of a version win', async () => {
    const store = memoryKeyStore()
    const won = await Promise.all(Array.from({ length: 50 }, () => store.insert(row())))
    expect(won.filter(Boolean)).toHaveLength(1)
    expect(store.rows).toHaveLength(1)
  })

  it('lets readers that start together with a writer see nothing yet, and later readers see the row', async () => {
    const store = memoryKeyStore()
    const [before, inserted] = await Promise.all([store.findNewest('acme', 'encrypt'), store.insert(row())])
    expect(before).toBeNull()
    expect(inserted).toBe(true)
    expect(await store.findNewest('acme', 'encrypt')).toEqual(store.rows[0])
  })

  it('finds the newest version whatever its state, of this tenant and purpose only', async () => {
    const newest = row({ version: 3, state: 'destroyed', wrapped: null })
    const others = [row({ version: 9, tenant: 'globex' }), row({ version: 8, purpose: 'index' })]
    const store = memoryKeyStore([newest, row({ version: 2 }), ...others])
    expect(await store.findNewest('acme', 'encrypt')).toEqual(newest)
  })

  it('finds rows by ids and leaves out unknown ones', async () => {
    const [a, b] = [row(), row({ version: 2 })]
    const store = memoryKeyStore([a, b])
    expect(await store.findByIds([b.id, randomUUID(), b.id])).toEqual([b])
  })

  it('retires the version before a new one, which a destroyed one does not allow', async () => {
    const first = row()
    const store = memoryKeyStore([first])
    expect(await store.insert(row({ version: 2 }))).toBe(true)
    expect(store.rows.map(({ state }) => state)).toEqual(['retired', 'active'])
    store.tamper(store.rows[1]!.id, { state: 'destroyed', wrapped: null })
    expect(await store.insert(row({ version: 3 }))).toBe(false)
    expect(store.rows).toHaveLength(2)
  })

  it('reserves messages of an active key up to a limit, and none of another', async () => {
    const [active, retired] = [row(), row({ version: 2, state: 'retired' })]
    const store = memoryKeyStore([active, retired])
    const granted = await Promise.all([60, 60, 60].map((count) => store.reserve(active.id, count, 100)))
    expect(granted).toEqual([60, 40, 0])
    expect(store.rows[0]!.messages).toBe(100)
    expect(await store.reserve(retired.id, 1, 100)).toBe(0)
    expect(await store.reserve(randomUUID(), 1, 100)).toBe(0)
  })

  it('hands out copies: neither a caller nor the inserted object can change the table', async () => {
    const mutable = { ...row() }
    const store = memoryKeyStore()
    await store.insert(mutable)
    mutable.tenant = 'globex'
    const found = await store.findByIds([mutable.id])
    Object.assign(found[0]!, { wrapped: 'changed' })
    expect(store.rows[0]).toMatchObject({ tenant: 'acme', wrapped: 'opaque' })
  })

  it('counts its calls, also those that failed', async () => {
    const store = memoryKeyStore()
    store.fail({ method: 'findNewest', times: 1 })
    await expect(store.findNewest('acme', 'encrypt')).rejects.toThrow()
    await store.findNewest('acme', 'encrypt')
    await store.findByIds([])
    expect(store.calls).toMatchObject({ findNewest: 2, findByIds: 1, insert: 0, reserve: 0 })
  })

  it('tampers with and removes rows behind the readers', async () => {
    const stored = row()
    const store = memoryKeyStore([stored])
    store.tamper(stored.id, { tenant: 'globex' })
    expect(await store.findByIds([stored.id])).toEqual([{ ...stored, tenant: 'globex' }])
    store.remove(stored.id)
    expect(await store.findByIds([stored.id])).toEqual([])
  })
})
