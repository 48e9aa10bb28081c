import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { withTenant } from 'fieldseal'
import { type ClinicUnderTest, openClinic } from '../support/clinic.js'
import { refusal, refusalCode } from '../support/refusal.js'

let clinic: ClinicUnderTest
let ada: string
let grace: string
beforeAll(async () => {
  clinic = await openClinic()
  ada = await register('acme', 'Ada')
  grace = await register('globex', 'Grace')
})
afterAll(() => clinic.close())
beforeEach(() => {
  clinic.takeSql()
})

async function register(clinicId: string, name: string): Promise<string> {
  const contacts = { create: { relationship: 'mother', name: `mother of ${name}`, phone: '555' } }
  const visits = { create: { at: new Date(), reason: 'cough', notes: { dose: 1 } } }
  const data = { clinicId, number: 1, name, email: `${name}@example.com`, contacts, visits }
  const { id } = await clinic.prisma.$forTenant(clinicId).patient.create({ data })
  return id
}

type Client = ClinicUnderTest['prisma']

/** Reads that reach a row of the other tenant. */
const READS: { readonly [read: string]: (client: Client) => PromiseLike<unknown> } = {
  findUnique: (client) => client.patient.findUnique({ where: { id: grace } }),
  findFirst: (client) => client.patient.findFirst({ where: { clinicId: 'globex' } }),
  'findMany of both tenants': (client) => client.patient.findMany({ orderBy: { clinicId: 'asc' } }),
  'one selected field': (client) => client.patient.findMany({ select: { email: true } }),
  'an included relation': (client) => client.clinic.findMany({ include: { patients: true } }),
  'a relation two levels down': (client) =>
    client.clinic.findMany({ select: { patients: { select: { visits: { select: { notes: true } } } } } }),
  'a fluent read': (client) => client.patient.findUnique({ where: { id: grace } }).contacts(),
  'a row of a model without a @tenant column': (client) =>
    client.contact.findFirst({ where: { patient: { id: grace } } }),
  decryptRows: async (client) =>
    client.$encryption.decryptRows('Patient', await client.$queryRaw<object[]>`SELECT * FROM patients`),
}

const cold = () => clinic.another()

describe.each([
  ['with the keys in memory', () => clinic.prisma],
  ['with no key in memory', cold],
])('a tenant that asks for the rows of another, %s', (_, client) => {
  it.each(Object.entries(READS))('gets an error that names the field, and no row: %s', async (_, read) => {
    const error = await refusal(() => read(client().$forTenant('acme')))
    expect(error).toMatchObject({
      code: 'TENANT_MISMATCH',
      message: expect.stringMatching(/(Patient|Contact|Visit)\.\w+/),
    })
    expect(error.message).not.toMatch(/Grace|globex|fs1\.|cough/)
  })

  it('gets an error for the result of a write', async () => {
    const update = client()
      .$forTenant('acme')
      .patient.update({ where: { id: grace }, data: { city: 'Rome' } })
    expect(await refusalCode(() => update)).toBe('TENANT_MISMATCH')
  })

  it('still gets its own', async () => {
    const rows = await client()
      .$forTenant('acme')
      .patient.findMany({ where: { clinicId: 'acme' } })
    expect(rows).toMatchObject([{ id: ada, name: 'Ada' }])
  })
})

describe('a tenant that asks for the rows of another', () => {
  it('makes the KMS unwrap no key of the other', async () => {
    const other = cold()
    clinic.emulator.calls.reset()
    await refusal(() => other.$forTenant('acme').patient.findUnique({ where: { id: grace } }))
    expect(clinic.emulator.calls.count()).toBe(0)
    expect(other.$encryption.stats().cachedDeks).toBe(0)
  })

  it('is refused before any SQL when it writes a row for the other', async () => {
    const acme = clinic.prisma.$forTenant('acme')
    const data = { clinicId: 'globex', number: 2, name: 'Eve' }
    const writes = [
      () => acme.patient.create({ data }),
      () => acme.patient.createMany({ data: [{ ...data, clinicId: 'acme' }, data] }),
      () => acme.patient.update({ where: { id: ada }, data: { clinicId: 'globex' } }),
      () => acme.patient.update({ where: { id: ada }, data: { clinic: { connect: { id: 'globex' } } } }),
      () => acme.patient.updateMany({ where: { id: ada }, data: { clinicId: 'globex' } }),
      () => acme.clinic.update({ where: { id: 'globex' }, data: { patients: { connect: { id: ada } } } }),
    ]
    clinic.takeSql()
    for (const write of writes) expect(await refusalCode(write)).toBe('TENANT_MISMATCH')
    expect(clinic.takeSql()).toEqual([])
  })

  it('finds nothing in a table whose rows were never its own, and makes no key for looking', async () => {
    const reader = cold().$forTenant('nobody')
    expect(await reader.patient.findMany({ where: { clinicId: 'nobody' } })).toEqual([])
    expect(await clinic.plain.encryptionKey.count({ where: { tenant: 'nobody' } })).toBe(0)
  })
})

describe('$acrossTenants', () => {
  it('reads the rows of every tenant, warm and cold, in one operation', async () => {
    for (const client of [clinic.prisma, cold()]) {
      const rows = await client.$acrossTenants().patient.findMany({
        orderBy: { clinicId: 'asc' },
        include: { contacts: true, visits: true },
      })
      expect(rows.map(({ name, contacts, visits }) => [name, contacts[0]?.name, visits[0]?.notes])).toEqual([
        ['Ada', 'mother of Ada', { dose: 1 }],
        ['Grace', 'mother of Grace', { dose: 1 }],
      ])
    }
  })

  it('reads them with two queries of the keys table for any number of tenants at most', async () => {
    const other = await openClinic()
    const tenants = Array.from({ length: 10 }, (_, i) => `t${i}`)
    await other.plain.clinic.createMany({ data: tenants.map((id) => ({ id, name: id })) })
    const writer = other.another()
    await writer.$acrossTenants().patient.createMany({
      data: tenants.map((clinicId) => ({ clinicId, number: 1, name: clinicId })),
    })
    other.takeSql()
    const rows = await other.prisma.$acrossTenants().patient.findMany()
    expect(rows.map(({ clinicId, name }) => clinicId === name)).toEqual(tenants.map(() => true))
    expect(other.takeSql().filter((sql) => sql.includes('encryption_keys'))).toHaveLength(1)
    await other.close()
  })

  it('writes each record for the tenant in its column', async () => {
    const across = clinic.prisma.$acrossTenants()
    await across.patient.createMany({
      data: [
        { clinicId: 'acme', number: 10, name: 'Alan', email: 'alan@example.com' },
        { clinicId: 'globex', number: 10, name: 'Barbara', email: 'barbara@example.com' },
      ],
    })
    await across.clinic.create({
      data: {
        id: 'initech',
        name: 'Initech',
        doctors: { create: [{ name: 'House', mobile: '555-1' }] },
        patients: {
          create: {
            number: 10,
            name: 'Carol',
            contacts: { createMany: { data: [{ relationship: 'son', name: 'Cid', phone: '555-2' }] } },
            visits: { create: { at: new Date(), reason: 'flu' } },
          },
        },
      },
    })
    for (const [tenant, name] of [
      ['acme', 'Alan'],
      ['globex', 'Barbara'],
      ['initech', 'Carol'],
    ] as const) {
      const found = cold()
        .$forTenant(tenant)
        .patient.findMany({ where: { clinicId: tenant, number: 10 } })
      expect(await found).toMatchObject([{ name }])
    }
    const initech = cold().$forTenant('initech')
    expect(await initech.contact.findFirst({ where: { patient: { clinicId: 'initech' } } })).toMatchObject({
      name: 'Cid',
      phone: '555-2',
    })
    expect(await initech.visit.findFirst({ where: { patient: { clinicId: 'initech' } } })).toMatchObject({
      reason: 'flu',
    })
    expect(await initech.doctor.findFirst({ where: { clinicId: 'initech' } })).toMatchObject({ mobile: '555-1' })
  })

  it('updates for the tenant in the unique where or in the where of many', async () => {
    const across = clinic.prisma.$acrossTenants()
    const where = { clinicId_number: { clinicId: 'globex', number: 1 } }
    await across.patient.update({ where, data: { email: 'new@example.com' } })
    await across.doctor.create({ data: { clinicId: 'globex', name: 'Who', mobile: '1' } })
    await across.doctor.updateMany({ where: { clinicId: 'globex' }, data: { mobile: '2' } })
    const globex = cold().$forTenant('globex')
    expect(await globex.patient.findUnique({ where })).toMatchObject({ email: 'new@example.com' })
    expect(await globex.doctor.findFirst({ where: { clinicId: 'globex' } })).toMatchObject({ mobile: '2' })
  })

  it('refuses to move a row to another tenant, before any SQL', async () => {
    const across = clinic.prisma.$acrossTenants()
    const where = { clinicId_number: { clinicId: 'acme', number: 1 } }
    const move = () => across.patient.update({ where, data: { clinicId: 'globex', name: 'Ada' } })
    clinic.takeSql()
    expect(await refusalCode(move)).toBe('TENANT_MISMATCH')
    expect(clinic.takeSql()).toEqual([])
  })

  it('stands above withTenant and the tenant option', async () => {
    const prisma = clinic.another({ tenant: () => 'acme' })
    const rows = withTenant('acme', () => prisma.$acrossTenants().patient.findMany({ where: { number: 1 } }))
    expect(await rows).toHaveLength(2)
  })

  it('gives back what $forTenant takes, and the other way round', async () => {
    const acme = clinic.prisma.$acrossTenants().$forTenant('acme')
    expect(await refusalCode(() => acme.patient.findUnique({ where: { id: grace } }))).toBe('TENANT_MISMATCH')
    const globex = acme.$forTenant('globex')
    expect(await globex.patient.findUnique({ where: { id: grace } })).toMatchObject({ name: 'Grace' })
  })
})
