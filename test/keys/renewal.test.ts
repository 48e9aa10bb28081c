import { describe, expect, it } from '@jest/globals'
import { localKms } from 'fieldseal/local-kms'
import { memoryKeyStore } from 'fieldseal/testing'
import { DekCache } from '../../src/keys/cache/dekCache.js'
import { KeyRing } from '../../src/keys/keyRing.js'
import { eventually } from '../support/eventually.js'

const TTL = 1_000

/** A ring with one DEK in memory, and a clock to turn. */
async function start() {
  let time = 0
  const store = memoryKeyStore()
  const kms = localKms({ key: 'ab'.repeat(32) })
  const cache = new DekCache({ ttl: TTL, max: 10, clock: { now: () => time } })
  const ring = new KeyRing({ kms, store, cache })
  time = 1
  const dek = await ring.active.get('acme', 'encrypt')
  const queries = () => store.calls.findNewest + store.calls.findByIds
  const before = queries()
  return {
    ring,
    store,
    dek,
    pass: (milliseconds: number) => {
      time += milliseconds
    },
    /** Queries of the keys table since the start. */
    queries: () => queries() - before,
  }
}

const uses = {
  'as the active DEK': ({ ring }: { ring: KeyRing }) => ring.active.cached('acme', 'encrypt'),
  'by its id': ({ ring, dek }: { ring: KeyRing; dek: { id: string } }) => ring.loaded.cached(dek.id),
}

describe.each(Object.entries(uses))('a DEK in memory that is used %s', (_, use) => {
  it('serves to the end of its time when it cannot be fetched again, which is tried once', async () => {
    const process = await start()
    process.store.fail()
    process.pass(TTL * 0.9)
    expect(use(process)).toBe(process.dek)
    await eventually(async () => expect(await process.queries()).toBe(1), { timeout: 20_000 })
    expect(use(process)).toBe(process.dek)
    process.pass(TTL * 0.2)
    expect(use(process)).toBeUndefined()
    expect(process.queries()).toBe(1)
    process.store.repair()
    expect(await process.ring.active.get('acme', 'encrypt')).toMatchObject({ id: process.dek.id })
  })

  it('is left alone for most of its time', async () => {
    const process = await start()
    process.pass(TTL * 0.75)
    expect(use(process)).toBe(process.dek)
    expect(process.queries()).toBe(0)
  })

  it('is fetched again near the end of its time, once and behind its users, and goes on without a pause', async () => {
    const process = await start()
    process.pass(TTL * 0.9)
    for (let i = 0; i < 100; i += 1) expect(use(process)).toBe(process.dek)
    await eventually(() => expect(use(process) !== process.dek).toBe(true), { timeout: 20_000 })
    expect(process.queries()).toBe(1)
    process.pass(TTL * 0.5)
    expect(use(process)).toMatchObject({ id: process.dek.id, tenant: 'acme' })
    expect(process.queries()).toBe(1)
  })
})

describe('a DEK in memory that nobody uses', () => {
  it('is not fetched again', async () => {
    const process = await start()
    process.pass(TTL * 2)
    expect(process.ring.active.cached('acme', 'encrypt')).toBeUndefined()
    expect(process.queries()).toBe(0)
  })
})
