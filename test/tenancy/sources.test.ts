import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { withTenant } from 'fieldseal'
import { type ClinicUnderTest, openClinic } from '../support/clinic.js'
import { refusal, refusalCode } from '../support/refusal.js'

let clinic: ClinicUnderTest
let request: string | undefined
beforeAll(async () => {
  clinic = await openClinic({ tenant: () => request })
})
afterAll(() => clinic.close())

let number = 0
beforeEach(() => {
  number += 1
  request = undefined
  clinic.takeSql()
})

type Client = ClinicUnderTest['prisma']

/** Each names a tenant for one operation in its own way. */
const SOURCES = {
  'the bound client': (tenant: string, work: (client: Client) => unknown) => (client: Client) =>
    work(client.$forTenant(tenant)),
  withTenant: (tenant: string, work: (client: Client) => unknown) => (client: Client) =>
    withTenant(tenant, async () => work(client)),
  'the tenant option': (tenant: string, work: (client: Client) => unknown) => (client: Client) => {
    request = tenant
    return work(client)
  },
}
const sources = Object.entries(SOURCES)
const pairs = sources.flatMap(([one, first], i) =>
  sources.slice(i + 1).map(([other, second]) => ({ one, other, first, second })),
)

const patient = (clinicId: string) => ({ clinicId, number, name: 'Ada' })

/** Every way in which data can say whose the record is. */
const DATA: { readonly [way: string]: (client: Client, tenant: string) => PromiseLike<unknown> } = {
  'the column': (client, clinicId) => client.patient.create({ data: patient(clinicId) }),
  'connect of the tenant': (client, id) =>
    client.patient.create({ data: { number, name: 'Ada', clinic: { connect: { id } } } }),
  'connectOrCreate of the tenant': (client, id) =>
    client.patient.create({
      data: { number, name: 'Ada', clinic: { connectOrCreate: { where: { id }, create: { id, name: id } } } },
    }),
  'create of the tenant': (client, id) =>
    client.patient.create({ data: { number, name: 'Ada', clinic: { create: { id, name: id } } } }),
  createMany: (client, clinicId) => client.patient.createMany({ data: [patient(clinicId)] }),
  createManyAndReturn: (client, clinicId) => client.patient.createManyAndReturn({ data: [patient(clinicId)] }),
  'an update of the column': (client, clinicId) =>
    client.patient.update({ where: { clinicId_number: { clinicId, number: 1 } }, data: { clinicId, name: 'Ada' } }),
  'an updateMany of the column': (client, clinicId) =>
    client.patient.updateMany({ where: { clinicId }, data: { clinicId: { set: clinicId }, name: 'Ada' } }),
  'the create of an upsert': (client, clinicId) =>
    client.patient.upsert({
      where: { clinicId_number: { clinicId, number } },
      create: patient(clinicId),
      update: { name: 'Ada' },
    }),
  'nested data': (client, clinicId) =>
    client.visit.create({
      data: { at: new Date(), reason: 'cough', patient: { create: patient(clinicId) } },
    }),
  'data nested twice': (client, clinicId) =>
    client.diagnosis.create({
      data: {
        code: `D${number}`,
        title: 'cough',
        visits: { create: { at: new Date(), reason: 'cough', patient: { create: patient(clinicId) } } },
      },
    }),
  'a record nested in the tenant': (client, id) =>
    client.clinic.upsert({
      where: { id },
      create: { id, name: id, patients: { create: { number, name: 'Ada' } } },
      update: { patients: { create: { number, name: 'Ada' } } },
    }),
  'records nested in the tenant by createMany': (client, id) =>
    client.clinic.update({ where: { id }, data: { patients: { createMany: { data: [{ number, name: 'Ada' }] } } } }),
}
const ways = Object.entries(DATA).map(([way, write]) => ({ way, write }))

describe('an operation whose sources of the tenant disagree', () => {
  it.each(pairs)('is refused before any SQL: $one and $other, on a write', async ({ first, second }) => {
    const write = (client: Client) => client.patient.create({ data: { number, name: 'Ada' } as never })
    expect(await refusalCode(() => first('acme', second('globex', write))(clinic.prisma))).toBe('TENANT_MISMATCH')
    expect(clinic.takeSql()).toEqual([])
  })

  it.each(pairs)('is refused before any SQL: $one and $other, on a read', async ({ first, second }) => {
    const read = (client: Client) => client.patient.findMany()
    expect(await refusalCode(() => first('acme', second('globex', read))(clinic.prisma))).toBe('TENANT_MISMATCH')
    expect(clinic.takeSql()).toEqual([])
  })

  describe.each(sources)('with a tenant by %s', (_, source) => {
    it.each(ways)('is refused before any SQL against $way', async ({ write }) => {
      const error = await refusal(() => source('acme', (client) => write(client, 'globex'))(clinic.prisma))
      expect(error).toMatchObject({
        code: 'TENANT_MISMATCH',
        message: expect.stringMatching(/acme.*globex|globex.*acme/),
      })
      expect(clinic.takeSql()).toEqual([])
    })
  })

  it('is refused before any SQL when two records of one createMany disagree', async () => {
    const write = () => clinic.prisma.patient.createMany({ data: [patient('acme'), patient('globex')] })
    expect(await refusalCode(write)).toBe('TENANT_MISMATCH')
    expect(clinic.takeSql()).toEqual([])
  })

  it('is refused before any SQL when nested records disagree', async () => {
    const write = () =>
      clinic.prisma.visit.create({
        data: {
          at: new Date(),
          reason: 'cough',
          patient: { create: patient('acme') },
          doctor: { create: { clinicId: 'globex', name: 'Dr. Who', mobile: '1' } },
        },
      })
    expect(await refusalCode(write)).toBe('TENANT_MISMATCH')
    expect(clinic.takeSql()).toEqual([])
  })

  it('is refused before any SQL when the unique where of an update names another tenant', async () => {
    const where = { clinicId_number: { clinicId: 'globex', number: 1 } }
    const update = () => clinic.prisma.$forTenant('acme').patient.update({ where, data: { name: 'Ada' } })
    expect(await refusalCode(update)).toBe('TENANT_MISMATCH')
    expect(clinic.takeSql()).toEqual([])
  })
})

describe('an operation with no tenant', () => {
  const without: { readonly [operation: string]: (client: Client) => PromiseLike<unknown> } = {
    findMany: (client) => client.patient.findMany(),
    findUnique: (client) => client.patient.findUnique({ where: { clinicId_number: { clinicId: 'acme', number: 1 } } }),
    findFirst: (client) => client.patient.findFirst({ select: { name: true } }),
    'a nested read': (client) => client.diagnosis.findMany({ include: { visits: true } }),
    'a fluent read': (client) => client.clinic.findUnique({ where: { id: 'acme' } }).patients(),
    create: (client) => client.visit.create({ data: { at: new Date(), reason: 'cough', patientId: 'x' } }),
    createMany: (client) => client.visit.createMany({ data: [{ at: new Date(), reason: 'cough', patientId: 'x' }] }),
    updateMany: (client) => client.patient.updateMany({ data: { name: 'Ada' } }),
    'a nested write': (client) =>
      client.diagnosis.update({
        where: { code: 'A' },
        data: { visits: { create: { at: new Date(), reason: 'cough', patientId: 'x' } } },
      }),
    delete: (client) => client.patient.delete({ where: { clinicId_number: { clinicId: 'acme', number: 1 } } }),
    'decryptRows of no rows': (client) => client.$encryption.decryptRows('Patient', []),
    encrypt: (client) => client.$encryption.encrypt('Patient.name', 'Ada'),
  }

  it.each(Object.entries(without))('is refused before any SQL: %s', async (_, run) => {
    expect(await refusal(() => run(clinic.prisma))).toMatchObject({
      code: 'TENANT_MISSING',
      message: expect.stringContaining('$forTenant'),
    })
    expect(clinic.takeSql()).toEqual([])
  })

  it.each(['create', 'update', 'createMany'])(
    'is refused in $acrossTenants without the column: %s',
    async (operation) => {
      const { patient } = clinic.prisma.$acrossTenants()
      const run = {
        create: () => patient.create({ data: { number, name: 'Ada' } as never }),
        update: () => patient.update({ where: { id: '00000000-0000-4000-8000-000000000000' }, data: { name: 'Ada' } }),
        createMany: () => patient.createMany({ data: [{ number, name: 'Ada' }] as never }),
      }[operation]!
      expect(await refusal(run)).toMatchObject({ code: 'TENANT_MISSING', message: expect.stringContaining('@tenant') })
      expect(clinic.takeSql()).toEqual([])
    },
  )

  it('is run where no encrypted field can be in it', async () => {
    const { prisma } = clinic
    await prisma.room.findMany()
    await prisma.patient.count({ where: { email: { not: null } } })
    await prisma.patient.findMany({ select: { id: true, city: true } })
    await prisma.patient.findMany({ omit: { name: true, email: true, phone: true, history: true, photo: true } })
    await prisma.patient.updateMany({ data: { city: 'Turin' } })
    await prisma.patient.deleteMany({ where: { number: -1 } })
    await prisma.clinic.findMany({ include: { _count: { select: { patients: true } } } })
    await prisma.diagnosis.findMany()
    expect(clinic.takeSql().length).toBeGreaterThanOrEqual(8)
  })
})

describe('the tenant of an operation', () => {
  it.each(sources)('comes from %s', async (_, source) => {
    const name = `${number}`
    const data = { clinicId: 'acme', number, name }
    await source('acme', (client) => client.patient.create({ data }))(clinic.prisma)
    request = undefined
    const read = clinic.prisma.$forTenant('acme').patient.findFirst({ where: { number } })
    expect(await read).toMatchObject({ name })
  })

  it.each(ways)('comes from the data: $way', async ({ way, write }) => {
    const tenant = way === 'create of the tenant' ? 'initech' : 'acme'
    await clinic.prisma
      .$forTenant('acme')
      .patient.createMany({ data: [{ clinicId: 'acme', number: 1, name: 'x' }], skipDuplicates: true })
    await write(clinic.prisma, tenant)
    const names = await clinic.prisma.$forTenant(tenant).patient.findMany({ where: { clinicId: tenant } })
    expect(names.length).toBeGreaterThan(0)
  })

  it('may be named by all sources at once', async () => {
    request = 'acme'
    const write = () => clinic.prisma.$forTenant('acme').patient.create({ data: patient('acme') })
    expect(await withTenant('acme', write)).toMatchObject({ name: 'Ada' })
  })

  it('is the default only where nothing else names one', async () => {
    const prisma = clinic.another({ defaultTenant: 'acme' })
    const own = await prisma.patient.create({ data: patient('acme') })
    const other = await prisma.patient.create({ data: { ...patient('globex'), city: 'Rome' } })
    expect(await prisma.patient.findUnique({ where: { id: own.id } })).toMatchObject({ name: 'Ada' })
    expect(await refusalCode(() => prisma.patient.findUnique({ where: { id: other.id } }))).toBe('TENANT_MISMATCH')
    expect(await prisma.$forTenant('globex').patient.findUnique({ where: { id: other.id } })).toMatchObject({
      name: 'Ada',
    })
  })
})
