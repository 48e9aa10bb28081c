import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { Prisma } from '../../../generated/prisma/client.js'
import { type ClinicUnderTest, openClinic } from '../../support/clinic.js'
import { deepFreeze } from '../deepFreeze.js'

let clinic: ClinicUnderTest
let acme: ClinicUnderTest['prisma']
beforeAll(async () => {
  clinic = await openClinic()
  acme = clinic.prisma.$forTenant('acme')
})
afterAll(() => clinic.close())
beforeEach(async () => {
  await clinic.plain.visit.deleteMany()
  await clinic.plain.patient.deleteMany()
  await clinic.plain.doctor.deleteMany()
})

const CIPHERTEXT = /^fs1\.[\w-]+$/
const base = (number: number) => ({ clinicId: 'acme', number, name: `name ${number}` })
const stored = (id: string) => clinic.plain.patient.findUniqueOrThrow({ where: { id } })
const indexOf = (email: string) => acme.$encryption.blindIndex('Patient.emailIndex', email)

describe('what a write refuses', () => {
  const unfit = [
    ['a number in a String field', { name: 5 }, 'Patient.name'],
    ['an object in a String field', { email: { value: 'x' } }, 'Patient.email'],
    ['a lone surrogate', { name: 'a\ud800' }, 'Patient.name'],
    ['text in a Bytes field', { photo: 'AQID' }, 'Patient.photo'],
    ['a bigint inside Json', { history: { big: 1n } }, 'Patient.history'],
    ['NaN inside Json', { history: [Number.NaN] }, 'Patient.history'],
    ['a null kind inside Json', { history: { deep: Prisma.JsonNull } }, 'Patient.history'],
  ] as const
  it.each(unfit)('refuses %s before any SQL', async (_, data, field) => {
    clinic.takeSql()
    const writing = acme.patient.create({ data: { ...base(1), ...data } as never })
    await expect(writing).rejects.toMatchObject({ code: 'VALUE_INVALID', message: expect.stringContaining(field) })
    expect(clinic.takeSql()).toEqual([])
  })

  const handWritten = {
    create: () => acme.patient.create({ data: { ...base(1), emailIndex: 'by hand' as never } }),
    createMany: () => acme.patient.createMany({ data: [{ ...base(1), emailIndex: 'by hand' as never }] }),
    'create of null': () => acme.patient.create({ data: { ...base(1), emailIndex: null as never } }),
    updateMany: () => acme.patient.updateMany({ data: { emailIndex: { set: 'by hand' } as never } }),
    'a nested create': () =>
      acme.clinic.update({
        where: { id: 'acme' },
        data: { patients: { create: { number: 1, name: 'n', emailIndex: 'by hand' as never } } },
      }),
    'a nested upsert': () =>
      acme.visit.update({
        where: { id: 1 },
        data: { patient: { update: { emailIndex: 'by hand' as never } } },
      }),
  }
  it.each(Object.entries(handWritten))('refuses a blind index written by hand in %s', async (_, write) => {
    clinic.takeSql()
    await expect(write()).rejects.toMatchObject({
      code: 'QUERY_UNSUPPORTED',
      message: expect.stringContaining('Patient.emailIndex'),
    })
    expect(clinic.takeSql()).toEqual([])
  })

  const bound = {
    'a value for many rows': () => acme.patient.updateMany({ data: { phone: '1' } }),
    'a value for many rows that come back': () => acme.patient.updateManyAndReturn({ data: { phone: '1' } }),
    'a value for many nested rows': () =>
      acme.patient.update({
        where: { id: randomUUID() },
        data: { contacts: { updateMany: { where: {}, data: { phone: '1' } } } },
      }),
    'another id': () => acme.patient.update({ where: { id: randomUUID() }, data: { id: randomUUID() } }),
    'another id for many rows': () => acme.patient.updateMany({ data: { id: { set: randomUUID() } } }),
  }
  it.each(Object.entries(bound))('refuses %s where ciphertexts are bound to the id', async (_, write) => {
    clinic.takeSql()
    await expect(write()).rejects.toMatchObject({
      code: 'QUERY_UNSUPPORTED',
      message: expect.stringContaining('bound'),
    })
    expect(clinic.takeSql()).toEqual([])
  })

  const unknown = {
    'an update by another unique': () =>
      acme.patient.update({ where: { clinicId_number: { clinicId: 'acme', number: 1 } }, data: { phone: '1' } }),
    'a nested update of a to-one relation without where': () =>
      acme.visit.update({ where: { id: 1 }, data: { patient: { update: { phone: '1' } } } }),
    'a nested upsert of a to-one relation without where': () =>
      acme.visit.update({
        where: { id: 1 },
        data: { patient: { upsert: { create: { ...base(1) }, update: { phone: { set: '1' } } } } as never },
      }),
  }
  it.each(Object.entries(unknown))('refuses a bound field in %s', async (_, write) => {
    clinic.takeSql()
    await expect(write()).rejects.toMatchObject({
      code: 'BOUND_VALUE_MISSING',
      message: expect.stringContaining('Patient.phone'),
    })
    expect(clinic.takeSql()).toEqual([])
  })
})

const values = {
  text: {
    name: 'Ada',
    email: 'ada@example.com',
    phone: '555',
    history: { a: [1, 'x', null, true] },
    photo: bytes(1, 2),
  },
  'empty values': { name: '', email: '', phone: '', history: {}, photo: bytes() },
  'falsy Json': { name: 'x', email: 'x', phone: 'x', history: 0, photo: bytes(0) },
  'an empty text in Json': { name: 'x', email: 'x', phone: 'x', history: '', photo: bytes(0) },
  'false in Json': { name: 'x', email: 'x', phone: 'x', history: false, photo: bytes(0) },
  unicode: {
    name: 'Žofie 👩🏽‍⚕️ \u202e',
    email: 'ß@例え.jp',
    phone: '٣',
    history: { '🔑': 'ü\u2028' },
    photo: bytes(255),
  },
  'zero bytes, and how NUL characters are written': {
    name: 'a\\0b',
    email: '\\u0000',
    phone: '\\x00',
    history: 'a\\u0000b',
    photo: bytes(0, 0),
  },
  'what looks like a ciphertext': {
    name: 'fs1.AAAA',
    email: 'fs1.',
    phone: 'fs1.',
    history: 'fs1.x',
    photo: bytes(0x66, 0x73),
  },
  'what looks like an operator': {
    name: 'set',
    email: 'null',
    phone: '{}',
    history: { set: 1, create: 2 },
    photo: bytes(1),
  },
  'Json that looks like Prisma': {
    name: 'x',
    email: 'x',
    phone: 'x',
    history: { ifUndefined: 1, modelName: 'Patient', name: 'name', typeName: 'String' },
    photo: bytes(1),
  },
}
function bytes(...all: number[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(all)
}

describe('the values of a write', () => {
  it.each(Object.entries(values))('encrypts and gives back %s', async (_, value) => {
    const data = deepFreeze({ ...base(1), ...value })
    const created = await acme.patient.create({ data })
    expect(created).toMatchObject(value)
    const found = await acme.patient.findUniqueOrThrow({ where: { id: created.id } })
    expect(found).toEqual(created)
    const row = await stored(created.id)
    for (const column of [row.name, row.email, row.phone, row.history]) expect(column).toMatch(CIPHERTEXT)
    expect(Buffer.from(row.photo!).subarray(0, 4).toString()).toBe('fs1.')
    expect(row.emailIndex).toBe(await indexOf(value.email))
    const updated = await acme.patient.update({
      where: { id: created.id },
      data: deepFreeze({
        name: { set: value.name },
        email: { set: value.email },
        phone: { set: value.phone },
        photo: { set: value.photo },
        history: value.history,
      }),
    })
    expect(updated).toEqual(created)
    const rewritten = await stored(created.id)
    expect(rewritten.name).not.toBe(row.name)
    expect(rewritten.emailIndex).toBe(row.emailIndex)
  })

  it('writes and reads 4 MiB in each type', async () => {
    const large = {
      name: 'é'.repeat(2 * 1024 * 1024),
      email: 'x'.repeat(4 * 1024 * 1024),
      history: { large: 'y'.repeat(4 * 1024 * 1024) },
      photo: new Uint8Array(4 * 1024 * 1024).fill(7),
    }
    const { id } = await acme.patient.create({ data: { ...base(1), ...large } })
    const found = await acme.patient.findUniqueOrThrow({ where: { id } })
    expect(found.name === large.name && found.email === large.email).toBe(true)
    expect(Buffer.from(found.photo!).equals(large.photo)).toBe(true)
    expect((found.history as typeof large.history).large === large.history.large).toBe(true)
  })

  it('stores null as null and clears the blind index', async () => {
    const filled = { email: 'a@b', phone: '1', history: { a: 1 }, photo: bytes(1) }
    const { id } = await acme.patient.create({ data: { ...base(1), ...filled } })
    const nulls = { email: null, phone: null, history: Prisma.DbNull, photo: null }
    const cleared = await acme.patient.update({ where: { id }, data: nulls })
    expect(cleared).toMatchObject({ email: null, phone: null, history: null, photo: null })
    expect(await stored(id)).toMatchObject({ email: null, emailIndex: null, phone: null, history: null, photo: null })
  })

  it('clears the blind index by { set: null }, for one row and for many', async () => {
    const { id } = await acme.patient.create({ data: { ...base(1), email: 'a@b', phone: '1' } })
    await acme.patient.update({ where: { id }, data: { email: { set: null } } })
    expect(await stored(id)).toMatchObject({ email: null, emailIndex: null })
    await acme.patient.update({ where: { id }, data: { email: 'a@b' } })
    await acme.patient.updateMany({ where: { id }, data: { email: { set: null }, phone: { set: null } } })
    expect(await stored(id)).toMatchObject({ email: null, emailIndex: null, phone: null })
  })

  it('leaves out what is undefined, and its index', async () => {
    const { id } = await acme.patient.create({ data: { ...base(1), email: 'a@b' } })
    const before = await stored(id)
    const undefinedData = { email: undefined, history: undefined, photo: undefined, emailIndex: undefined }
    await acme.patient.update({ where: { id }, data: { city: 'Prague', ...undefinedData } as never })
    expect(await stored(id)).toEqual({ ...before, city: 'Prague' })
  })

  it('encrypts the null of Json itself, unlike the null of the column', async () => {
    const { id } = await acme.patient.create({ data: { ...base(1), history: Prisma.JsonNull } })
    expect((await stored(id)).history).toMatch(CIPHERTEXT)
    expect(await acme.patient.findUniqueOrThrow({ where: { id } })).toMatchObject({ history: null })
  })

  it('calls toJSON of dates in Json and leaves undefined properties out, as Prisma does', async () => {
    const at = new Date(0)
    const created = await acme.patient.create({ data: { ...base(1), history: { at, gone: undefined } as never } })
    expect(created.history).toEqual({ at: at.toISOString() })
  })

  it('gives the same index to what the normalisers make equal', async () => {
    const { id } = await acme.patient.create({ data: { ...base(1), email: ' Ada@Example.com ' } })
    expect((await stored(id)).emailIndex).toBe(await indexOf('ada@example.com'))
    expect(await acme.patient.findUniqueOrThrow({ where: { id } })).toMatchObject({ email: ' Ada@Example.com ' })
  })
})

describe('every operation that writes', () => {
  it('createMany encrypts each record with a nonce of its own', async () => {
    const record = deepFreeze({ clinicId: 'acme', name: 'same', email: null })
    const data = deepFreeze([1, 2, 3].map((number) => ({ ...record, number })))
    expect(await acme.patient.createMany({ data })).toEqual({ count: 3 })
    const names = (await clinic.plain.patient.findMany()).map(({ name }) => name)
    expect(new Set(names).size).toBe(3)
    for (const name of names) expect(name).toMatch(CIPHERTEXT)
  })

  it('createMany takes the same object twice, and one record without an array', async () => {
    const doctor = deepFreeze({ clinicId: 'acme', name: 'twin', mobile: '1' })
    await acme.doctor.createMany({ data: [doctor, doctor] })
    await acme.doctor.createMany({ data: doctor })
    expect(await acme.doctor.findMany({ select: { mobile: true } })).toEqual([
      { mobile: '1' },
      { mobile: '1' },
      { mobile: '1' },
    ])
  })

  it('createManyAndReturn gives plaintext rows, with select, omit and include', async () => {
    const data = deepFreeze([{ ...base(1), phone: '1' }])
    const [row] = await acme.patient.createManyAndReturn({ data, include: { clinic: true } })
    expect(row).toMatchObject({ name: 'name 1', phone: '1', clinic: { id: 'acme' } })
    const [selected] = await acme.patient.createManyAndReturn({
      data: [{ ...base(2), phone: '2' }],
      select: { phone: true },
    })
    expect(selected).toEqual({ phone: '2' })
  })

  it('updateMany gives every row a value, and updateManyAndReturn returns it', async () => {
    await acme.patient.createMany({ data: [base(1), base(2)] })
    expect(await acme.patient.updateMany({ data: { name: 'both' }, limit: 5 })).toEqual({ count: 2 })
    const rows = await acme.patient.updateManyAndReturn({
      where: { number: 2 },
      data: { name: { set: 'second' } },
      select: { name: true },
    })
    expect(rows).toEqual([{ name: 'second' }])
    for (const row of await clinic.plain.patient.findMany()) expect(row.name).toMatch(CIPHERTEXT)
  })

  it('upsert creates, then updates', async () => {
    const where = { clinicId_number: { clinicId: 'acme', number: 1 } }
    const upsert = deepFreeze({ where, create: { ...base(1), email: 'a@b' }, update: { email: 'c@d' } })
    expect(await acme.patient.upsert(upsert)).toMatchObject({ name: 'name 1', email: 'a@b' })
    const updated = await acme.patient.upsert(upsert)
    expect(updated).toMatchObject({ name: 'name 1', email: 'c@d' })
    expect((await stored(updated.id)).emailIndex).toBe(await indexOf('c@d'))
  })

  it('delete gives the row it deleted', async () => {
    const { id } = await acme.patient.create({ data: { ...base(1), phone: '1' } })
    expect(await acme.patient.delete({ where: { id }, select: { phone: true } })).toEqual({ phone: '1' })
  })

  it('takes an update that repeats the id, in whatever form it is written', async () => {
    const { id } = await acme.patient.create({ data: { ...base(1), phone: '1' } })
    const same = await acme.patient.update({
      where: { id: id.toUpperCase() },
      data: { id: { set: id }, phone: '2' },
    })
    expect(same).toMatchObject({ id, phone: '2' })
    expect(await acme.patient.findUniqueOrThrow({ where: { id } })).toMatchObject({ phone: '2' })
  })

  it('makes the bound id itself, and keeps one that is given', async () => {
    const id = randomUUID()
    const given = await acme.patient.create({ data: { ...base(1), id, phone: '1' } })
    const made = await acme.patient.create({ data: { ...base(2), id: undefined, phone: '2' } as never })
    expect(given).toMatchObject({ id, phone: '1' })
    expect(made.phone).toBe('2')
    expect(made.id).toMatch(/^[\da-f]{8}-[\da-f]{4}-4/)
  })

  it('finds rows by the unique that holds a blind index', async () => {
    const { id } = await acme.patient.create({ data: { ...base(1), email: 'a@b' } })
    const emailIndex = (await indexOf('a@b')) as string
    const where = { clinicId_emailIndex: { clinicId: 'acme', emailIndex } }
    expect(await acme.patient.findUniqueOrThrow({ where })).toMatchObject({ id, email: 'a@b' })
    expect(await acme.patient.update({ where, data: { email: 'c@d' } })).toMatchObject({ id, email: 'c@d' })
  })

  it("keeps Prisma's error when two rows have the same blind index", async () => {
    await acme.patient.create({ data: { ...base(1), email: 'a@b' } })
    const again = acme.patient.create({ data: { ...base(2), email: 'A@B ' } })
    await expect(again).rejects.toMatchObject({ code: 'P2002' })
  })
})

describe('nested writes', () => {
  const visits = () => clinic.plain.visit.findMany({ orderBy: { id: 'asc' } })

  it('create at every depth', async () => {
    const created = await acme.clinic.update({
      where: { id: 'acme' },
      data: deepFreeze({
        patients: {
          create: {
            number: 1,
            name: 'Ada',
            phone: '1',
            contacts: { create: [{ relationship: 'son', name: 'Ben', phone: '2' }] },
            insurance: { create: { insurer: 'x', policy: 'P1' } },
            visits: {
              create: {
                at: new Date(0),
                reason: 'cough',
                notes: { deep: true },
                meta: { reason: 'plain' },
                doctor: { create: { clinicId: 'acme', name: 'Dr', mobile: '3' } as never },
                diagnoses: { create: { code: randomUUID(), title: 'flu' } },
              },
            },
          },
        },
      }) as never,
      include: {
        patients: {
          include: { contacts: true, insurance: true, visits: { include: { doctor: true, diagnoses: true } } },
        },
      },
    })
    expect(created.patients).toMatchObject([
      {
        name: 'Ada',
        phone: '1',
        contacts: [{ name: 'Ben', phone: '2' }],
        insurance: { policy: 'P1' },
        visits: [{ reason: 'cough', notes: { deep: true }, meta: { reason: 'plain' }, doctor: { mobile: '3' } }],
      },
    ])
    const [visit] = await visits()
    expect(visit).toMatchObject({ reason: expect.stringMatching(CIPHERTEXT), notes: expect.stringMatching(CIPHERTEXT) })
    expect(visit!.meta).toEqual({ reason: 'plain' })
    const [contact] = await clinic.plain.contact.findMany()
    expect(contact).toMatchObject({ name: expect.stringMatching(CIPHERTEXT), phone: expect.stringMatching(CIPHERTEXT) })
    expect(await clinic.plain.insurance.findFirst()).toMatchObject({ policy: expect.stringMatching(CIPHERTEXT) })
  })

  it('createMany, connectOrCreate, connect, disconnect and set', async () => {
    const doctor = await acme.doctor.create({
      data: {
        clinicId: 'acme',
        name: 'Dr',
        mobile: '1',
        visits: undefined,
        mentees: { createMany: { data: [{ clinicId: 'acme', name: 'A', mobile: '2' }], skipDuplicates: true } },
      } as never,
      include: { mentees: true },
    })
    expect(doctor).toMatchObject({ mobile: '1', mentees: [{ mobile: '2' }] })
    const mentee = doctor.mentees[0]!
    const changed = await acme.doctor.update({
      where: { id: doctor.id },
      data: {
        mentees: {
          disconnect: [{ id: mentee.id }],
          connectOrCreate: [
            { where: { id: 'new' }, create: { id: 'new', clinicId: 'acme', name: 'B', mobile: '3' } },
            { where: { id: mentee.id }, create: { clinicId: 'acme', name: 'never', mobile: 'never' } },
          ],
        },
      } as never,
      include: { mentees: { orderBy: { name: 'asc' } } },
    })
    expect(changed.mentees.map(({ mobile }) => mobile)).toEqual(['2', '3'])
    const set = await acme.doctor.update({
      where: { id: doctor.id },
      data: { mentees: { set: [{ id: 'new' }] } },
      include: { mentees: true },
    })
    expect(set.mentees.map(({ mobile }) => mobile)).toEqual(['3'])
  })

  it('update in both to-one forms, upsert, updateMany, delete and deleteMany', async () => {
    const { id } = await acme.patient.create({
      data: {
        ...base(1),
        contacts: {
          create: [
            { relationship: 'a', name: 'A' },
            { relationship: 'b', name: 'B', phone: '1' },
          ],
        },
        visits: { create: { at: new Date(0), reason: 'one' } },
      } as never,
    })
    const contacts = await acme.contact.findMany({ orderBy: { relationship: 'asc' } })
    const [visit] = await visits()
    await acme.visit.update({ where: { id: visit!.id }, data: { patient: { update: { name: 'form one' } } } })
    expect(await acme.patient.findUniqueOrThrow({ where: { id } })).toMatchObject({ name: 'form one' })
    await acme.visit.update({
      where: { id: visit!.id },
      data: { patient: { update: { where: { id }, data: { name: 'form two', phone: '9' } } } },
    })
    expect(await acme.patient.findUniqueOrThrow({ where: { id } })).toMatchObject({ name: 'form two', phone: '9' })
    const result = await acme.patient.update({
      where: { id },
      data: {
        insurance: {
          upsert: { create: { insurer: 'i', policy: 'created' }, update: { policy: 'updated' } },
        },
        contacts: {
          update: { where: { id: contacts[0]!.id }, data: { phone: '7', name: { set: 'A2' } } },
          updateMany: { where: { phone: { not: null }, relationship: 'b' }, data: { name: 'B2' } },
          upsert: {
            where: { id: 'none' },
            create: { relationship: 'c', name: 'C', phone: '8' },
            update: { name: 'never' },
          },
        },
        visits: { deleteMany: { notes: { equals: Prisma.DbNull } } },
      },
      include: { insurance: true, contacts: { orderBy: { relationship: 'asc' } }, visits: true },
    })
    expect(result).toMatchObject({
      insurance: { policy: 'created' },
      contacts: [
        { name: 'A2', phone: '7' },
        { name: 'B2', phone: '1' },
        { name: 'C', phone: '8' },
      ],
      visits: [],
    })
    const again = await acme.patient.update({
      where: { id },
      data: {
        insurance: { upsert: { create: { insurer: 'i', policy: 'never' }, update: { policy: 'updated' } } },
        contacts: { delete: { id: contacts[0]!.id } },
      },
      include: { insurance: true, contacts: true },
    })
    expect(again.insurance).toMatchObject({ policy: 'updated' })
    expect(again.contacts).toHaveLength(2)
    const removed = await acme.patient.update({
      where: { id },
      data: { insurance: { delete: true } },
      include: { insurance: true },
    })
    expect(removed.insurance).toBeNull()
  })

  it('through a self relation, up and down', async () => {
    const top = await acme.doctor.create({
      data: {
        name: 'top',
        mobile: '1',
        clinic: { connect: { id: 'acme' } },
        mentor: { create: { name: 'up', mobile: '2', clinic: { connect: { id: 'acme' } } } },
        mentees: { create: { name: 'down', mobile: '3', clinic: { connect: { id: 'acme' } } } },
      },
      include: { mentor: true, mentees: { include: { mentor: { include: { mentor: true } } } } },
    })
    expect(top).toMatchObject({
      mobile: '1',
      mentor: { mobile: '2' },
      mentees: [{ mobile: '3', mentor: { mobile: '1', mentor: { mobile: '2' } } }],
    })
  })

  it('through a model that has nothing encrypted itself', async () => {
    const code = randomUUID()
    const { id } = await acme.patient.create({ data: base(1) })
    await acme.diagnosis.create({
      data: { code, title: 't', visits: { create: { patientId: id, at: new Date(0), reason: 'r' } as never } },
    })
    const [visit] = await visits()
    expect(visit!.reason).toMatch(CIPHERTEXT)
    expect(await acme.diagnosis.findUniqueOrThrow({ where: { code }, include: { visits: true } })).toMatchObject({
      visits: [{ reason: 'r' }],
    })
  })
})
