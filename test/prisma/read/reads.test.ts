import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type ClinicUnderTest, openClinic } from '../../support/clinic.js'
import { deepFreeze } from '../deepFreeze.js'

let clinic: ClinicUnderTest
let acme: ClinicUnderTest['prisma']
const adaId = randomUUID()
const bobId = randomUUID()
beforeAll(async () => {
  clinic = await openClinic()
  acme = clinic.prisma.$forTenant('acme')
  const mentor = await acme.doctor.create({ data: { id: 'mentor', clinicId: 'acme', name: 'Mentor', mobile: 'm1' } })
  await acme.doctor.create({ data: { id: 'doctor', clinicId: 'acme', name: 'Dr', mobile: 'm2', mentorId: mentor.id } })
  await acme.patient.create({
    data: {
      id: adaId,
      number: 1,
      name: 'Ada',
      email: 'ada@example.com',
      phone: '1',
      history: { allergies: ['nuts'] },
      photo: new Uint8Array([1, 2, 3]),
      clinic: { connect: { id: 'acme' } },
      contacts: { create: { id: 'ben', relationship: 'son', name: 'Ben', phone: '2' } },
      insurance: { create: { insurer: 'x', policy: 'P1' } },
      visits: {
        create: [
          { at: new Date(0), reason: 'cough', notes: { a: 1 }, doctor: { connect: { id: 'doctor' } } },
          { at: new Date(1), reason: 'cold', doctor: { connect: { id: 'mentor' } } },
        ],
      },
    },
  })
  await acme.patient.create({ data: { id: bobId, clinicId: 'acme', number: 2, name: 'Bob' } })
})
afterAll(() => clinic.close())

const where = { id: adaId }
const keys = (row: object | null | undefined) => Object.keys(row ?? {}).sort()

describe('what a read returns', () => {
  it('is plaintext of the declared types, in every operation that reads rows', async () => {
    const ada = {
      name: 'Ada',
      email: 'ada@example.com',
      phone: '1',
      history: { allergies: ['nuts'] },
      photo: new Uint8Array([1, 2, 3]),
    }
    expect(await acme.patient.findUnique({ where })).toMatchObject(ada)
    expect(await acme.patient.findUniqueOrThrow({ where })).toMatchObject(ada)
    expect(await acme.patient.findFirst({ where })).toMatchObject(ada)
    expect(await acme.patient.findFirstOrThrow({ where })).toMatchObject(ada)
    expect((await acme.patient.findMany({ orderBy: { number: 'asc' } }))[0]).toMatchObject(ada)
    expect((await acme.patient.findUniqueOrThrow({ where })).photo).toBeInstanceOf(Uint8Array)
  })

  it('is null or an error of Prisma where there is no row', async () => {
    const nobody = { where: { id: randomUUID() } }
    expect(await acme.patient.findUnique(nobody)).toBeNull()
    expect(await acme.patient.findFirst(nobody)).toBeNull()
    expect(await acme.patient.findMany(nobody)).toEqual([])
    await expect(acme.patient.findUniqueOrThrow(nobody)).rejects.toMatchObject({ code: 'P2025' })
    await expect(acme.patient.findFirstOrThrow(nobody)).rejects.toMatchObject({ code: 'P2025' })
  })

  it('has the selected columns and no others, also where the id is needed to decrypt', async () => {
    expect(await acme.patient.findUnique(deepFreeze({ where, select: { phone: true } }))).toStrictEqual({ phone: '1' })
    const both = await acme.patient.findUnique({ where, select: { id: true, phone: true } })
    expect(both).toStrictEqual({ id: adaId, phone: '1' })
    expect(await acme.patient.findUnique({ where, select: { id: false, phone: true } })).toStrictEqual({ phone: '1' })
    expect(await acme.patient.findUnique({ where, select: { email: true } })).toStrictEqual({
      email: 'ada@example.com',
    })
  })

  it('lacks the omitted columns, also where the id is needed to decrypt', async () => {
    const omitted = await acme.patient.findUnique(deepFreeze({ where, omit: { id: true, photo: true } }))
    expect(omitted).toMatchObject({ phone: '1', name: 'Ada' })
    expect(keys(omitted)).not.toContain('id')
    expect(keys(omitted)).not.toContain('photo')
    expect(JSON.stringify({ ...omitted })).not.toContain(adaId)
  })

  it('has nested rows at every depth, by include and by select', async () => {
    const included = await acme.patient.findUnique(
      deepFreeze({
        where,
        include: {
          contacts: true,
          insurance: { select: { policy: true } },
          visits: { orderBy: { at: 'asc' }, include: { doctor: { include: { mentor: { omit: { id: true } } } } } },
        },
      } as const),
    )
    expect(included).toMatchObject({
      contacts: [{ name: 'Ben', phone: '2' }],
      visits: [
        { reason: 'cough', notes: { a: 1 }, doctor: { mobile: 'm2', mentor: { mobile: 'm1' } } },
        { notes: null },
      ],
    })
    expect(included!.insurance).toStrictEqual({ policy: 'P1' })
    const selected = await acme.clinic.findUnique({
      where: { id: 'acme' },
      select: { patients: { where, select: { contacts: { select: { phone: true } }, phone: true } } },
    })
    expect(selected).toStrictEqual({ patients: [{ contacts: [{ phone: '2' }], phone: '1' }] })
  })

  it('counts relations, with a filter, and encrypted columns', async () => {
    const counted = await acme.patient.findUnique({
      where,
      select: {
        phone: true,
        _count: { select: { visits: { where: { notes: { not: null as never } } }, contacts: true } },
      },
    })
    expect(counted).toMatchObject({ phone: '1', _count: { contacts: 1 } })
    expect(await acme.patient.findUnique({ where, include: { _count: true } })).toMatchObject({
      name: 'Ada',
      _count: { visits: 2, contacts: 1 },
    })
    expect(await acme.patient.count({ select: { _all: true, email: true, phone: true } })).toEqual({
      _all: 2,
      email: 1,
      phone: 1,
    })
    expect(await acme.patient.aggregate({ _count: { email: true }, _max: { number: true } })).toEqual({
      _count: { email: 1 },
      _max: { number: 2 },
    })
    expect(
      await acme.patient.groupBy({ by: ['clinicId'], _count: { email: true }, orderBy: { _count: { city: 'asc' } } }),
    ).toEqual([{ clinicId: 'acme', _count: { email: 1 } }])
  })
})

describe('the fluent API', () => {
  it('decrypts at depth one', async () => {
    expect(await acme.patient.findUnique({ where }).contacts()).toMatchObject([{ name: 'Ben', phone: '2' }])
    expect(await acme.patient.findUniqueOrThrow({ where }).insurance()).toMatchObject({ policy: 'P1' })
    expect(await acme.patient.findFirst({ where }).visits({ orderBy: { at: 'asc' } })).toMatchObject([
      { reason: 'cough' },
      { reason: 'cold' },
    ])
  })

  it('decrypts at depth two and three, through to-one relations, with select and include', async () => {
    const insurance = () => acme.insurance.findFirstOrThrow({ where: { patientId: adaId } })
    expect(await insurance().patient().contacts()).toMatchObject([{ phone: '2' }])
    const doctors = await insurance()
      .patient()
      .clinic()
      .doctors({ orderBy: { id: 'asc' }, include: { mentor: true } })
    expect(doctors).toMatchObject([
      { mobile: 'm2', mentor: { mobile: 'm1' } },
      { mobile: 'm1', mentor: null },
    ])
    const contacts = await insurance()
      .patient()
      .contacts({ select: { phone: true } })
    expect(contacts).toStrictEqual([{ phone: '2' }])
  })

  it('decrypts what follows a write', async () => {
    const written = acme.patient.update({ where, data: { phone: '1' } })
    expect(await written.contacts({ include: { patient: true } })).toMatchObject([
      { name: 'Ben', patient: { name: 'Ada', phone: '1' } },
    ])
    expect((await clinic.plain.patient.findUniqueOrThrow({ where })).phone).toMatch(/^fs1\./)
    const upserted = acme.insurance.upsert({
      where: { patientId: adaId },
      create: { patientId: adaId, insurer: 'never', policy: 'never' },
      update: { policy: 'P1' },
    })
    expect(await upserted.patient()).toMatchObject({ name: 'Ada', phone: '1' })
  })

  it('is null where there is no row, and refuses a filter on an encrypted field', async () => {
    expect(await acme.patient.findUnique({ where: { id: randomUUID() } }).contacts()).toBeNull()
    expect(await acme.patient.findUnique({ where: { id: bobId } }).insurance()).toBeNull()
    const filtered = acme.patient.findUnique({ where }).contacts({ where: { name: 'Ben' as never } })
    await expect(filtered).rejects.toMatchObject({ code: 'QUERY_UNSUPPORTED' })
  })
})

describe('findUnique in parallel', () => {
  const patients = (sql: string[]) => sql.filter((statement) => statement.includes('"patients"'))

  it('sends one SQL statement for many rows', async () => {
    clinic.takeSql()
    const ids = [adaId, bobId, randomUUID()]
    const rows = await Promise.all(ids.map((id) => acme.patient.findUnique({ where: { id } })))
    expect(rows.map((row) => row?.name)).toEqual(['Ada', 'Bob', undefined])
    expect(patients(clinic.takeSql())).toHaveLength(1)
  })

  it('decrypts right where one row is asked for twice, with what is nested in it', async () => {
    clinic.takeSql()
    const find = () =>
      acme.patient.findUnique({ where, include: { contacts: true, visits: { include: { doctor: true } } } })
    const rows = await Promise.all([find(), find(), find()])
    for (const row of rows) {
      expect(row).toMatchObject({ name: 'Ada', phone: '1', contacts: [{ name: 'Ben', phone: '2' }] })
      expect(row!.visits.map(({ doctor }) => doctor?.mobile).sort()).toEqual(['m1', 'm2'])
    }
    expect(clinic.takeSql().filter((statement) => statement.includes('FROM "public"."patients"'))).toHaveLength(1)
  })

  it('decrypts right where one row is asked for with columns that are only added to decrypt', async () => {
    const find = () => acme.patient.findUnique({ where, select: { phone: true } })
    expect(await Promise.all([find(), find()])).toStrictEqual([{ phone: '1' }, { phone: '1' }])
  })

  it('sends one SQL statement through the fluent API too', async () => {
    clinic.takeSql()
    const lists = await Promise.all([adaId, bobId].map((id) => acme.patient.findUnique({ where: { id } }).contacts()))
    expect(lists.map((list) => list?.map(({ phone }) => phone))).toEqual([['2'], []])
    expect(clinic.takeSql().filter((statement) => statement.includes('FROM "public"."contacts"'))).toHaveLength(1)
  })
})

describe('transactions', () => {
  it('keep the order of an array, and its results', async () => {
    const [created, count, found] = await acme.$transaction([
      acme.doctor.create({ data: { id: 'temporary', clinicId: 'acme', name: 'T', mobile: 't1' } }),
      acme.doctor.updateMany({ where: { id: 'temporary' }, data: { mobile: 't2' } }),
      acme.doctor.findUnique({ where: { id: 'temporary' } }),
      acme.doctor.delete({ where: { id: 'temporary' } }),
    ])
    expect([created.mobile, count, found?.mobile]).toEqual(['t1', { count: 1 }, 't2'])
  })

  it('leave nothing of an array behind when one of it is refused, without SQL', async () => {
    clinic.takeSql()
    const batch = acme.$transaction([
      acme.doctor.create({ data: { id: 'lost', clinicId: 'acme', name: 'L', mobile: 'l' } }),
      acme.doctor.findMany({ where: { mobile: 'l' as never } }),
    ])
    await expect(batch).rejects.toMatchObject({ code: 'QUERY_UNSUPPORTED' })
    expect(clinic.takeSql()).toEqual([])
  })

  it('leave nothing of an array behind when the database refuses', async () => {
    const batch = acme.$transaction([
      acme.doctor.create({ data: { id: 'lost', clinicId: 'acme', name: 'L', mobile: 'l' } }),
      acme.doctor.create({ data: { id: 'lost', clinicId: 'acme', name: 'L', mobile: 'l' } }),
    ])
    await expect(batch).rejects.toMatchObject({ code: 'P2002' })
    expect(await acme.doctor.findUnique({ where: { id: 'lost' } })).toBeNull()
  })

  it('see their own writes when interactive, and roll them back', async () => {
    const rolled = acme.$transaction(async (tx) => {
      await tx.doctor.create({ data: { id: 'lost', clinicId: 'acme', name: 'L', mobile: 'l' } })
      expect(await tx.doctor.findUniqueOrThrow({ where: { id: 'lost' } })).toMatchObject({ mobile: 'l' })
      expect(await clinic.plain.doctor.findUnique({ where: { id: 'lost' } })).toBeNull()
      throw new Error('rolled back')
    })
    await expect(rolled).rejects.toThrow('rolled back')
    expect(await acme.doctor.findUnique({ where: { id: 'lost' } })).toBeNull()
  })

  it('commit the writes of all when interactive', async () => {
    const mobile = await acme.$transaction(async (tx) => {
      await tx.doctor.create({ data: { id: 'kept', clinicId: 'acme', name: 'K', mobile: 'k' } })
      const [first, second] = await Promise.all([
        tx.doctor.findUnique({ where: { id: 'kept' } }),
        tx.doctor.findUnique({ where: { id: 'kept' } }),
      ])
      expect(first).toEqual(second)
      return (await tx.doctor.update({ where: { id: 'kept' }, data: { mobile: 'k2' } })).mobile
    })
    expect(mobile).toBe('k2')
    expect(await acme.doctor.delete({ where: { id: 'kept' } })).toMatchObject({ mobile: 'k2' })
  })
})

describe('a promise of Prisma', () => {
  it('does nothing until it is awaited, and then once', async () => {
    clinic.takeSql()
    const lazy = acme.doctor.create({ data: { id: 'lazy', clinicId: 'acme', name: 'L', mobile: 'z' } })
    expect(clinic.takeSql()).toEqual([])
    expect(await lazy).toMatchObject({ mobile: 'z' })
    expect(await lazy).toMatchObject({ mobile: 'z' })
    expect(await acme.doctor.delete({ where: { id: 'lazy' } })).toMatchObject({ mobile: 'z' })
  })
})
