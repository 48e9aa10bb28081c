import { randomBytes, randomUUID } from 'node:crypto'
import { type HierarchicalKmsOptions, hierarchicalKms } from 'fieldseal/hierarchical-kms'
import { localKms } from 'fieldseal/local-kms'
import { memoryKeyStore } from 'fieldseal/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DekCache } from '../../src/keys/dekCache.js'
import { KeyRing } from '../../src/keys/keyRing.js'
import type { DekIdentity } from '../../src/keys/kms.js'
import { rewrap } from '../../src/maintenance/rewrap.js'
import { watchedKms } from '../keys/watchedKms.js'
import { type ClinicUnderTest, emulatedKms, openClinic } from '../support/clinic.js'
import { refusalCode } from '../support/refusal.js'

function world(options: Partial<HierarchicalKmsOptions> = {}) {
  const time = { now: Date.now() }
  const store = memoryKeyStore([], { now: () => time.now })
  const inner = watchedKms()
  const hierarchy = hierarchicalKms({ kms: inner, ...options })
  const start = () => {
    const kms = hierarchy.withStore(store)
    return { kms, ring: new KeyRing({ kms, store, cache: new DekCache({ ttl: 60_000, max: 10_000 }) }) }
  }
  const wraps = () => store.rows.filter(({ purpose }) => purpose === 'wrap')
  return { store, inner, hierarchy, start, wraps }
}

const identityOf = (tenant: string): DekIdentity => ({ key: randomUUID(), purpose: 'encrypt', tenant })

describe('hierarchicalKms', () => {
  it('asks the KMS for a handful of intermediate keys, whatever the number of tenants', async () => {
    const { start, inner, wraps } = world({ shards: 8 })
    const tenants = Array.from({ length: 500 }, (_, i) => `tenant ${i}`)
    const { ring } = start()
    const ids = await Promise.all(tenants.map(async (tenant) => (await ring.active(tenant, 'encrypt')).id))
    expect([inner.calls, wraps().length]).toEqual([{ generate: 8, unwrap: 0 }, 8])
    const cold = start().ring
    const deks = await Promise.all(ids.map(async (id, i) => (await cold.load([id], tenants[i]!))[0]!))
    expect(deks.map(({ tenant }) => tenant)).toEqual(tenants)
    expect(inner.calls).toEqual({ generate: 8, unwrap: 8 })
  })

  it('gives each group of tenants a key of its own', async () => {
    const { start, wraps, store } = world({ group: (tenant) => tenant.split('/')[0]! })
    const { ring } = start()
    for (const tenant of ['eu/a', 'eu/b', 'cn/a']) await ring.active(tenant, 'encrypt')
    expect(wraps().map(({ tenant, state }) => [tenant, state])).toEqual([
      ['*/eu', 'active'],
      ['*/cn', 'active'],
    ])
    const kekOf = (tenant: string) => store.rows.find((row) => row.tenant === tenant)!.kekId
    expect([kekOf('eu/a') === kekOf('eu/b'), kekOf('eu/a') === kekOf('cn/a')]).toEqual([true, false])
  })

  it('binds a DEK to its identity, and refuses one that was changed or is under no intermediate key', async () => {
    const { kms } = world().start()
    const identity = identityOf('acme')
    const { dek, ...wrapped } = await kms.generate(identity)
    expect(await kms.unwrap(wrapped, identity)).toEqual(dek)
    for (const other of [
      { ...identity, tenant: 'evil' },
      { ...identity, purpose: 'index' as const },
      identityOf('acme'),
    ]) {
      expect(await refusalCode(() => kms.unwrap(wrapped, other))).toBe('KMS_REFUSED')
    }
    const changed = wrapped.wrapped.replace(/.$/, (c) => (c === 'A' ? 'B' : 'A'))
    for (const text of [changed, wrapped.wrapped.slice(0, -4), 'fslk1.AAAA', '']) {
      expect(await refusalCode(() => kms.unwrap({ ...wrapped, wrapped: text }, identity))).toBe('KMS_REFUSED')
    }
    const nowhere = { ...wrapped, kekId: randomUUID() }
    expect(await refusalCode(() => kms.unwrap(nowhere, identity))).toBe('KEY_NOT_FOUND')
  })

  it('does not take a DEK for values as an intermediate key', async () => {
    const { start } = world()
    const { kms, ring } = start()
    const dek = await ring.active('acme', 'encrypt')
    const { dek: bytes, ...wrapped } = await kms.generate(identityOf('acme'))
    bytes.fill(0)
    const identity = identityOf('acme')
    expect(await refusalCode(() => kms.unwrap({ ...wrapped, kekId: dek.id }, identity))).toBe('KEY_INVALID')
  })

  it('lets new intermediate keys succeed old ones, and opens what the old ones wrapped', async () => {
    const { start, wraps, store } = world({ shards: 1 })
    const first = start()
    const dek = await first.ring.active('acme', 'encrypt')
    store.tamper(wraps()[0]!.id, { createdAt: new Date(Date.now() - 91 * 86_400_000) })
    const second = start()
    await second.ring.active('globex', 'encrypt')
    expect(wraps().map(({ version, state }) => [version, state])).toEqual([
      [1, 'retired'],
      [2, 'active'],
    ])
    expect(await second.ring.load([dek.id], 'acme')).toHaveLength(1)
  })

  it('rewraps tenants under the newest intermediate key, and intermediate keys by their KMS', async () => {
    const { start, wraps, store, hierarchy, inner } = world({ shards: 1 })
    await start().ring.active('acme', 'encrypt')
    store.tamper(wraps()[0]!.id, { createdAt: new Date(Date.now() - 91 * 86_400_000) })
    await start().ring.active('globex', 'encrypt')
    let asked = 0
    const unchanged = async (wrapped: object) => {
      asked += 1
      return wrapped
    }
    const rewrapping = { ...hierarchy, inner: { ...inner, rewrap: unchanged } }
    expect(await rewrap(rewrapping as never, store)).toEqual({ changed: 1, unchanged: 3, failed: [] })
    const newest = wraps().find(({ state }) => state === 'active')!.id
    const keks = store.rows.filter(({ purpose }) => purpose === 'encrypt').map(({ kekId }) => kekId)
    expect([asked, keks]).toEqual([2, [newest, newest]])
  })

  it('works only where it has been given a keys table', async () => {
    const kms = hierarchicalKms({ kms: localKms({ key: randomBytes(32).toString('base64') }) })
    expect(await refusalCode(() => kms.generate(identityOf('acme')))).toBe('OPTIONS_INVALID')
  })

  it.each([
    { shards: 0 },
    { shards: 5_000 },
    { shards: 1.5 },
    { group: 'eu' },
    { shards: 2, group: () => 'eu' },
    { ttl: 'soon' },
    { rotateAfter: 0 },
    { kms: {} },
    { keys: 1 },
  ])('cannot be had with %j', (options) => {
    expect(() => world(options as never)).toThrowError(expect.objectContaining({ code: 'OPTIONS_INVALID' }))
  })
})

describe('a client with hierarchical keys', () => {
  let clinic: ClinicUnderTest
  beforeAll(async () => {
    clinic = await openClinic()
  })
  afterAll(() => clinic.close())

  const patient = (clinicId: string, number: number) => ({ clinicId, number, name: `${clinicId} ${number}` })
  const read = async (client: ClinicUnderTest['prisma'], clinicId: string) => {
    const rows = await client.$forTenant(clinicId).patient.findMany({ where: { clinicId }, orderBy: { number: 'asc' } })
    return rows.map(({ name }) => name)
  }

  it('takes flat keys over by a rewrap and gives them back by another, with every row readable', async () => {
    const tencent = () => emulatedKms(clinic.emulator)
    const nested = () => clinic.another({ kms: hierarchicalKms({ kms: tencent(), shards: 4 }) })
    for (const tenant of ['acme', 'globex']) await clinic.prisma.patient.create({ data: patient(tenant, 1) })
    const up = await nested().$encryption.rewrap({ from: tencent() })
    expect(up).toMatchObject({ failed: [] })
    expect(up.changed).toBeGreaterThanOrEqual(2)
    const client = nested()
    clinic.emulator.calls.reset()
    for (const tenant of ['acme', 'globex']) {
      expect(await read(client, tenant)).toEqual([`${tenant} 1`])
      await client.patient.create({ data: patient(tenant, 2) })
    }
    expect(clinic.emulator.calls.count('Decrypt')).toBeLessThanOrEqual(4)
    expect(await nested().$encryption.rewrap()).toMatchObject({ changed: 0, failed: [] })
    const from = hierarchicalKms({ kms: tencent(), shards: 4 })
    const down = await clinic.another().$encryption.rewrap({ from })
    expect(down).toMatchObject({ changed: up.changed, failed: [] })
    for (const tenant of ['acme', 'globex']) {
      expect(await read(clinic.another(), tenant)).toEqual([`${tenant} 1`, `${tenant} 2`])
    }
  })

  it('shreds a tenant and leaves the intermediate keys, which are others’ too', async () => {
    const client = clinic.another({ kms: hierarchicalKms({ kms: emulatedKms(clinic.emulator), shards: 1 }) })
    for (const id of ['leaver', 'stayer']) {
      await clinic.plain.clinic.create({ data: { id, name: id } })
      await client.patient.create({ data: patient(id, 1) })
    }
    await client.$encryption.shred('leaver')
    expect(await refusalCode(() => read(client, 'leaver'))).toBe('KEY_DESTROYED')
    expect(await read(client, 'stayer')).toEqual(['stayer 1'])
    expect(await clinic.plain.encryptionKey.count({ where: { purpose: 'wrap', state: 'active' } })).toBeGreaterThan(0)
  })
})
