import { createCipheriv, hkdfSync, randomBytes, randomUUID } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, it, jest } from '@jest/globals'
import fc from 'fast-check'
import type { StoredKey } from '../../../src/keys/keyStore.js'
import type { DekIdentity, Kms } from '../../../src/keys/kms.js'
import { type HierarchicalKmsOptions, hierarchicalKms } from '../../../src/kms/hierarchical/hierarchicalKms.js'
import { localKms } from '../../../src/kms/localKms.js'
import { type MemoryKeyStore, memoryKeyStore } from '../../../src/testing/memoryKeyStore.js'
import { watchedKms } from '../../keys/watchedKms.js'
import { fail } from '../../support/fail.js'
import { onTestFinished } from '../../support/onTestFinished.js'
import { refusal, refusalCode } from '../../support/refusal.js'

type Options = Partial<HierarchicalKmsOptions> & { readonly store?: MemoryKeyStore }

/** A hierarchy over a KMS that is counted, as one process has it. */
function start({ store = memoryKeyStore(), ...options }: Options = {}) {
  const inner = watchedKms(options.kms)
  return { store, inner, kms: hierarchicalKms({ ...options, kms: inner })(store) }
}

/** Another process with the same KEK and keys table. */
const KEK = randomBytes(32).toString('base64')
const shared = () => localKms({ key: KEK })

function identity(tenant = 'acme', purpose: DekIdentity['purpose'] = 'encrypt'): DekIdentity {
  return { key: randomUUID(), purpose, tenant }
}

const wrapRows = (store: MemoryKeyStore) => store.rows.filter(({ purpose }) => purpose === 'wrap')

describe('hierarchicalKms, what it makes', () => {
  it('has the KMS itself wrap what authenticates maintenance: no intermediate key gives orders', async () => {
    const { kms, inner, store } = start()
    const whose = identity('*', 'maintenance')
    const { dek, ...wrapped } = await kms.generate(whose)
    expect(await kms.unwrap(wrapped, whose)).toEqual(dek)
    expect(inner.calls).toEqual({ generate: 1, unwrap: 1 })
    expect(wrapRows(store)).toEqual([])
    const { dek: _, ...underIntermediate } = await kms.generate({ ...whose, purpose: 'index' })
    expect(underIntermediate.wrapped).toMatch(/^fsw1\./)
    await expect(kms.unwrap(underIntermediate, whose)).rejects.toThrow()
  })

  it('wraps the DEKs of any number of tenants with one call of the KMS per shard, and opens them elsewhere with as many', async () => {
    const [store, kms] = [memoryKeyStore(), shared()]
    const maker = start({ store, kms, shards: 4 })
    const whose = Array.from({ length: 500 }, (_, i) => identity(`tenant ${i}`, i % 2 === 0 ? 'encrypt' : 'index'))
    const made = await Promise.all(whose.map((who) => maker.kms.generate(who)))
    expect(maker.inner.calls).toEqual({ generate: 4, unwrap: 0 })
    const reader = start({ store, kms, shards: 4 })
    const opened = await Promise.all(made.map((wrapped, i) => reader.kms.unwrap(wrapped, whose[i]!)))
    expect(reader.inner.calls).toEqual({ generate: 0, unwrap: 4 })
    expect(opened.map((dek, i) => dek.equals(made[i]!.dek)).every(Boolean)).toBe(true)
    expect(new Set(opened.map((dek) => dek.toString('hex'))).size).toBe(500)
    expect(
      wrapRows(store)
        .map(({ tenant }) => tenant)
        .toSorted(),
    ).toEqual(['shard-0', 'shard-1', 'shard-2', 'shard-3'])
  })

  it('keeps its own keys as rows that the KMS wrapped, and says of a DEK which of them wrapped it', async () => {
    const { store, inner, kms } = start()
    const { dek, wrapped, kekId } = await kms.generate(identity())
    const [row] = wrapRows(store)
    expect(row).toMatchObject({ id: kekId, purpose: 'wrap', version: 1, state: 'active', kms: 'local' })
    expect(inner.copies[0]!.equals(dek)).toBe(false)
    expect(wrapped).toMatch(/^fsw1\.[A-Za-z0-9_-]{80}$/)
    expect([kms.name, kms.reads]).toEqual(['hierarchy', ['local']])
  })

  it('gives each group of tenants a key of its own, and leaves those without a group to the KMS', async () => {
    const group = (tenant: string) => (tenant === 'own' ? null : `group ${tenant.at(0)}`)
    const { store, inner, kms } = start({ group })
    const whose = ['a1', 'a2', 'b1', 'own'].map((tenant) => identity(tenant))
    const made = await Promise.all(whose.map((who) => kms.generate(who)))
    expect(
      wrapRows(store)
        .map(({ tenant }) => tenant)
        .toSorted(),
    ).toEqual(['group a', 'group b'])
    expect(made[0]!.kekId).toBe(made[1]!.kekId)
    expect(made[3]).toMatchObject({ kms: 'local', wrapped: expect.stringMatching(/^fslk1\./) })
    expect(inner.calls.generate).toBe(3)
    for (const [i, who] of whose.entries()) {
      expect((await kms.unwrap(made[i]!, who)).equals(made[i]!.dek)).toBe(true)
    }
  })

  it('gives a group a new key when the old one is too old, which still opens what it wrapped', async () => {
    const { store, inner, kms } = start({ shards: 1, rotateAfter: '30d' })
    const who = identity()
    const old = await kms.generate(who)
    store.tamper(old.kekId, { createdAt: new Date(Date.now() - 31 * 86_400_000) })
    const later = hierarchicalKms({ kms: inner, shards: 1, rotateAfter: '30d' })(store)
    const next = await later.generate(identity())
    expect(wrapRows(store).map(({ version, state }) => `${version} ${state}`)).toEqual(['1 retired', '2 active'])
    expect([next.kekId === old.kekId, (await later.unwrap(old, who)).equals(old.dek)]).toEqual([false, true])
  })

  it('reserves messages of its keys before it wraps, as DEKs of tenants do', async () => {
    const { store, kms } = start({ shards: 1 })
    for (let i = 0; i < 3; i++) await kms.generate(identity())
    expect(wrapRows(store).map(({ messages }) => messages)).toEqual([2 ** 20])
    store.tamper(wrapRows(store)[0]!.id, { messages: 2 ** 32 })
    const restarted = hierarchicalKms({ kms: start().inner, shards: 1 })(store)
    await restarted.generate(identity())
    expect(wrapRows(store).map(({ version, state }) => `${version} ${state}`)).toEqual(['1 retired', '2 active'])
  })

  it('asks the KMS again when the time of an intermediate key is over, and not before', async () => {
    const clock = jest.spyOn(performance, 'now').mockReturnValue(1_000)
    onTestFinished(() => clock.mockRestore())
    const { inner, kms } = start({ shards: 1, ttl: 60_000 })
    const who = identity()
    const made = await kms.generate(who)
    clock.mockReturnValue(46_000)
    await kms.unwrap(made, who)
    expect(inner.calls).toEqual({ generate: 1, unwrap: 0 })
    clock.mockReturnValue(61_001)
    await kms.unwrap(made, who)
    expect(inner.calls).toEqual({ generate: 1, unwrap: 1 })
  })

  it('holds no more intermediate keys than it may', async () => {
    const { inner, kms } = start({ group: (tenant) => tenant, max: 2 })
    const whose = ['a', 'b', 'c'].map((tenant) => identity(tenant))
    const made: Awaited<ReturnType<Kms['generate']>>[] = []
    for (const who of whose) made.push(await kms.generate(who))
    await kms.unwrap(made[2]!, whose[2]!)
    expect(inner.calls.unwrap).toBe(0)
    await kms.unwrap(made[0]!, whose[0]!)
    expect(inner.calls.unwrap).toBe(1)
  })
})

describe('hierarchicalKms, what it refuses', () => {
  it('a DEK of another tenant, purpose or DEK id', async () => {
    const { kms } = start({ shards: 1 })
    const who = identity()
    const wrapped = await kms.generate(who)
    const others = [{ ...who, tenant: 'globex' }, { ...who, purpose: 'index' as const }, identity()]
    for (const other of others) expect(await refusalCode(() => kms.unwrap(wrapped, other))).toBe('KMS_REFUSED')
    const error = await refusal(() => kms.unwrap(wrapped, others[0]!))
    expect(inspect(error)).not.toContain(wrapped.wrapped)
  })

  it('a DEK of any tenant, for any other tenant, whatever their names', async () => {
    const { kms } = start({ shards: 1 })
    const tenant = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(tenant, tenant, async (one, other) => {
        const who = identity(one)
        const { dek, ...wrapped } = await kms.generate(who)
        expect((await kms.unwrap(wrapped, who)).equals(dek)).toBe(true)
        if (one === other) return
        expect(await refusalCode(() => kms.unwrap(wrapped, { ...who, tenant: other }))).toBe('KMS_REFUSED')
      }),
    )
  })

  it('every changed bit of a wrapped DEK, and every text of another form', async () => {
    const { kms } = start({ shards: 1 })
    const who = identity()
    const { wrapped, kekId } = await kms.generate(who)
    const body = Buffer.from(wrapped.slice('fsw1.'.length), 'base64url')
    const flipped = Array.from({ length: body.length * 8 }, (_, bit) => {
      const copy = Buffer.from(body)
      copy[bit >> 3]! ^= 1 << (bit & 7)
      return `fsw1.${copy.toString('base64url')}`
    })
    const others = ['fsw1.', wrapped.slice(0, -4), `${wrapped}AAAA`, `${wrapped}=`, wrapped.replace('w1', 'w2')]
    const codes = await Promise.all(
      [...flipped, ...others].map((text) => refusalCode(() => kms.unwrap({ wrapped: text, kekId }, who))),
    )
    expect([flipped.length, ...new Set(codes)]).toEqual([480, 'KMS_REFUSED'])
    expect(await refusalCode(() => kms.unwrap({ wrapped: 'something else', kekId }, who))).toBe('KMS_KEY_UNUSABLE')
  })

  it('a DEK under another intermediate key than its row names', async () => {
    const { kms } = start({ group: (tenant) => tenant })
    const [mine, theirs] = [identity('acme'), identity('globex')]
    const [one, other] = [await kms.generate(mine), await kms.generate(theirs)]
    for (const kekId of ['no id', one.kekId.toUpperCase()]) {
      expect(await refusalCode(() => kms.unwrap({ ...one, kekId }, mine))).toBe('KMS_REFUSED')
    }
    expect(await refusalCode(() => kms.unwrap({ ...one, kekId: other.kekId }, mine))).toBe('KMS_KEY_UNUSABLE')
    const shards = start({ shards: 2 })
    const whose = Array.from({ length: 20 }, (_, i) => identity(`tenant ${i}`))
    const made = await Promise.all(whose.map((who) => shards.kms.generate(who)))
    const foreign = made.find(({ kekId }) => kekId !== made[0]!.kekId)!
    const swapped = { ...made[0]!, kekId: foreign.kekId }
    expect(await refusalCode(() => shards.kms.unwrap(swapped, whose[0]!))).toBe('KMS_REFUSED')
  })

  it.each<[string, (row: StoredKey, other: StoredKey) => Partial<StoredKey>]>([
    ['with the wrapped text of another', (_, { wrapped }) => ({ wrapped })],
    ['renamed to another group', () => ({ tenant: 'group b' })],
    ['turned into a DEK for values', () => ({ purpose: 'encrypt' })],
    ['destroyed', () => ({ state: 'destroyed', wrapped: null })],
    ['under another intermediate key', () => ({ kms: 'hierarchy' })],
    ['in a state that is none', () => ({ state: 'on leave' as never })],
  ])('an intermediate key %s', async (_, change) => {
    const [store, kms] = [memoryKeyStore(), shared()]
    const maker = start({ store, kms, group: (tenant) => tenant })
    const who = identity('a')
    const made = await maker.kms.generate(who)
    const other = await maker.kms.generate(identity('b'))
    const row = (id: string) => store.rows.find((candidate) => candidate.id === id)!
    store.tamper(made.kekId, change(row(made.kekId), row(other.kekId)))
    const reader = start({ store, kms, group: (tenant) => tenant })
    const error = await refusal(() => reader.kms.unwrap(made, who))
    expect(error).toMatchObject({ code: 'KMS_KEY_UNUSABLE', message: expect.stringContaining(made.kekId) })
  })

  it('a DEK of a tenant that was put in place of an intermediate key', async () => {
    const [store, kms] = [memoryKeyStore(), shared()]
    const own = { key: randomUUID(), purpose: 'encrypt', tenant: 'mallory' } as const
    const { dek: _, ...wrapped } = await kms.generate(own)
    const row = { id: own.key, purpose: 'wrap', version: 1, state: 'active', kms: 'local', messages: 0 } as const
    await store.insert({ ...row, ...wrapped, tenant: 'mallory' })
    const { kms: reader } = start({ store, kms, group: () => 'mallory' })
    expect(await refusalCode(() => reader.generate(identity()))).toBe('KMS_KEY_UNUSABLE')
  })

  it('to go on without an intermediate key, and says which rows to restore', async () => {
    const [store, kms] = [memoryKeyStore(), shared()]
    const who = identity()
    const made = await start({ store, kms }).kms.generate(who)
    store.remove(made.kekId)
    const error = await refusal(() => start({ store, kms }).kms.unwrap(made, who))
    expect(error).toMatchObject({ code: 'KMS_KEY_UNUSABLE', message: expect.stringContaining('purpose "wrap"') })
  })

  it('a tenant id that is too long, before it asks anyone', async () => {
    const { store, inner, kms } = start()
    for (const call of [
      () => kms.generate(identity('t'.repeat(1000))),
      () => kms.wrap!(randomBytes(32), identity('t'.repeat(1000))),
    ]) {
      expect(await refusalCode(call)).toBe('TENANT_INVALID')
    }
    expect([inner.calls.generate, store.calls.findNewest]).toEqual([0, 0])
  })

  it.each([
    ['kms', { kms: undefined as never }],
    ['kms', { kms: hierarchicalKms({ kms: shared() }) as never }],
    ['shards', { shards: 0 }],
    ['shards', { shards: 1.5 }],
    ['shards', { shards: 2, group: (): string => 'a' }],
    ['formerGroups', { formerGroups: ['a'] }],
    ['formerGroups', { group: (): string => 'a', formerGroups: 'a' as never }],
    ['formerGroups', { group: (): string => 'a', formerGroups: [''] }],
    ['group', { group: 'a' as never }],
    ['ttl', { ttl: 'soon' }],
    ['ttl', { ttl: 2 ** 31 }],
    ['rotateAfter', { rotateAfter: 0 }],
    ['staleFor', { staleFor: -1 }],
    ['max', { max: 0 }],
    ['shard', { shard: 2 } as never],
  ])('a bad option "%s", when it is given', (option, wrong: Partial<HierarchicalKmsOptions>) => {
    expect(() => hierarchicalKms({ kms: shared(), ...wrong })).toThrow(
      expect.objectContaining({ code: 'OPTIONS_INVALID', message: expect.stringContaining(`"${option}"`) }),
    )
  })

  it.each<[string, () => unknown]>([
    ['throws', () => fail('a secret')],
    ['gives nothing', () => undefined],
    ['gives an empty name', () => ''],
    ['gives a name that is too long', () => 'g'.repeat(129)],
    ['gives a name with a NUL', () => 'a\0'],
    ['gives a promise', async () => 'a'],
  ])('a group function that %s, naming the tenant', async (_, group) => {
    const { kms } = start({ group: group as () => string })
    const error = await refusal(() => kms.generate(identity()))
    expect(error).toMatchObject({ code: 'KMS_KEY_UNUSABLE', message: expect.stringContaining('"acme"') })
  })

  it('passes on what the KMS and the keys table answer when they are down', async () => {
    const { store, inner, kms } = start()
    inner.error = Object.assign(new Error('down'), { name: 'FieldsealError', code: 'KMS_UNAVAILABLE' })
    expect(await refusalCode(() => kms.generate(identity()))).toBe('KMS_UNAVAILABLE')
    inner.error = undefined
    store.fail()
    expect(await refusalCode(() => kms.generate(identity()))).toBe('KEY_STORE_UNAVAILABLE')
  })
})

describe('hierarchicalKms beside the KMS alone', () => {
  it('opens what the KMS wrapped itself, without an intermediate key', async () => {
    const { store, inner, kms } = start()
    const who = identity()
    const flat = await inner.generate(who)
    expect((await kms.unwrap(flat, who)).equals(flat.dek)).toBe(true)
    expect(store.rows).toEqual([])
  })

  it('rewraps what the KMS wrapped itself, and then nothing more until there is a newer key', async () => {
    const { store, inner, kms } = start({ shards: 1 })
    const who = identity()
    const flat = await inner.generate(who)
    const moved = await kms.rewrap!(flat, who)
    expect(moved).toMatchObject({ wrapped: expect.stringMatching(/^fsw1\./), kekId: wrapRows(store)[0]!.id })
    expect(moved.kms).toBeUndefined()
    expect(await kms.rewrap!(moved, who)).toBe(moved)
    store.tamper(moved.kekId, { state: 'retired' })
    const later = hierarchicalKms({ kms: inner, shards: 1 })(store)
    const again = await later.rewrap!(moved, who)
    expect(again.kekId).not.toBe(moved.kekId)
    expect((await later.unwrap(again, who)).equals(flat.dek)).toBe(true)
  })

  it('puts DEKs back under the KMS for tenants without a group, in rows that the KMS alone can read', async () => {
    const [store, kms] = [memoryKeyStore(), shared()]
    const who = identity()
    const made = await hierarchicalKms({ kms })(store).generate(who)
    const formerGroups = Array.from({ length: 8 }, (_, i) => `shard-${i}`)
    const back = await hierarchicalKms({ kms, group: () => null, formerGroups })(store).rewrap!(made, who)
    expect(back).toMatchObject({ kms: 'local', wrapped: expect.stringMatching(/^fslk1\./) })
    expect((await kms.unwrap(back, who)).equals(made.dek)).toBe(true)
  })

  it('rewraps its own keys by the KMS', async () => {
    const kms = shared()
    const [rewrapped, store] = [[] as DekIdentity[], memoryKeyStore()]
    const counting: Kms = {
      ...kms,
      rewrap: async (wrapped, who) => {
        rewrapped.push(who)
        return kms.rewrap!(wrapped, who)
      },
    }
    const hierarchy = hierarchicalKms({ kms: counting })(store)
    await hierarchy.generate(identity())
    const [{ id: key, tenant, wrapped, kekId }] = wrapRows(store) as [StoredKey]
    const own = { key, purpose: 'wrap', tenant } as const
    expect(await hierarchy.rewrap!({ wrapped: wrapped!, kekId }, own)).toMatchObject({ wrapped, kms: 'local' })
    expect(rewrapped).toEqual([own])
  })

  it('says so when the KMS cannot take DEKs over', async () => {
    const { wrap: _, ...kms } = shared()
    const hierarchy = hierarchicalKms({ kms, group: () => null })(memoryKeyStore())
    const error = await refusal(() => hierarchy.wrap!(randomBytes(32), identity()))
    expect(error).toMatchObject({ code: 'OPTIONS_INVALID', message: expect.stringContaining('wrap()') })
  })
})

/** The intermediate key is 60 61 … 7f, under the local KEK 42 42 … 42. */
const FROZEN = {
  key: '6fa459ea-ee8a-4ca4-894e-db77e160355e',
  group: 'shard-7',
  kekId: 'local:3625d9b3bf5893af',
  wrapped: 'fslk1.agoFCW-Vms5Sc0zNGnObh_B2bUgEfK_7EUdyfncflBq5p2LY4yJ3r9uYiWCIXejpEFKEUMfwP_BCQlQ2',
  deks: [
    {
      whose: { key: '0f8fad5b-d9cb-469f-a165-70867728950e', purpose: 'encrypt', tenant: 'acme' },
      dek: '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
      wrapped: 'fsw1.87q8Ukfg2MEmtpSRfvwz2JrnmGrz33Xi6NdeL5_QVekaeC_Op8DB1QHoC2LnWGSU2RTfn4fy304YkoAu',
    },
    {
      whose: { key: '550e8400-e29b-41d4-a716-446655440000', purpose: 'index', tenant: '租户' },
      dek: '202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f',
      wrapped: 'fsw1.ywHpLbtVXX60vJc0L9LKqK4Lzf-iK4Atb-2YUpQZ8rYqRGccv-vASObUfqsOXRNl3sBCj_Tm16uv2tE_',
    },
  ],
} as const

describe('the form of a DEK under an intermediate key', () => {
  it.each(FROZEN.deks)('is still read as it was written first, for $whose.tenant', async ({ whose, dek, wrapped }) => {
    const { key: id, group: tenant, kekId } = FROZEN
    const row = { id, tenant, purpose: 'wrap', version: 1, state: 'active', kms: 'local', messages: 0 } as const
    const dates = { createdAt: new Date(), destroyedAt: null }
    const store = memoryKeyStore([{ ...row, ...dates, kekId, wrapped: FROZEN.wrapped }])
    const kms = hierarchicalKms({ kms: localKms({ key: Buffer.alloc(32, 0x42).toString('hex') }) })(store)
    expect((await kms.unwrap({ wrapped, kekId: id }, whose)).toString('hex')).toBe(dek)
  })

  const lengthPrefixed = (text: string) => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(Buffer.byteLength(text))
    return Buffer.concat([length, Buffer.from(text)])
  }

  it('is AES-256-GCM under HKDF of the key, over LP(label), LP(key id) and LP(encryption context)', async () => {
    const { store, inner, kms } = start({ shards: 1 })
    await kms.generate(identity())
    const [{ id }] = wrapRows(store) as [StoredKey]
    const who = { key: randomUUID(), purpose: 'index', tenant: '租户' } as const
    const [dek, nonce] = [randomBytes(32), randomBytes(12)]
    const key = Buffer.from(hkdfSync('sha256', inner.copies[0]!, Buffer.alloc(0), 'fieldseal/1 dek-wrap', 32))
    const context = `{"key":"${who.key}","purpose":"index","tenant":"租户"}`
    const aad = Buffer.concat(['fieldseal/1 dek-wrap', id, context].map(lengthPrefixed))
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(aad)
    const body = Buffer.concat([nonce, cipher.update(dek), cipher.final(), cipher.getAuthTag()])
    const wrapped = { wrapped: `fsw1.${body.toString('base64url')}`, kekId: id }
    expect((await kms.unwrap(wrapped, who)).equals(dek)).toBe(true)
  })
})
