import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { type ClinicUnderTest, openClinic } from '../support/clinic.js'

let clinic: ClinicUnderTest
const ids: string[] = []
beforeAll(async () => {
  clinic = await openClinic()
  const writer = clinic.another()
  for (let number = 0; number < 10; number += 1) {
    const data = { clinicId: 'acme', number, name: `patient ${number}`, email: `${number}@example.com`, phone: '555' }
    ids.push((await writer.patient.create({ data })).id)
  }
})
afterAll(() => clinic.close())
beforeEach(() => {
  clinic.takeSql()
  clinic.emulator.calls.reset()
})

const keyQueries = () => clinic.takeSql().filter((sql) => sql.includes('encryption_keys'))

describe('a process with no key in memory', () => {
  it('makes one KMS call and one query of the keys table for 1,000 concurrent first reads', async () => {
    const acme = clinic.prisma.$forTenant('acme')
    const reads = Array.from({ length: 1_000 }, (_, i) => acme.patient.findFirst({ where: { id: ids[i % 10]! } }))
    const names = (await Promise.all(reads)).map((row) => row?.name)
    expect(names).toEqual(names.map((_, i) => `patient ${i % 10}`))
    expect(clinic.emulator.calls.byAction).toEqual({ Decrypt: 1 })
    expect(keyQueries()).toHaveLength(1)
  })

  it('makes one of each per purpose, and one reservation, for 1,000 concurrent first writes of a known tenant', async () => {
    const other = await openClinic()
    await other.another().patient.create({ data: { clinicId: 'acme', number: 0, name: 'Ada', email: 'a@example.com' } })
    other.takeSql()
    other.emulator.calls.reset()
    const acme = other.prisma.$forTenant('acme')
    const write = (number: number) =>
      acme.patient.create({ data: { clinicId: 'acme', number, name: 'Eve', email: `${number}@` } })
    await Promise.all(Array.from({ length: 1_000 }, (_, i) => write(i + 1)))
    expect(other.emulator.calls.byAction).toEqual({ Decrypt: 2 })
    expect(other.takeSql().filter((sql) => sql.includes('encryption_keys'))).toHaveLength(3)
    await other.close()
  })

  it('makes one of each per purpose for 100 concurrent first writes of a new tenant', async () => {
    const write = (number: number) =>
      clinic.prisma.patient.create({ data: { clinicId: 'globex', number, name: 'Eve', email: `${number}@` } })
    await Promise.all(Array.from({ length: 100 }, (_, i) => write(i)))
    expect(clinic.emulator.calls.byAction).toEqual({ GenerateDataKey: 2 })
    expect(keyQueries()).toHaveLength(5)
    expect(await clinic.plain.encryptionKey.count({ where: { tenant: 'globex' } })).toBe(2)
  })
})

describe('a process with the keys in memory', () => {
  beforeAll(async () => {
    await clinic.prisma.$forTenant('acme').patient.findMany({ where: { clinicId: 'acme' } })
    await clinic.prisma.patient.create({ data: { clinicId: 'acme', number: 50, name: 'warm', email: 'warm@' } })
  })

  it('asks neither the KMS nor the keys table, whatever it does', async () => {
    const acme = clinic.prisma.$forTenant('acme')
    const where = { id: ids[0]! }
    await acme.patient.findMany({ where: { clinicId: 'acme' }, include: { contacts: true, visits: true } })
    await acme.patient.update({ where, data: { name: 'patient 0', email: '0@example.com' } })
    await acme.patient.updateMany({ where, data: { city: 'Turin' } })
    await acme.patient.upsert({
      where,
      create: { clinicId: 'acme', number: 60, name: 'x' },
      update: { history: { a: 1 } },
    })
    await acme.$transaction([acme.patient.findUnique({ where }), acme.patient.findFirst({ where })])
    await acme.$transaction((tx) => tx.patient.findUnique({ where }))
    await acme.patient.create({
      data: {
        clinicId: 'acme',
        number: 61,
        name: 'y',
        email: 'y@',
        contacts: { create: { relationship: 'son', name: 'z' } },
      },
    })
    await acme.patient.delete({ where: { clinicId_number: { clinicId: 'acme', number: 61 } } })
    await clinic.prisma.$acrossTenants().patient.findMany({ where: { clinicId: 'acme' } })
    expect(keyQueries()).toEqual([])
    expect(clinic.emulator.calls.count()).toBe(0)
  })

  it('keeps Prisma’s batching of findUnique: ten of them are one statement', async () => {
    const acme = clinic.prisma.$forTenant('acme')
    const rows = await Promise.all(ids.map((id) => acme.patient.findUnique({ where: { id } })))
    expect(rows.map((row) => row?.name)).toEqual(ids.map((_, i) => `patient ${i}`))
    expect(clinic.takeSql()).toHaveLength(1)
  })

  it('keeps that batching for selected, bound fields, and does not mix the tenants in it', async () => {
    const { id } = await clinic.prisma.patient.upsert({
      where: { clinicId_number: { clinicId: 'globex', number: 1_000 } },
      create: { clinicId: 'globex', number: 1_000, name: 'Grace', phone: '556' },
      update: { clinicId: 'globex', name: 'Grace' },
    })
    clinic.takeSql()
    const [one, two, other] = await Promise.all([
      ...ids
        .slice(0, 2)
        .map((own) =>
          clinic.prisma.$forTenant('acme').patient.findUnique({ where: { id: own }, select: { phone: true } }),
        ),
      clinic.prisma.$forTenant('globex').patient.findUnique({ where: { id }, select: { phone: true } }),
    ])
    expect([one, two, other]).toEqual([{ phone: '555' }, { phone: '555' }, { phone: '556' }])
    expect(clinic.takeSql()).toHaveLength(1)
  })
})
