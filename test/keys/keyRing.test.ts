import { randomUUID } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import { decrypt, encrypt, randomNonces } from '../../src/crypto/aead.js'
import { type ErrorCode, FieldsealError } from '../../src/errors.js'
import { DekCache, type DekCacheOptions } from '../../src/keys/cache/dekCache.js'
import type { Dek } from '../../src/keys/dek.js'
import { KeyRing } from '../../src/keys/keyRing.js'
import type { StoredKey } from '../../src/keys/keyStore.js'
import type { Kms } from '../../src/keys/kms.js'
import { ANY_TENANT, type TenantScope } from '../../src/tenancy/scope.js'
import { memoryKeyStore } from '../../src/testing/memoryKeyStore.js'
import { fail } from '../support/fail.js'
import { formsIn } from './secretForms.js'
import { storeWith } from './storeWith.js'
import { watchedKms } from './watchedKms.js'

/** One process: a key ring with a cache of its own, on a keys table that others may share. */
function start({ kms = watchedKms(), store = memoryKeyStore(), ...options }: Partial<Process> = {}) {
  const { cache = new DekCache({ ttl: 60_000, max: 1000 }) } = options
  return { kms, store, cache, ring: new KeyRing({ kms, store, cache }) }
}

interface Process {
  readonly kms: ReturnType<typeof watchedKms>
  readonly store: ReturnType<typeof memoryKeyStore>
  readonly cache: DekCache
}

/** The same keys table and KMS, seen by a process that has just started. */
function restart({ kms, store }: Process, options?: DekCacheOptions) {
  const count = { ...store.calls }
  const kmsCount = { ...kms.calls }
  const spent = () => ({
    findNewest: store.calls.findNewest - count.findNewest,
    findByIds: store.calls.findByIds - count.findByIds,
    insert: store.calls.insert - count.insert,
    reserve: store.calls.reserve - count.reserve,
    generate: kms.calls.generate - kmsCount.generate,
    unwrap: kms.calls.unwrap - kmsCount.unwrap,
  })
  return { ...start({ kms, store, ...(options && { cache: new DekCache(options) }) }), spent }
}

const NOTHING = { findNewest: 0, findByIds: 0, insert: 0, reserve: 0, generate: 0, unwrap: 0 }

async function refusal(promise: Promise<unknown>): Promise<FieldsealError> {
  const error: unknown = await promise.then(
    () => fail('was not refused'),
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(FieldsealError)
  return error as FieldsealError
}

async function expectRefusal(promise: Promise<unknown>, code: ErrorCode, message: RegExp): Promise<void> {
  expect(await refusal(promise)).toMatchObject({ code, message: expect.stringMatching(message) })
}

const EMAIL = { context: 'User.email', kind: 'String', column: 'String' } as const

function works(one: Dek, other: Dek): boolean {
  const sealed = encrypt(one.key, one.place(EMAIL, false).aad, 'Ada', randomNonces(1))
  return decrypt(other.key, other.place(EMAIL, false).aad, sealed)?.toString() === 'Ada'
}

const many = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i))

/** A process with one DEK of acme, and its row. */
async function withDek(purpose: 'encrypt' | 'index' = 'encrypt') {
  const process = start()
  const dek = await process.ring.active.get('acme', purpose)
  return { ...process, dek, id: dek.id }
}

describe('a keys table that was tampered with', () => {
  it('refuses a DEK that has no row', async () => {
    const { ring } = restart(await withDek())
    await expectRefusal(ring.loaded.load([randomUUID()], 'acme'), 'KEY_NOT_FOUND', /not in the keys table/)
  })

  it.each<[string, Partial<StoredKey>, ErrorCode, RegExp]>([
    ['is destroyed', { state: 'destroyed', wrapped: null }, 'KEY_DESTROYED', /was destroyed/],
    ['is destroyed, though its wrapped key is still there', { state: 'destroyed' }, 'KEY_DESTROYED', /was destroyed/],
    ['has a state nobody knows', { state: 'lost' as 'active' }, 'KEY_INVALID', /unknown state/],
    ['is wrapped by another KMS', { kms: 'tencent' }, 'KEY_INVALID', /wrapped by the KMS "tencent", not "local"/],
    ['has no wrapped key', { wrapped: null }, 'KEY_INVALID', /no wrapped key/],
  ])('refuses a DEK whose row %s, without asking the KMS', async (_, change, code, message) => {
    const process = await withDek()
    process.store.tamper(process.id, change)
    const { ring, spent } = restart(process)
    await expectRefusal(ring.loaded.load([process.id], 'acme'), code, message)
    await expectRefusal(ring.loaded.load([process.id], ANY_TENANT), code, message)
    await expectRefusal(ring.active.get('acme', 'encrypt'), code, message)
    expect(spent()).toEqual({ ...NOTHING, findByIds: 2, findNewest: 1 })
  })

  it('refuses a row whose tenant was swapped: the KMS bound the DEK to its tenant', async () => {
    const process = await withDek()
    process.store.tamper(process.id, { tenant: 'evil' })
    const { ring, spent } = restart(process)
    await expectRefusal(ring.loaded.load([process.id], 'acme'), 'TENANT_MISMATCH', /another tenant/)
    expect(spent().unwrap).toBe(0)
    await expectRefusal(ring.loaded.load([process.id], 'evil'), 'KEY_INVALID', /refused by the KMS/)
    await expectRefusal(ring.active.get('evil', 'encrypt'), 'KEY_INVALID', /refused by the KMS/)
  })

  it('refuses wrapped keys that were swapped between the rows of two tenants', async () => {
    const process = await withDek()
    const other = await process.ring.active.get('other', 'encrypt')
    const [mine, theirs] = process.store.rows as [StoredKey, StoredKey]
    process.store.tamper(mine.id, { wrapped: theirs.wrapped })
    process.store.tamper(theirs.id, { wrapped: mine.wrapped })
    const { ring } = restart(process)
    await expectRefusal(ring.loaded.load([process.id], 'acme'), 'KEY_INVALID', /refused by the KMS/)
    await expectRefusal(ring.loaded.load([other.id], 'other'), 'KEY_INVALID', /refused by the KMS/)
  })

  it('refuses wrapped keys that were swapped between two versions of one tenant', async () => {
    const process = await withDek()
    process.store.tamper(process.id, { state: 'retired' })
    const second = await restart(process).ring.active.get('acme', 'encrypt')
    const [v1, v2] = process.store.rows as [StoredKey, StoredKey]
    process.store.tamper(v1.id, { wrapped: v2.wrapped })
    process.store.tamper(v2.id, { wrapped: v1.wrapped })
    const { ring } = restart(process)
    for (const id of [process.id, second.id]) {
      await expectRefusal(ring.loaded.load([id], 'acme'), 'KEY_INVALID', /refused by the KMS/)
    }
    await expectRefusal(ring.active.get('acme', 'encrypt'), 'KEY_INVALID', /refused by the KMS/)
  })

  it('refuses a row whose purpose was swapped, in both directions', async () => {
    const process = await withDek('encrypt')
    const index = await process.ring.active.get('acme', 'index')
    process.store.tamper(process.id, { purpose: 'index' })
    process.store.tamper(index.id, { purpose: 'encrypt' })
    const { ring, spent } = restart(process)
    await expectRefusal(ring.loaded.load([process.id], 'acme'), 'KEY_INVALID', /has the purpose "index"/)
    expect(spent().unwrap).toBe(0)
    await expectRefusal(ring.loaded.load([index.id], 'acme'), 'KEY_INVALID', /refused by the KMS/)
    await expectRefusal(ring.active.get('acme', 'encrypt'), 'KEY_INVALID', /refused by the KMS/)
    await expectRefusal(ring.active.get('acme', 'index'), 'KEY_INVALID', /refused by the KMS/)
  })

  it('refuses an index DEK where a ciphertext names it, in memory as in the table', async () => {
    const process = await withDek('index')
    await expectRefusal(
      restart(process).ring.loaded.load([process.id], 'acme'),
      'KEY_INVALID',
      /has the purpose "index"/,
    )
    expect(process.ring.loaded.cached(process.id)).toBeUndefined()
    await expectRefusal(process.ring.loaded.load([process.id], 'acme'), 'KEY_INVALID', /has the purpose "index"/)
  })

  it('refuses a row that a table returns for another tenant, or with an id that is none', async () => {
    const process = await withDek()
    const row = process.store.rows[0]!
    const answering = (answer: StoredKey) => {
      const store = storeWith(process.store, { findNewest: async () => answer })
      return new KeyRing({ kms: process.kms, store, cache: new DekCache({ ttl: 1000, max: 10 }) })
    }
    await expectRefusal(answering(row).active.get('ACME', 'encrypt'), 'KEY_INVALID', /another tenant/)
    const upper = { ...row, id: row.id.toUpperCase().replace(/\d/, 'A') }
    await expectRefusal(answering(upper).active.get('acme', 'encrypt'), 'KEY_INVALID', /lower-case UUID/)
  })
})

describe('another tenant', () => {
  it("is refused a DEK that is not its own, cold, and the KMS isn't asked", async () => {
    const process = await withDek()
    const { ring, spent } = restart(process)
    await expectRefusal(ring.loaded.load([process.id], 'evil'), 'TENANT_MISMATCH', /tenant "evil" .* another tenant/)
    expect(spent()).toEqual({ ...NOTHING, findByIds: 1 })
  })

  it('is refused it from memory too', async () => {
    const { ring, id } = await withDek()
    await expectRefusal(ring.loaded.load([id], 'evil'), 'TENANT_MISMATCH', /tenant "evil" .* another tenant/)
    expect(await ring.loaded.load([id], ANY_TENANT)).toHaveLength(1)
  })

  it('neither shares the answer nor the error of those who wait at the same time', async () => {
    const process = await withDek()
    const { ring, kms } = restart(process)
    kms.unwrapped.length = 0
    const scopes: TenantScope[] = ['acme', 'evil', ANY_TENANT, 'acme', 'evil', 'Symbol(any tenant)', '']
    const outcomes = await Promise.allSettled(scopes.map((scope) => ring.loaded.load([process.id], scope)))
    const seen = outcomes.map((outcome) => {
      return outcome.status === 'fulfilled' ? outcome.value[0]!.tenant : (outcome.reason as FieldsealError).code
    })
    const no = 'TENANT_MISMATCH'
    expect(seen).toEqual(['acme', no, 'acme', 'acme', no, no, no])
    expect(new Set(kms.unwrapped.map(({ tenant }) => tenant))).toEqual(new Set(['acme']))
  })

  it('is refused the whole request when one DEK in it is not its own, which is never unwrapped', async () => {
    const process = await withDek()
    const other = await process.ring.active.get('other', 'encrypt')
    const { ring, kms } = restart(process)
    kms.unwrapped.length = 0
    await expectRefusal(ring.loaded.load([process.id, other.id], 'acme'), 'TENANT_MISMATCH', new RegExp(other.id))
    expect(kms.unwrapped.every(({ tenant }) => tenant === 'acme')).toBe(true)
    expect(await ring.loaded.load([process.id], 'acme')).toHaveLength(1)
  })

  it('is refused for an id that is too long before anything is asked', async () => {
    const process = start()
    await expectRefusal(process.ring.active.get('x'.repeat(1000), 'encrypt'), 'TENANT_INVALID', /too long/)
    expect([process.store.calls, process.kms.calls]).toEqual([
      expect.objectContaining({ findNewest: 0, findByIds: 0, insert: 0, reserve: 0 }),
      { generate: 0, unwrap: 0 },
    ])
  })
})

describe('a KMS or keys table that fails', () => {
  const down = new FieldsealError('KMS_UNAVAILABLE', 'the KMS is down')

  it('fails all who wait for a first DEK, writes nothing, and the next call works', async () => {
    const { ring, kms, store } = start()
    kms.error = down
    const outcomes = await Promise.allSettled(many(100, () => ring.active.get('acme', 'encrypt')))
    expect(new Set(outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason))).toEqual(new Set([down]))
    expect([kms.calls.generate, store.rows.length]).toEqual([1, 0])
    kms.error = undefined
    expect((await ring.active.get('acme', 'encrypt')).tenant).toBe('acme')
  })

  it('fails all who wait for a load, and the next call works', async () => {
    const process = await withDek()
    const { ring, kms, spent } = restart(process)
    kms.error = down
    const outcomes = await Promise.allSettled(many(100, () => ring.loaded.load([process.id], 'acme')))
    expect(outcomes.every((outcome) => outcome.status === 'rejected' && outcome.reason === down)).toBe(true)
    expect(spent()).toEqual({ ...NOTHING, findByIds: 1, unwrap: 1 })
    kms.error = undefined
    expect(await ring.loaded.load([process.id], 'acme')).toHaveLength(1)
  })

  it.each(['findNewest', 'insert'] as const)('gives a failing %s to all who wait, then tries again', async (method) => {
    const { ring, store } = start()
    store.fail({ method, times: 1 })
    const outcomes = await Promise.allSettled(many(50, () => ring.active.get('acme', 'encrypt')))
    const codes = outcomes.map((outcome) => outcome.status === 'rejected' && (outcome.reason as FieldsealError).code)
    expect(new Set(codes)).toEqual(new Set(['KEY_STORE_UNAVAILABLE']))
    expect([ring.active.cached('acme', 'encrypt'), store.rows.length]).toEqual([undefined, 0])
    expect((await ring.active.get('acme', 'encrypt')).id).toBe(store.rows[0]!.id)
  })

  it('gives a failing findByIds to all who wait, then tries again', async () => {
    const process = await withDek()
    const { ring, store } = restart(process)
    store.fail({ method: 'findByIds', times: 1 })
    const outcomes = await Promise.allSettled(many(50, () => ring.loaded.load([process.id], 'acme')))
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true)
    expect(await ring.loaded.load([process.id], 'acme')).toHaveLength(1)
  })

  it('fails one tenant and not the other', async () => {
    const failing = watchedKms()
    const kms: Kms = {
      ...failing,
      generate: (identity) => (identity.tenant === 'acme' ? Promise.reject(down) : failing.generate(identity)),
    }
    const ring = new KeyRing({ kms, store: memoryKeyStore(), cache: new DekCache({ ttl: 1000, max: 10 }) })
    const tenants = ['acme', 'other', 'acme', 'other']
    const outcomes = await Promise.allSettled(tenants.map((tenant) => ring.active.get(tenant, 'encrypt')))
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected', 'fulfilled'])
  })

  it('passes the codes of a KMS on, but for a refused wrapped key, whose cause it keeps', async () => {
    const process = await withDek()
    const codes = ['KMS_DENIED', 'KMS_THROTTLED', 'KMS_KEY_UNUSABLE', 'KMS_REFUSED'] as const
    for (const code of codes) {
      const { ring, kms } = restart(process)
      kms.error = new FieldsealError(code, 'no')
      const error = await refusal(ring.loaded.load([process.id], 'acme'))
      expect(error.code).toBe(code === 'KMS_REFUSED' ? 'KEY_INVALID' : code)
      expect(code === 'KMS_REFUSED' ? error.cause : error).toBe(kms.error)
      kms.error = undefined
    }
  })

  it('does not store or cache a DEK of a wrong length', async () => {
    const short: Kms = { ...watchedKms(), generate: async () => ({ dek: Buffer.alloc(16), wrapped: 'x', kekId: 'y' }) }
    const store = memoryKeyStore()
    const ring = new KeyRing({ kms: short, store, cache: new DekCache({ ttl: 1000, max: 10 }) })
    await expectRefusal(ring.active.get('acme', 'encrypt'), 'KEY_INVALID', /other than 32 bytes/)
    expect([store.rows, ring.active.cached('acme', 'encrypt')]).toEqual([[], undefined])
  })
})

describe('the active DEK', () => {
  it('is made with one KMS call and one row for 1,000 concurrent first uses', async () => {
    const { ring, kms, store } = start()
    const deks = await Promise.all(many(1000, () => ring.active.get('acme', 'encrypt')))
    expect(new Set(deks).size).toBe(1)
    expect([kms.calls, store.calls]).toEqual([
      { generate: 1, unwrap: 0 },
      expect.objectContaining({ findNewest: 1, findByIds: 0, insert: 1, reserve: 0 }),
    ])
  })

  it('is unwrapped once for a read and a write that need it at once', async () => {
    const { kms, store, cache, id } = await withDek()
    cache.clear()
    const before = kms.calls.unwrap
    const slow: Kms = {
      ...kms,
      async unwrap(...args) {
        await new Promise(setImmediate)
        return kms.unwrap(...args)
      },
    }
    const ring = new KeyRing({ kms: slow, store, cache })
    const [[read], written] = await Promise.all([ring.loaded.load([id], 'acme'), ring.active.get('acme', 'encrypt')])
    expect(read).toBe(written)
    expect(kms.calls.unwrap - before).toBe(1)
  })

  it('is found with one KMS call and one query for 1,000 concurrent first uses, and none for the next', async () => {
    const process = await withDek()
    const { ring, spent } = restart(process)
    const deks = await Promise.all(many(1000, () => ring.active.get('acme', 'encrypt')))
    expect(new Set(deks.map(({ id }) => id))).toEqual(new Set([process.id]))
    expect(spent()).toEqual({ ...NOTHING, findNewest: 1, unwrap: 1 })
    await Promise.all(many(1000, () => ring.active.get('acme', 'encrypt')))
    expect(ring.active.cached('acme', 'encrypt')).toBe(deks[0])
    expect(spent()).toEqual({ ...NOTHING, findNewest: 1, unwrap: 1 })
  })

  it('is written as a row with everything a later process needs', async () => {
    const { store, kms, id } = await withDek()
    expect(store.rows).toEqual([
      {
        id,
        tenant: 'acme',
        purpose: 'encrypt',
        version: 1,
        state: 'active',
        wrapped: expect.stringMatching(/^fslk1\./),
        kms: kms.name,
        kekId: expect.stringMatching(/^local:/),
        messages: 2 ** 20,
        createdAt: expect.any(Date),
        destroyedAt: null,
      },
    ])
  })

  it('is one for all processes that make it at the same time, and usable by each', async () => {
    const kms = watchedKms()
    const store = memoryKeyStore()
    const processes = many(4, () => start({ kms, store }))
    const deks = await Promise.all(processes.flatMap(({ ring }) => many(50, () => ring.active.get('acme', 'encrypt'))))
    expect(store.rows.map(({ version, state }) => [version, state])).toEqual([[1, 'active']])
    expect(store.calls.insert).toBe(4)
    expect(new Set(deks.map(({ id }) => id))).toEqual(new Set([store.rows[0]!.id]))
    for (const dek of new Set(deks)) expect(works(deks[0]!, dek) && works(dek, deks[0]!)).toBe(true)
  })

  it('is another for each tenant and purpose', async () => {
    const { ring, store } = start()
    const keys = await Promise.all([
      ring.active.get('acme', 'encrypt'),
      ring.active.get('acme', 'index'),
      ring.active.get('other', 'encrypt'),
    ])
    expect([new Set(keys.map(({ id }) => id)).size, store.rows.length]).toEqual([3, 3])
    expect(works(keys[0], keys[2])).toBe(false)
  })

  it('is the next version when the newest is retired, which still decrypts', async () => {
    const process = await withDek()
    process.store.tamper(process.id, { state: 'retired' })
    const { ring, store } = restart(process)
    const next = await ring.active.get('acme', 'encrypt')
    expect(store.rows.map(({ version, state }) => [version, state])).toEqual([
      [1, 'retired'],
      [2, 'active'],
    ])
    expect(next.id).not.toBe(process.id)
    expect(works(process.dek, (await ring.loaded.load([process.id], 'acme'))[0]!)).toBe(true)
  })

  it('is not made anew when the newest is destroyed', async () => {
    const process = await withDek()
    process.store.tamper(process.id, { state: 'destroyed', wrapped: null })
    const { ring, spent } = restart(process)
    await expectRefusal(ring.active.get('acme', 'encrypt'), 'KEY_DESTROYED', /was destroyed/)
    expect(spent()).toEqual({ ...NOTHING, findNewest: 1 })
  })

  /** A store where another process is always quicker: `meanwhile` happens just before our insert. */
  function outrun(process: Process, meanwhile: (id: string) => void): KeyRing {
    const { kms, store } = process
    const slow = storeWith(store, {
      insert: async (key) => {
        if (store.rows.length === 0) meanwhile((await start({ kms, store }).ring.active.get('acme', 'encrypt')).id)
        return store.insert(key)
      },
    })
    return new KeyRing({ kms, store: slow, cache: new DekCache({ ttl: 1000, max: 10 }) })
  }

  it("is the winner's when the insert comes second", async () => {
    const process = start()
    const dek = await outrun(process, () => {}).active.get('acme', 'encrypt')
    expect(process.store.rows.map(({ id }) => id)).toEqual([dek.id])
    expect(process.kms.calls).toEqual({ generate: 2, unwrap: 1 })
  })

  it("is the version after the winner's when that is retired already", async () => {
    const process = start()
    const dek = await outrun(process, (id) => process.store.tamper(id, { state: 'retired' })).active.get(
      'acme',
      'encrypt',
    )
    expect(process.store.rows.map(({ version, state }) => [version, state])).toEqual([
      [1, 'retired'],
      [2, 'active'],
    ])
    expect(process.store.rows[1]!.id).toBe(dek.id)
  })

  it('is refused when the winner is destroyed already, or cannot be read back', async () => {
    const process = start()
    const destroyed = outrun(process, (id) => process.store.tamper(id, { state: 'destroyed', wrapped: null }))
    await expectRefusal(destroyed.active.get('acme', 'encrypt'), 'KEY_DESTROYED', /was destroyed/)
    const { kms, store } = await withDek()
    const lagging = storeWith(store, { findNewest: async () => null })
    const ring = new KeyRing({ kms, store: lagging, cache: new DekCache({ ttl: 1000, max: 10 }) })
    await expectRefusal(ring.active.get('acme', 'encrypt'), 'KEY_STORE_UNAVAILABLE', /cannot be read back/)
  })

  it('is refused, not tried for ever, when the table is read from a copy that lags behind', async () => {
    const process = await withDek()
    process.store.tamper(process.id, { state: 'retired' })
    const stale = process.store.rows[0]!
    await restart(process).ring.active.get('acme', 'encrypt')
    const lagging = storeWith(process.store, { findNewest: async () => stale })
    const ring = new KeyRing({ kms: process.kms, store: lagging, cache: new DekCache({ ttl: 1000, max: 10 }) })
    await expectRefusal(ring.active.get('acme', 'encrypt'), 'KEY_STORE_UNAVAILABLE', /cannot be read back/)
    expect(process.store.rows.length).toBe(2)
  })

  it('is asked for again when its time in memory is over', async () => {
    const process = await withDek()
    let time = 1
    const { ring, spent } = restart(process, { ttl: 1000, max: 10, clock: { now: () => time } })
    await ring.active.get('acme', 'encrypt')
    time += 1001
    expect(ring.active.cached('acme', 'encrypt')).toBeUndefined()
    expect((await ring.active.get('acme', 'encrypt')).id).toBe(process.id)
    expect(spent()).toEqual({ ...NOTHING, findNewest: 2, unwrap: 2 })
  })
})

describe('loading DEKs by id', () => {
  async function withDeks(count: number) {
    const process = start()
    const deks = await Promise.all(many(count, (i) => process.ring.active.get(`tenant ${i}`, 'encrypt')))
    return { ...process, ids: deks.map(({ id }) => id), deks }
  }

  it('takes one query for many, and gives them in the order asked, duplicates too', async () => {
    const process = await withDeks(50)
    const { ring, spent } = restart(process)
    const ids = [...process.ids, ...process.ids.slice(0, 5).reverse()]
    const deks = await ring.loaded.load(ids, ANY_TENANT)
    expect(deks.map(({ id }) => id)).toEqual(ids)
    expect(deks.every((dek, i) => works(dek, process.deks[process.ids.indexOf(ids[i]!)]!))).toBe(true)
    expect(spent()).toEqual({ ...NOTHING, findByIds: 1, unwrap: 50 })
  })

  it('takes one query and one KMS call for 1,000 concurrent first reads, and none for the next', async () => {
    const process = await withDek()
    const { ring, spent } = restart(process)
    const once = { ...NOTHING, findByIds: 1, unwrap: 1 }
    const deks = await Promise.all(many(1000, () => ring.loaded.load([process.id], 'acme')))
    expect([new Set(deks.flat()).size, spent()]).toEqual([1, once])
    await Promise.all(many(1000, () => ring.loaded.load([process.id], 'acme')))
    expect([ring.loaded.cached(process.id), spent()]).toEqual([deks[0]![0], once])
  })

  it('takes one query and one KMS call for a tenant and for all tenants at once', async () => {
    const process = await withDek()
    const { ring, spent } = restart(process)
    const [[mine], [anyones]] = await Promise.all([
      ring.loaded.load([process.id], 'acme'),
      ring.loaded.load([process.id], ANY_TENANT),
    ])
    expect(mine).toBe(anyones)
    expect(spent()).toEqual({ ...NOTHING, findByIds: 1, unwrap: 1 })
  })

  it('asks only for what is neither in memory nor on its way', async () => {
    const process = await withDeks(3)
    const { ring, spent } = restart(process)
    const [a, b, c] = process.ids as [string, string, string]
    await ring.loaded.load([a], ANY_TENANT)
    await Promise.all([
      ring.loaded.load([a, b], ANY_TENANT),
      ring.loaded.load([a, b, c], ANY_TENANT),
      ring.loaded.load([b, c], ANY_TENANT),
    ])
    expect(spent()).toEqual({ ...NOTHING, findByIds: 3, unwrap: 3 })
  })

  it('gives each id its own outcome, those in memory too, and throws none of them', async () => {
    const process = await withDek()
    const other = await process.ring.active.get('other', 'encrypt')
    const gone = randomUUID()
    const cold = restart(process).ring
    for (const ring of [process.ring, cold]) {
      const outcomes = await Promise.allSettled(ring.loaded.loadEach([other.id, process.id, gone], 'acme'))
      const seen = outcomes.map((outcome) => {
        return outcome.status === 'fulfilled' ? outcome.value.id : (outcome.reason as FieldsealError).code
      })
      expect(seen).toEqual(['TENANT_MISMATCH', process.id, 'KEY_NOT_FOUND'])
    }
  })

  it('rejects, and stays usable, with a store that throws instead of rejecting', async () => {
    const process = await withDek()
    const broken = new FieldsealError('KEY_STORE_UNAVAILABLE', 'no connection')
    let [up, times] = [false, 0]
    const store = storeWith(process.store, {
      findByIds: (ids) => {
        times += 1
        if (!up) throw broken
        return process.store.findByIds(ids)
      },
    })
    const ring = new KeyRing({ kms: process.kms, store, cache: new DekCache({ ttl: 1000, max: 10 }) })
    const outcomes = await Promise.allSettled(ring.loaded.loadEach([process.id, randomUUID()], 'acme'))
    expect(outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason)).toEqual([broken, broken])
    up = true
    expect([(await ring.loaded.load([process.id], 'acme')).length, times]).toEqual([1, 2])
  })

  it('asks nothing for no ids', async () => {
    const { ring, spent } = restart(start())
    expect(await ring.loaded.load([], 'acme')).toEqual([])
    expect(spent()).toEqual(NOTHING)
  })

  it('gives every DEK even when more are asked for than memory may hold', async () => {
    const process = await withDeks(100)
    const { ring, cache } = restart(process, { ttl: 60_000, max: 10 })
    const deks = await ring.loaded.load(process.ids, ANY_TENANT)
    expect(deks.map(({ id }) => id)).toEqual(process.ids)
    expect(cache.size).toBe(10)
  })

  it('stays within the bound with ten times more tenants than fit', async () => {
    const process = start({ cache: new DekCache({ ttl: 60_000, max: 10 }) })
    for (const tenant of many(100, (i) => `tenant ${i}`)) {
      expect((await process.ring.active.get(tenant, 'encrypt')).tenant).toBe(tenant)
      expect(process.cache.size).toBeLessThanOrEqual(10)
    }
    expect((await process.ring.active.get('tenant 0', 'encrypt')).id).toBe(process.store.rows[0]!.id)
    expect(process.store.rows.length).toBe(100)
  })
})

describe('key material', () => {
  it('is zeroed in every buffer that the KMS handed out', async () => {
    const process = await withDek()
    const { ring, kms } = restart(process)
    await Promise.all([ring.active.get('acme', 'encrypt'), ring.loaded.load([process.id], 'acme')])
    expect(kms.given.length).toBe(3)
    expect(kms.copies.some((copy) => copy.every((byte) => byte === 0))).toBe(false)
    expect(kms.given.every((buffer) => buffer.every((byte) => byte === 0))).toBe(true)
  })

  it('shows nowhere in a key ring, its cache, or its errors', async () => {
    const process = await withDek()
    const { ring, cache, kms, dek } = process
    process.store.tamper(process.id, { wrapped: 'broken' })
    const error = await refusal(restart(process).ring.loaded.load([process.id], 'acme'))
    const all = [ring, cache, dek, error, error.stack]
    const shown = all.map((one) => inspect(one, { showHidden: true, depth: null }) + JSON.stringify(one)).join('\n')
    for (const secret of [...kms.copies, dek.key.export()]) expect(formsIn(shown, secret)).toEqual([])
    expect(formsIn(shown + kms.copies[0]!.toString('hex'), kms.copies[0]!)).toContain('hex')
  })
})
