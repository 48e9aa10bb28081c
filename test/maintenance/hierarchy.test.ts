import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { hierarchicalKms } from 'fieldseal/hierarchical-kms'
import { localKms } from 'fieldseal/local-kms'
import type { EncryptionEvent, FieldEncryptionOptions } from 'fieldseal/prisma'
import { startKmsEmulator } from 'fieldseal/testing'
import { type ClinicUnderTest, emulatedKms, openClinic } from '../support/clinic.js'
import { onTestFinished } from '../support/onTestFinished.js'
import { refusalCode } from '../support/refusal.js'

/* A key hierarchy on a real keys table, switched on and off among processes that go on working. */

let clinic: ClinicUnderTest
let round = 0
let tenants: string[]
beforeAll(async () => {
  clinic = await openClinic()
})
afterAll(() => clinic.close())
beforeEach(async () => {
  await clinic.plain.patient.deleteMany()
  await clinic.plain.encryptionKey.deleteMany()
  round += 1
  tenants = Array.from({ length: 6 }, (_, i) => `tenant-${round}-${i}`)
  await clinic.plain.clinic.createMany({ data: tenants.map((id) => ({ id, name: id })) })
  clinic.emulator.calls.reset()
})

type Client = ClinicUnderTest['prisma']
type Hierarchy = Omit<Parameters<typeof hierarchicalKms>[0], 'kms'>

const hierarchy = (options: Hierarchy = { shards: 2 }) =>
  hierarchicalKms({ kms: emulatedKms(clinic.emulator), ...options })
/** As another process would have it. */
const flat = () => clinic.another()
const hierarchical = (kms: FieldEncryptionOptions['kms'] = hierarchy()) => clinic.another({ kms })
/** Both read the other's rows; this one writes as the KMS alone does. */
const bridge = () => hierarchical(hierarchy({ group: () => null, formerGroups: ['shard-0', 'shard-1'] }))

const write = (client: Client, clinicId: string, number = 1) =>
  client.patient.create({ data: { clinicId, number, name: clinicId, email: `${number}@example.com` } })
const writeAll = (client: Client, number = 1) => Promise.all(tenants.map((tenant) => write(client, tenant, number)))
async function readAll(client: Client): Promise<string[]> {
  const rows = await client.$acrossTenants().patient.findMany({ orderBy: [{ clinicId: 'asc' }, { number: 'asc' }] })
  return rows.map(({ clinicId, number, name, email }) => {
    expect([name, email]).toEqual([clinicId, `${number}@example.com`])
    return name
  })
}
const search = (client: Client, tenant: string) =>
  client.$forTenant(tenant).patient.count({ where: { clinicId: tenant, email: '1@example.com' } })

async function rowsByKms(): Promise<{ readonly [kms: string]: number }> {
  const groups = await clinic.plain.encryptionKey.groupBy({ by: ['purpose', 'kms'], _count: true })
  return Object.fromEntries(groups.map(({ purpose, kms, _count }) => [`${purpose} ${kms}`, _count]))
}

describe('a key hierarchy', () => {
  it('lets processes write and read six tenants with one KMS call per shard', async () => {
    await writeAll(hierarchical())
    expect(clinic.emulator.calls.byAction).toEqual({ GenerateDataKey: 2 })
    expect(await rowsByKms()).toEqual({ 'encrypt hierarchy': 6, 'index hierarchy': 6, 'wrap tencent': 2 })
    clinic.emulator.calls.reset()
    const reader = hierarchical()
    expect(await readAll(reader)).toEqual(tenants)
    for (const tenant of tenants) expect(await search(reader, tenant)).toBe(1)
    expect(clinic.emulator.calls.byAction).toEqual({ Decrypt: 2 })
  })

  it('shows the KMS its groups, and no tenant', async () => {
    await writeAll(hierarchical())
    const contexts = clinic.emulator.calls.log.map(({ encryptionContext }) => JSON.parse(encryptionContext ?? '{}'))
    expect(contexts.map(({ purpose, tenant }) => `${purpose} ${tenant}`).toSorted()).toEqual([
      'wrap shard-0',
      'wrap shard-1',
    ])
  })

  it('tells of calls of the KMS apart from what was unwrapped here', async () => {
    await writeAll(hierarchical())
    const events: EncryptionEvent[] = []
    await readAll(clinic.another({ kms: hierarchy(), onEvent: (event) => events.push(event) }))
    const calls = events.flatMap((event) => (event.type === 'kms.call' ? [`${event.kms} ${event.purpose}`] : []))
    expect(calls.toSorted()).toEqual([...tenants.map(() => 'hierarchy encrypt'), 'tencent wrap', 'tencent wrap'])
  })

  it('serves on when the KMS is down for longer than an intermediate key may be held, also tenants that are cold', async () => {
    await writeAll(hierarchical())
    const client = hierarchical(hierarchy({ shards: 2, ttl: 1 }))
    for (const tenant of tenants.slice(0, 2)) expect(await search(client, tenant)).toBe(1)
    await readAll(client)
    clinic.emulator.faults.add({ kind: 'status', status: 404, times: 'always' })
    onTestFinished(() => clinic.emulator.faults.clear())
    for (const tenant of tenants) expect(await search(client, tenant)).toBe(1)
  })

  it('has one intermediate key per shard when many processes start at once', async () => {
    const clients = Array.from({ length: 5 }, () => hierarchical())
    await Promise.all(clients.map((client, i) => writeAll(client, i + 1)))
    expect(await rowsByKms()).toMatchObject({ 'wrap tencent': 2, 'encrypt hierarchy': 6 })
    expect((await readAll(hierarchical())).length).toBe(30)
  })

  it('keeps working on a pool of two connections, one of them in an interactive transaction', async () => {
    const client = clinic.another({ kms: hierarchy(), pool: 2 })
    await client.$forTenant(tenants[0]!).$transaction(async (tx) => {
      await tx.patient.create({ data: { clinicId: tenants[0]!, number: 1, name: tenants[0]!, email: '1@example.com' } })
    })
    expect(await readAll(hierarchical())).toEqual([tenants[0]])
  })

  it('lets a tenant be shredded, and the others of its shard live on', async () => {
    const client = hierarchical(hierarchy({ shards: 1 }))
    await writeAll(client)
    const [gone, ...rest] = tenants as [string, ...string[]]
    const { keys } = await client.$encryption.shred(gone)
    expect(keys.map(({ purpose }) => purpose).toSorted()).toEqual(['encrypt', 'index'])
    for (const other of [client, hierarchical(hierarchy({ shards: 1 }))]) {
      expect(await refusalCode(() => other.$forTenant(gone).patient.findMany({ where: { clinicId: gone } }))).toBe(
        'KEY_DESTROYED',
      )
      for (const tenant of rest) expect(await search(other, tenant)).toBe(1)
    }
    await client.$encryption.reopen(gone)
    await clinic.plain.patient.deleteMany({ where: { clinicId: gone } })
    await write(client, gone)
    expect(await readAll(hierarchical())).toEqual(tenants)
  })

  it('does not lose a group when a tenant of the same name is shredded', async () => {
    const kms = hierarchy({ group: () => tenants[0]! })
    const client = hierarchical(kms)
    await writeAll(client)
    await client.$encryption.shred(tenants[0]!)
    expect(await rowsByKms()).toMatchObject({ 'wrap tencent': 1 })
    for (const tenant of tenants.slice(1)) expect(await search(hierarchical(kms), tenant)).toBe(1)
    expect(await refusalCode(() => client.$encryption.shred('group'))).toBe('KEY_NOT_FOUND')
  })

  it('rotates tenants’ DEKs without the KMS', async () => {
    const client = hierarchical()
    await writeAll(client)
    clinic.emulator.calls.reset()
    expect(await client.$encryption.rotate()).toEqual({ changed: 6, unchanged: 0, failed: [] })
    expect(clinic.emulator.calls.count()).toBe(0)
    await writeAll(client, 2)
    expect((await readAll(hierarchical())).length).toBe(12)
  })

  it('refuses a DEK whose row names another tenant, and one whose intermediate key was swapped', async () => {
    await writeAll(hierarchical())
    const keys = await clinic.plain.encryptionKey.findMany({
      where: { purpose: 'encrypt' },
      orderBy: { tenant: 'asc' },
    })
    const [one, two] = keys as [(typeof keys)[0], (typeof keys)[0]]
    const read = (tenant: string) =>
      hierarchical()
        .$forTenant(tenant)
        .patient.findMany({ where: { clinicId: tenant } })
    const { wrapped, kekId } = two
    await clinic.plain.encryptionKey.update({ where: { id: one.id }, data: { wrapped, kekId } })
    expect(await refusalCode(() => read(one.tenant))).toBe('KEY_INVALID')
    await clinic.plain.encryptionKey.updateMany({ where: { purpose: 'wrap' }, data: { wrapped: 'fsw1.AAAA' } })
    expect(await refusalCode(() => read(two.tenant))).toBe('KMS_KEY_UNUSABLE')
  })
})

describe('switching a key hierarchy on', () => {
  it('reads what the KMS wrapped, beside what comes after', async () => {
    await writeAll(flat())
    const client = hierarchical()
    expect(await readAll(client)).toEqual(tenants)
    await clinic.plain.encryptionKey.updateMany({ where: { purpose: 'encrypt' }, data: { state: 'retired' } })
    const later = hierarchical()
    await writeAll(later, 2)
    expect(await rowsByKms()).toEqual({
      'encrypt hierarchy': 6,
      'encrypt tencent': 6,
      'index tencent': 6,
      'wrap tencent': 2,
    })
    expect((await readAll(hierarchical())).length).toBe(12)
    for (const tenant of tenants) expect(await search(later, tenant)).toBe(2 - 1)
  })

  it('is a rewrap, after which cold processes ask the KMS for the shards only', async () => {
    await writeAll(flat())
    const [client, before] = [hierarchical(), await clinic.plain.patient.findMany()]
    expect(await client.$encryption.rewrap({ rate: 1000 })).toEqual({ changed: 12, unchanged: 0, failed: [] })
    expect(await rowsByKms()).toEqual({ 'encrypt hierarchy': 6, 'index hierarchy': 6, 'wrap tencent': 2 })
    expect(await clinic.plain.patient.findMany()).toEqual(before)
    clinic.emulator.calls.reset()
    const reader = hierarchical()
    expect(await readAll(reader)).toEqual(tenants)
    for (const tenant of tenants) expect(await search(reader, tenant)).toBe(1)
    expect(clinic.emulator.calls.byAction).toEqual({ Decrypt: 2 })
    expect(await client.$encryption.rewrap({ rate: 1000 })).toMatchObject({ changed: 0, failed: [] })
  })

  it('needs no pause when every process can read both before any writes the new', async () => {
    await writeAll(flat())
    const [early, late] = [bridge(), hierarchical()]
    await late.$encryption.rewrap({ rate: 1000 })
    await writeAll(late, 2)
    await writeAll(early, 3)
    for (const client of [early, late, bridge()]) expect((await readAll(client)).length).toBe(18)
  })

  it('without that leaves a process that knows no hierarchy with a clear refusal, and no call of the KMS', async () => {
    await writeAll(hierarchical())
    clinic.emulator.calls.reset()
    const read = () =>
      flat()
        .$forTenant(tenants[0]!)
        .patient.findMany({ where: { clinicId: tenants[0]! } })
    expect(await refusalCode(read)).toBe('KEY_INVALID')
    expect(clinic.emulator.calls.count()).toBe(0)
  })
})

describe('switching a key hierarchy off', () => {
  it('is a rewrap by a process that knows it, after which the KMS alone suffices', async () => {
    await writeAll(hierarchical())
    const client = bridge()
    await write(client, tenants[0]!, 2)
    const { changed, failed } = await client.$encryption.rewrap({ rate: 1000 })
    expect([changed, failed]).toEqual([12, []])
    expect(await rowsByKms()).toEqual({ 'encrypt tencent': 6, 'index tencent': 6, 'wrap tencent': 2 })
    await clinic.plain.encryptionKey.deleteMany({ where: { purpose: 'wrap' } })
    const reader = flat()
    expect((await readAll(reader)).length).toBe(7)
    for (const tenant of tenants) expect(await search(reader, tenant)).toBe(1)
  })

  it('or one by a process without it, that names it in from', async () => {
    await writeAll(hierarchical())
    const client = flat()
    const { changed, unchanged, failed } = await client.$encryption.rewrap({ from: hierarchy(), rate: 1000 })
    expect([changed, unchanged, failed]).toEqual([12, 2, []])
    expect(await readAll(flat())).toEqual(tenants)
  })
})

describe('rewrapping under a key hierarchy', () => {
  it('moves DEKs to the newest intermediate key without the KMS, but for the keys themselves', async () => {
    const client = hierarchical()
    await writeAll(client)
    await clinic.plain.encryptionKey.updateMany({ where: { purpose: 'wrap' }, data: { state: 'retired' } })
    clinic.emulator.calls.reset()
    const later = hierarchical()
    expect(await later.$encryption.rewrap({ rate: 1000 })).toMatchObject({ changed: 12, failed: [] })
    expect(clinic.emulator.calls.count('GenerateDataKey')).toBe(2)
    const newest = await clinic.plain.encryptionKey.findMany({ where: { purpose: 'wrap', state: 'active' } })
    const deks = await clinic.plain.encryptionKey.findMany({ where: { kms: 'hierarchy' } })
    expect(new Set(deks.map(({ kekId }) => kekId))).toEqual(new Set(newest.map(({ id }) => id)))
    expect(await readAll(hierarchical())).toEqual(tenants)
  })

  it('puts the intermediate keys under the newest version of the KEK, and leaves the DEKs', async () => {
    await writeAll(hierarchical())
    clinic.emulator.keys.rotate(clinic.emulator.keyId)
    const report = await hierarchical().$encryption.rewrap({ rate: 1000 })
    expect(report).toEqual({ changed: 2, unchanged: 12, failed: [] })
    expect(clinic.emulator.calls.count('ReEncrypt')).toBe(2)
    expect(await readAll(hierarchical())).toEqual(tenants)
  })

  it('moves everything to another vendor, or region, by its intermediate keys alone', async () => {
    await writeAll(hierarchical())
    const local = localKms({ key: randomBytes(32).toString('base64') })
    const away = () => hierarchical(hierarchicalKms({ kms: local, shards: 2 }))
    const report = await away().$encryption.rewrap({ from: emulatedKms(clinic.emulator), rate: 1000 })
    expect(report).toEqual({ changed: 2, unchanged: 12, failed: [] })
    expect(await rowsByKms()).toEqual({ 'encrypt hierarchy': 6, 'index hierarchy': 6, 'wrap local': 2 })
    expect(await readAll(away())).toEqual(tenants)

    const region = await startKmsEmulator()
    onTestFinished(() => region.close())
    const there = () => hierarchical(hierarchicalKms({ kms: emulatedKms(region), shards: 2 }))
    await there().$encryption.rewrap({ from: local, rate: 1000 })
    const again = await there().$encryption.rewrap({ from: emulatedKms(clinic.emulator), rate: 1000 })
    expect(again).toEqual({ changed: 0, unchanged: 14, failed: [] })
    expect(await readAll(there())).toEqual(tenants)
  })
})
