import { describe, expect, it } from '@jest/globals'
import { hierarchicalKms } from 'fieldseal/hierarchical-kms'
import type { CopiedKey } from 'fieldseal/prisma'
import type { FixtureClient } from '../prisma/fixtureClient.js'
import { emulatedKms } from '../support/clinic.js'
import { refusalCode } from '../support/refusal.js'
import { people, peopleFirst } from './people.js'

peopleFirst()

const tenant = (name: string) => people.another({ keys: { ttl: 100, staleFor: 0 } }).$forTenant(name)
const operations = (client: FixtureClient = people.another()) => client.$encryption
const copy = () => operations().exportKeys({ database: people.pool })
const lose = () => people.sql('DELETE FROM "EncryptionKey"')
const states = async () => {
  const rows = await people.sql('SELECT tenant, purpose, version, state FROM "EncryptionKey" ORDER BY 1, 2, 3')
  return rows.map(({ tenant: name, purpose, version, state }) => `${name} ${purpose} ${version} ${state}`)
}
const ALL = ['acme encrypt 1 active', 'acme index 1 active', 'globex encrypt 1 active', 'globex index 1 active']
const names = async (name: string, where: object) =>
  (await tenant(name).person!.findMany({ where, orderBy: { id: 'asc' } })).map((row) => row.name)

/** Encrypts all people, and gives a copy of the keys. */
async function encrypted(): Promise<CopiedKey[]> {
  await people.run('encrypt')
  return copy()
}

/** Has the tenant begin anew, with somebody under its young keys. */
async function young(): Promise<void> {
  await operations().reopen('acme')
  await tenant('acme').person!.create({ data: { id: 7, clinicId: 'acme', name: 'Ada Young', salary: 36_000 } })
}

describe('restoring a keys table', () => {
  it('puts lost keys back as they were, with their times and counts, and can be done again', async () => {
    const keys = await encrypted()
    await lose()
    expect(await operations().restoreKeys({ keys, dryRun: true })).toMatchObject({ inserted: 4, failed: [] })
    expect(await states()).toEqual([])
    expect(await operations().restoreKeys({ keys })).toMatchObject({
      inserted: 4,
      unchanged: 0,
      failed: [],
      reindex: [],
    })
    expect(await copy()).toEqual(keys)
    expect(await operations().restoreKeys({ keys })).toMatchObject({ inserted: 0, unchanged: 4, updated: 0 })
    expect(await copy()).toEqual(keys)
    expect(await people.run('verify')).toMatchObject({ skipped: 0 })
  })

  it('restores the keys of some tenants only', async () => {
    const keys = await encrypted()
    await lose()
    await operations().restoreKeys({ keys, tenants: ['globex'] })
    expect(await states()).toEqual(ALL.slice(2))
  })

  it('keeps keys that were made since readable and searched by, until all rows have one index again', async () => {
    const keys = await encrypted()
    await lose()
    await young()
    const report = await operations().restoreKeys({ keys })
    expect(report).toMatchObject({ inserted: 4, renumbered: 2, reindex: ['acme'], failed: [] })
    expect(await states()).toEqual([
      ...['acme encrypt 1 retired', 'acme encrypt 2 retired'],
      ...['acme index 1 replaced', 'acme index 2 replaced', 'acme index 3 active', ...ALL.slice(2)],
    ])
    expect(await names('acme', { name: { startsWith: 'Ada' } })).toEqual(['Ada Lovelace', 'Ada Young'])
    expect(await names('acme', { salary: { gte: 36_000 } })).toEqual(['Ada Lovelace', '', 'Ada Young'])
    await tenant('acme').person!.create({ data: { id: 8, clinicId: 'acme', name: 'Ada Late', salary: 1 } })
    const client = people.another({ keys: { ttl: 50, staleFor: 0 } })
    const rotation = { database: people.pool, tenant: 'acme', settle: 10 }
    expect(await operations(client).rotateIndexKeys(rotation)).toMatchObject({ outcome: 'done', destroyed: 2 })
    expect(await names('acme', { name: { startsWith: 'Ada' } })).toEqual(['Ada Lovelace', 'Ada Young', 'Ada Late'])
    expect(await people.run('verify')).toMatchObject({ skipped: 0 })
    expect((await states()).slice(0, 6)).toEqual([
      ...['acme encrypt 1 retired', 'acme encrypt 2 retired', 'acme encrypt 3 active'],
      ...['acme index 1 destroyed', 'acme index 2 destroyed', 'acme index 3 active'],
    ])
  })

  it('puts all back of a tenant whose old key was destroyed by itself, and takes nobody for shredded', async () => {
    await encrypted()
    await operations().rotate({ tenants: 'acme' })
    await people.run('re-encrypt')
    const older = await copy()
    await people.sql(
      `UPDATE "EncryptionKey" SET state = 'destroyed', wrapped = NULL, "destroyedAt" = now() WHERE state = 'retired'`,
    )
    const after = ['acme encrypt 1 destroyed', 'acme encrypt 2 active', ...ALL.slice(1)]
    const keys = await copy()
    await lose()
    expect(await operations().restoreKeys({ keys })).toMatchObject({ inserted: 5, keptDestroyed: 0, shredded: [] })
    expect(await states()).toEqual(after)
    expect(await people.run('verify')).toMatchObject({ skipped: 0 })

    await lose()
    await operations().restoreKeys({ keys: older })
    expect(await operations().restoreKeys({ keys })).toMatchObject({ inserted: 0, unchanged: 5, shredded: [] })
    expect(await states()).toEqual(after.with(0, 'acme encrypt 1 retired'))
  })

  it('leaves one active key of a purpose when several restore, write and rotate at once', async () => {
    const keys = await encrypted()
    await lose()
    await young()
    const write = (id: number) =>
      tenant('acme').person!.create({ data: { id, clinicId: 'acme', name: `Ada ${id}`, salary: id } })
    const work = [1, 2, 3].map(() => operations().restoreKeys({ keys }))
    const rotation = operations().rotate({ tenants: 'acme' })
    await Promise.all([...work, rotation, ...[10, 11, 12, 13].map(write)])
    await write(14)
    const active = (await states())
      .filter((state) => /^acme .* active$/.test(state))
      .map((state) => state.split(' ')[1])
    expect(active).toEqual(['encrypt', 'index'])
    expect(await people.run('verify')).toMatchObject({ skipped: 0 })
    expect((await tenant('acme').person!.findMany({ where: { clinicId: 'acme' } })).length).toBe(10)
  })

  it('leaves out what the KMS does not open, and what cannot be', async () => {
    const keys = await encrypted()
    await lose()
    const [one, two, three, four] = keys as [CopiedKey, CopiedKey, CopiedKey, CopiedKey]
    const planted = [
      { ...one, wrapped: three.wrapped },
      { ...two, tenant: 'globex' },
      { ...three, version: 7 },
      { ...four, kms: 'aws' },
    ]
    const { inserted, failed } = await operations().restoreKeys({ keys: planted })
    expect([inserted, new Set(failed.map(({ error }) => error.code))]).toEqual([0, new Set(['KEY_INVALID'])])
    expect(failed).toHaveLength(4)
    expect(await states()).toEqual([])
    expect(await operations().restoreKeys({ keys: [planted[0]!], verify: false })).toMatchObject({ inserted: 1 })
  })

  it('brings no shredded tenant back, unless that is asked for', async () => {
    const keys = await encrypted()
    await operations().shred('acme')
    expect(await operations().restoreKeys({ keys })).toMatchObject({ inserted: 0, keptDestroyed: 2, shredded: [] })
    expect(await refusalCode(() => tenant('acme').person!.findMany({ where: { clinicId: 'acme' } }))).toBe(
      'KEY_DESTROYED',
    )
    await lose()
    const gone = [
      ...(await copy()),
      ...keys.map((key) => ({ ...key, state: 'destroyed' as const, wrapped: null, destroyedAt: new Date() })),
    ]
    expect(await operations().restoreKeys({ keys: gone, tenants: ['acme'] })).toMatchObject({ inserted: 2 })
    expect(await operations().restoreKeys({ keys, tenants: ['acme'], undoShred: ['acme'] })).toMatchObject({
      updated: 2,
    })
    expect(await names('acme', { name: { startsWith: 'Ada' } })).toEqual(['Ada Lovelace'])
  })

  it('tells of a tenant that is shredded in the copy and not in the table, and leaves it as it is', async () => {
    const keys = await encrypted()
    await operations().shred('acme')
    const shredded = await copy()
    await lose()
    await operations().restoreKeys({ keys })
    expect(await operations().restoreKeys({ keys: shredded })).toMatchObject({ inserted: 0, shredded: ['acme'] })
    expect(await states()).toEqual(ALL)
  })

  it('restores keys that wrap others before it has those opened', async () => {
    const kms = () => hierarchicalKms({ kms: emulatedKms(people.emulator), shards: 1 })
    const client = people.another({ kms: kms() })
    await client.$forTenant('acme').person!.create({ data: { id: 9, clinicId: 'acme', name: 'Ada', salary: 1 } })
    const keys = await copy()
    await lose()
    const restore = (options: object) => operations(people.another({ kms: kms() })).restoreKeys({ keys, ...options })
    expect(await restore({ dryRun: true })).toMatchObject({ inserted: 3, failed: [] })
    expect(await restore({})).toMatchObject({ inserted: 3, failed: [] })
    expect(await copy()).toEqual(keys)
  })
})
