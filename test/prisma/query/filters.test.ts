import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Prisma } from '../../../generated/prisma/client.js'
import { type ClinicUnderTest, openClinic } from '../../support/clinic.js'

let clinic: ClinicUnderTest
let acme: ClinicUnderTest['prisma']
const full = randomUUID()
const bare = randomUUID()
beforeAll(async () => {
  clinic = await openClinic()
  acme = clinic.prisma.$forTenant('acme')
  await acme.patient.create({
    data: {
      id: full,
      clinic: { connect: { id: 'acme' } },
      number: 1,
      city: 'Prague',
      name: 'Ada',
      email: 'a@b',
      phone: '1',
      history: { name: 'x' },
      photo: new Uint8Array([1]),
      contacts: { create: { id: 'ben', relationship: 'son', name: 'Ben', phone: '1' } },
      insurance: { create: { insurer: 'x', policy: 'P1' } },
      visits: { create: { at: new Date(0), reason: 'r', notes: { a: 1 }, meta: { name: 'plain', reason: 'plain' } } },
    },
  })
  await acme.patient.create({
    data: { id: bare, clinicId: 'acme', number: 2, name: 'Bob', history: Prisma.JsonNull },
  })
  await acme.patient.create({ data: { clinicId: 'acme', number: 3, name: 'Eve' } })
})
afterAll(() => clinic.close())

/** Filters of a Patient that no blind index answers: only `email` has one. */
const refusedFilters = {
  'a value': { phone: '1' },
  equals: { phone: { equals: '1' } },
  in: { phone: { in: ['1'] } },
  'in with null': { phone: { in: ['1', null] } },
  notIn: { phone: { notIn: ['1'] } },
  not: { phone: { not: '1' } },
  'not equals': { phone: { not: { equals: '1' } } },
  'not not': { phone: { not: { not: '1' } } },
  contains: { email: { contains: 'a' } },
  startsWith: { email: { startsWith: 'a' } },
  endsWith: { email: { endsWith: 'b' } },
  lt: { email: { lt: 'b' } },
  lte: { email: { lte: 'b' } },
  gt: { email: { gt: 'b' } },
  gte: { email: { gte: 'b' } },
  'null with an operator': { email: { not: null, contains: 'a' } },
  'a required field': { name: 'Ada' },
  'a bound field': { phone: '1' },
  'bytes by value': { photo: new Uint8Array([1]) },
  'bytes by equals': { photo: { equals: new Uint8Array([1]) } },
  'Json by equals': { history: { equals: { name: 'x' } } },
  'Json by path': { history: { path: ['name'], equals: 'x' } },
  'Json by path and null': { history: { path: ['name'], equals: Prisma.DbNull } },
  'Json by string_contains': { history: { string_contains: 'x' } },
  'Json by array_contains': { history: { array_contains: ['x'] } },
  JsonNull: { history: { equals: Prisma.JsonNull } },
  AnyNull: { history: { equals: Prisma.AnyNull } },
  'not JsonNull': { history: { not: Prisma.JsonNull } },
  AND: { AND: { name: 'Ada' } },
  'AND of a list': { AND: [{ number: 1 }, { name: 'Ada' }] },
  OR: { OR: [{ number: 1 }, { phone: '1' }] },
  NOT: { NOT: { name: 'Ada' } },
  'NOT of a list': { NOT: [{ OR: [{ AND: { name: { in: ['Ada'] } } }] }] },
  some: { contacts: { some: { name: 'Ben' } } },
  every: { contacts: { every: { name: 'Ben' } } },
  none: { contacts: { none: { phone: { not: '1' } } } },
  is: { insurance: { is: { policy: 'P1' } } },
  isNot: { insurance: { isNot: { policy: 'P1' } } },
  'a to-one relation': { insurance: { policy: 'P1' } },
  'relations of relations': { visits: { some: { doctor: { is: { mentees: { every: { mobile: { gt: '1' } } } } } } } },
  'a plain relation that leads back': {
    visits: { some: { diagnoses: { none: { visits: { some: { reason: 'r' } } } } } },
  },
  'a field reference to an encrypted column': () => ({ city: { equals: acme.patient.fields.name } }),
  'a field reference deep in a filter': () => ({ NOT: [{ city: { not: { equals: acme.patient.fields.email } } }] }),
  'a field reference from an encrypted column': () => ({ email: acme.patient.fields.city }),
  'a field reference by an operator': () => ({ email: { equals: acme.patient.fields.city } }),
} as const
type Filter = Omit<Prisma.PatientWhereInput, 'id'>
const filters = Object.entries(refusedFilters).map(
  ([name, filter]) => [name, () => (typeof filter === 'function' ? filter() : filter) as unknown as Filter] as const,
)

const ENCRYPTED =
  /\b(Patient|Contact|Insurance|Visit|Doctor)\.(name|email|phone|history|photo|policy|reason|notes|mobile)\b/

/** Runs a query that must be refused, and answers the error's message. */
async function refusal(query: () => Promise<unknown>): Promise<string> {
  clinic.takeSql()
  const error: unknown = await query().then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toMatchObject({ name: 'FieldsealError', code: 'QUERY_UNSUPPORTED' })
  expect(clinic.takeSql()).toEqual([])
  const { message } = error as Error
  expect(message).toMatch(ENCRYPTED)
  return message
}

describe('a filter on an encrypted field', () => {
  it.each(filters)('is refused before any SQL: %s', async (_, filter) => {
    await refusal(() => acme.patient.findMany({ where: filter() }))
  })

  const places: { [place: string]: (where: Filter) => Promise<unknown> } = {
    findFirst: (where) => acme.patient.findFirst({ where }),
    findUnique: (where) => acme.patient.findUnique({ where: { id: full, ...where } }),
    count: (where) => acme.patient.count({ where }),
    aggregate: (where) => acme.patient.aggregate({ where, _count: true }),
    groupBy: (where) => acme.patient.groupBy({ by: ['city'], where }),
    update: (where) => acme.patient.update({ where: { id: full, ...where }, data: { city: 'x' } }),
    updateMany: (where) => acme.patient.updateMany({ where, data: { city: 'x' } }),
    updateManyAndReturn: (where) => acme.patient.updateManyAndReturn({ where, data: { city: 'x' } }),
    upsert: (where) =>
      acme.patient.upsert({
        where: { id: full, ...where },
        create: { clinicId: 'acme', number: 9, name: 'x' },
        update: {},
      }),
    delete: (where) => acme.patient.delete({ where: { id: full, ...where } }),
    deleteMany: (where) => acme.patient.deleteMany({ where }),
    'a nested include': (where) => acme.clinic.findMany({ include: { patients: { where } } }),
    'a nested select': (where) => acme.clinic.findMany({ select: { patients: { where, select: { id: true } } } }),
    'a nested include of a write': (where) =>
      acme.clinic.update({ where: { id: 'acme' }, data: {}, include: { patients: { where } } }),
    'a count of relations': (where) =>
      acme.clinic.findMany({ include: { _count: { select: { patients: { where } } } } }),
    'a selected count of relations': (where) =>
      acme.clinic.findMany({ select: { _count: { select: { patients: { where } } } } }),
    'a nested updateMany': (where) =>
      acme.clinic.update({
        where: { id: 'acme' },
        data: { patients: { updateMany: { where: where as Prisma.PatientScalarWhereInput, data: { city: 'x' } } } },
      }),
    'a nested deleteMany': (where) =>
      acme.clinic.update({
        where: { id: 'acme' },
        data: { patients: { deleteMany: [where as Prisma.PatientScalarWhereInput] } },
      }),
    ...Object.fromEntries(
      (['connect', 'disconnect', 'delete', 'set'] as const).map((operation) => [
        `a nested ${operation}`,
        (where: Filter) =>
          acme.clinic.update({
            where: { id: 'acme' },
            data: { patients: { [operation]: [{ id: full, ...where }] } } as never,
          }),
      ]),
    ),
    'a nested update': (where) =>
      acme.clinic.update({
        where: { id: 'acme' },
        data: { patients: { update: { where: { id: full, ...where }, data: { city: 'x' } } } },
      }),
    'a nested upsert': (where) =>
      acme.clinic.update({
        where: { id: 'acme' },
        data: {
          patients: { upsert: { where: { id: full, ...where }, create: { number: 9, name: 'x' }, update: {} } },
        } as never,
      }),
    'a nested connectOrCreate': (where) =>
      acme.clinic.update({
        where: { id: 'acme' },
        data: {
          patients: { connectOrCreate: { where: { id: full, ...where }, create: { number: 9, name: 'x' } } },
        } as never,
      }),
    'a nested update of a to-one relation': (where) =>
      acme.visit.update({ where: { id: 1 }, data: { patient: { update: { where, data: { city: 'x' } } } } }),
    'a nested delete of a to-one relation': (where) =>
      acme.patient.update({
        where: { id: full },
        data: { insurance: { delete: { patient: where } } },
      }),
    'a nested disconnect of a to-one relation': (where) =>
      acme.visit.update({
        where: { id: 1 },
        data: { doctor: { disconnect: { visits: { some: { patient: where } } } } },
      }),
  }
  it.each(Object.entries(places))('is refused before any SQL in %s', async (_, query) => {
    const message = await refusal(() => query({ email: { contains: 'a' } as never }))
    expect(message).toContain('Patient.email')
    expect(message).toContain('"contains"')
    expect(message).not.toContain('a@b')
  })

  it('is refused also where it would match nothing', async () => {
    await refusal(() => acme.patient.findMany({ where: { contacts: { some: { name: { in: [] } as never } } } }))
  })
})

/** The types refuse all of these, too: `as never` gets past them, as untyped arguments would. */
const by = (orderBy: object) => () => acme.patient.findMany({ orderBy } as never)

const refusedSorts = {
  'a sort': by({ name: 'asc' }),
  'a sort in a list': by([{ number: 'asc' }, { email: 'desc' }]),
  'a sort with nulls': by({ email: { sort: 'asc', nulls: 'last' } }),
  'a sort by Json': by({ history: 'asc' }),
  'a sort by bytes': by({ photo: 'asc' }),
  'a sort by a relation': by({ insurance: { policy: 'asc' } }),
  'a sort through relations': () =>
    acme.visit.findMany({ orderBy: { doctor: { mentor: { mobile: 'asc' } } } } as never),
  'a sort in an include': () => acme.clinic.findMany({ include: { patients: { orderBy: { name: 'asc' } } } } as never),
  'a sort of a fluent call': () =>
    acme.clinic.findUnique({ where: { id: 'acme' } }).patients({ orderBy: { name: 'asc' } } as never),
  'a sort of findFirst': () => acme.patient.findFirst({ orderBy: { name: 'asc' } } as never),
  'a sort of an aggregate': () => acme.patient.aggregate({ orderBy: { name: 'asc' }, take: 1, _count: true } as never),
  'having more than how many have a value': () =>
    acme.patient.groupBy({ by: ['city'], having: { email: { _count: { gt: 0 }, _max: { gt: 'a' } } } } as never),
  'a sort of groups by their extreme': () =>
    acme.patient.groupBy({ by: ['city'], orderBy: { _max: { name: 'asc' } } } as never),
  distinct: () => acme.patient.findMany({ distinct: 'phone' } as never),
  'distinct in a list': () => acme.patient.findMany({ distinct: ['city', 'name'] } as never),
  'distinct in an include': () => acme.clinic.findMany({ include: { patients: { distinct: ['name'] } } } as never),
  groupBy: () => acme.patient.groupBy({ by: ['email'] as const } as never),
  'groupBy of one': () => acme.patient.groupBy({ by: 'email' } as never),
  having: () => acme.patient.groupBy({ by: ['city', 'email'], having: { email: 'a' } } as never),
  'having in AND': () =>
    acme.patient.groupBy({ by: ['city'], having: { AND: [{ NOT: { email: { _max: { gt: 'a' } } } }] } as never }),
  _min: () => acme.patient.aggregate({ _min: { email: true } } as never),
  _max: () => acme.patient.aggregate({ _max: { name: true, number: true } } as never),
  '_max of groups': () => acme.patient.groupBy({ by: ['city'], _max: { name: true } } as never),
  cursor: () => acme.patient.findMany({ cursor: { id: full, email: 'a@b' } as never }),
}

describe('sorting, grouping and aggregating by an encrypted field', () => {
  it.each(Object.entries(refusedSorts))('is refused before any SQL: %s', async (_, query) => {
    await refusal(async () => query())
  })
})

/** What must give the answer of the plain client: NULL is NULL on both sides. */
const allowedFilters: { [name: string]: Filter } = {
  null: { email: null },
  'equals null': { email: { equals: null } },
  'not null': { email: { not: null } },
  'not equals null': { email: { not: { equals: null } } },
  'not not null': { email: { not: { not: null } } },
  'an empty filter': { email: {} },
  undefined: { email: undefined as never, name: undefined as never },
  'an undefined operator': { email: { contains: undefined, not: null } as never },
  'bytes null': { photo: null },
  'bytes not null': { photo: { not: null } },
  DbNull: { history: { equals: Prisma.DbNull } },
  'not DbNull': { history: { not: Prisma.DbNull } },
  'a bound field': { phone: { not: null } },
  'in AND, OR and NOT': { AND: [{ OR: [{ email: null }, { NOT: { phone: null } }] }], NOT: { number: 9 } },
  some: { contacts: { some: { phone: { not: null } } } },
  every: { contacts: { every: { phone: null } } },
  none: { visits: { none: { notes: { equals: Prisma.DbNull } } } },
  'a relation is null': { insurance: null },
  'a relation is not null': { insurance: { isNot: null } },
  'a plain field of a relation': { insurance: { insurer: 'x' } },
  'the Json path of a plain column': { visits: { some: { meta: { path: ['reason'], equals: 'plain' } } } },
  'a plain Json value with telling keys': {
    visits: { some: { meta: { equals: { name: 'plain', reason: 'plain' } } } },
  },
  'a plain Json value that looks like a field reference': {
    visits: { none: { meta: { equals: { modelName: 'Visit', name: 'reason', typeName: 'String' } } } },
  },
  'a compound unique': { clinicId: 'acme', number: { in: [1, 2] } },
}

describe('a filter that needs no value of an encrypted field', () => {
  it.each(Object.entries(allowedFilters))('gives the answer of the plain client: %s', async (_, where) => {
    const query = { where, select: { id: true }, orderBy: { number: 'asc' } } as const
    const expected = await clinic.plain.patient.findMany(query)
    expect(await acme.patient.findMany(query)).toEqual(expected)
    expect(await acme.patient.count({ where })).toBe(expected.length)
  })

  it('tells the rows apart at all', async () => {
    expect(await acme.patient.count({ where: { email: null } })).toBe(2)
    expect(await acme.patient.count({ where: { history: { equals: Prisma.DbNull } } })).toBe(1)
    expect(await acme.patient.count({ where: { contacts: { some: { phone: { not: null } } } } })).toBe(1)
  })

  it('works with a field reference between plain columns', async () => {
    const where = { city: { equals: acme.patient.fields.clinicId } }
    expect(await acme.patient.findMany({ where })).toEqual([])
  })

  it('finds by the column of a blind index', async () => {
    const emailIndex = (await acme.$encryption.blindIndex('Patient.emailIndex', 'A@B')) as string
    expect(await acme.patient.findMany({ where: { emailIndex }, select: { email: true } })).toEqual([{ email: 'a@b' }])
  })
})

describe('sorting, grouping and aggregating by plain fields', () => {
  it('gives the answer of the plain client', async () => {
    const sorted = {
      orderBy: [{ city: { sort: 'asc', nulls: 'first' } }, { contacts: { _count: 'desc' } }, { number: 'desc' }],
      distinct: ['city', 'number'],
      cursor: { clinicId_number: { clinicId: 'acme', number: 3 } },
      take: 2,
      select: { number: true },
    } satisfies Prisma.PatientFindManyArgs
    expect(await acme.patient.findMany(sorted)).toEqual(await clinic.plain.patient.findMany(sorted))
    const aggregated = {
      _max: { number: true, city: true },
      _avg: { number: true },
      _count: { email: true, phone: true },
    } as const
    expect(await acme.patient.aggregate(aggregated)).toEqual(await clinic.plain.patient.aggregate(aggregated))
    const grouped = {
      by: ['city'],
      _sum: { number: true },
      _count: { history: true },
      having: { number: { _max: { gt: 1 } } },
      orderBy: { _count: { city: 'asc' } },
    } satisfies Prisma.PatientGroupByArgs
    expect(await acme.patient.groupBy(grouped)).toEqual(await clinic.plain.patient.groupBy(grouped))
  })
})
