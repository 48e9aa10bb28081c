import fc from 'fast-check'
import { Prisma } from '../../generated/prisma/client.js'

/** One call of a client, or several in an array transaction. */
export interface Call {
  readonly model: string
  readonly operation: string
  readonly args: object
}
export type Step = Call | { readonly transaction: readonly Call[] }

/*
 * Calls that the encryption supports, on a clinic of few rows, so that they meet. Bound fields are written where their
 * id is known; ids and times are given, so that two databases can be compared.
 */

const id = (prefix: string) => fc.integer({ min: 1, max: 3 }).map((n) => `${prefix}${n}`)
const patientId = fc.integer({ min: 1, max: 3 }).map((n) => `00000000-0000-4000-8000-00000000000${n}`)
const doctorId = id('doctor')
const contactId = id('contact')
const serial = fc.integer({ min: 1, max: 4 })
const code = id('code')
const createdAt = new Date('2026-01-01T00:00:00Z')

const text = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom('', ' ', 'fs1.', 'null', '\u{1f511}') },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 12 }).map((value) => value.replaceAll('\0', '')) },
)
const json = fc.oneof(
  fc.constantFrom<unknown>(0, false, '', [], {}, { set: 1 }, { name: { equals: 1 } }, { ifUndefined: 1 }),
  fc
    .jsonValue({ maxDepth: 3, stringUnit: 'grapheme' })
    .map(ordinary)
    .filter((value) => value !== null && isStorable(value)),
)
const bytes = fc.uint8Array({ maxLength: 12 })

/** Numbers that jsonb brings back to the last digit; the encryption does so with all. */
function ordinary(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_, element) =>
    typeof element === 'number' ? Math.round((element % 1e6) * 1000) / 1000 : element,
  )
}

/** PostgreSQL has no NUL in jsonb, and Prisma no `__proto__`. */
function isStorable(value: unknown): boolean {
  const written = JSON.stringify(value)
  return !written.includes('\\u0000') && !written.includes('__proto__')
}

const orNull = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { freq: 3 })
const orDbNull = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 4, arbitrary }, { weight: 1, arbitrary: fc.constantFrom(Prisma.DbNull, Prisma.JsonNull) })
const maybeSet = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof(
    arbitrary,
    arbitrary.map((set) => ({ set })),
  )
/** A record with any of the fields; undefined ones are sometimes there. */
const some = (fields: { [field: string]: fc.Arbitrary<unknown> }) =>
  fc.record(
    Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [name, fc.option(value, { nil: undefined, freq: 9 })]),
    ),
    { requiredKeys: [] },
  )
const merged = (...parts: fc.Arbitrary<object>[]): fc.Arbitrary<object> =>
  fc.tuple(...parts).map((all) => Object.assign({}, ...all))
const list = (arbitrary: fc.Arbitrary<unknown>, maxLength = 2) =>
  fc.oneof(arbitrary, fc.array(arbitrary, { minLength: 1, maxLength }))

// Emails never repeat: only the encrypted side has a unique index over them.
const patientFields = { city: orNull(text), email: orNull(fc.uuid()), history: orDbNull(json), photo: orNull(bytes) }
const patient = merged(
  fc.record({ id: patientId, number: serial, name: text, createdAt: fc.constant(createdAt) }),
  some({ ...patientFields, phone: orNull(text) }),
)
const patientUpdate = some({
  city: orNull(text),
  name: maybeSet(text),
  email: maybeSet(orNull(fc.uuid())),
  photo: maybeSet(orNull(bytes)),
  history: orDbNull(json),
})
const contact = merged(fc.record({ id: contactId, relationship: text, name: text }), some({ phone: orNull(text) }))
const insurance = fc.record({ insurer: text, policy: text })
const doctor = merged(
  fc.record({ id: doctorId, name: text, clinicId: fc.constant('acme') }),
  some({ mobile: orNull(text) }),
)
const visit = merged(
  fc.record({ at: fc.constant(createdAt), reason: text }),
  some({ notes: orDbNull(json), meta: orDbNull(json) }),
)
const visitUpdate = some({ reason: maybeSet(text), notes: orDbNull(json), meta: orDbNull(json) })

/** Filters that need no value of an encrypted field. */
const isNull = fc.constantFrom<unknown>(null, { equals: null }, { not: null }, { not: { equals: null } }, {}, undefined)
const isDbNull = fc.constantFrom<unknown>({ equals: Prisma.DbNull }, { not: Prisma.DbNull }, undefined)
const contactWhere = some({ phone: isNull, id: contactId, relationship: text })
const flatPatientWhere = some({ email: isNull, phone: isNull, photo: isNull, history: isDbNull, number: serial })
const visitWhere = some({ notes: isDbNull, doctorId: orNull(doctorId), doctor: orNull(some({ mobile: isNull })) })
const patientWhere = fc.oneof(
  flatPatientWhere,
  fc.record({ OR: fc.array(flatPatientWhere, { minLength: 1, maxLength: 2 }), NOT: flatPatientWhere }),
  fc
    .constantFrom('some', 'every', 'none')
    .chain((filter) => fc.record({ contacts: fc.record({ [filter]: contactWhere }) })),
  fc
    .constantFrom('some', 'every', 'none')
    .chain((filter) => fc.record({ visits: fc.record({ [filter]: visitWhere }) })),
  fc.constantFrom({ insurance: null }, { insurance: { isNot: null } }),
)

const columns = ['id', 'number', 'name', 'email', 'phone', 'history', 'photo', 'city']
const selected = fc
  .subarray(columns, { minLength: 1 })
  .map((names) => Object.fromEntries(names.map((name) => [name, true])))
const contacts = fc.oneof(
  fc.constant(true),
  fc.record({ where: contactWhere, orderBy: fc.constant({ id: 'asc' }), select: fc.constant({ phone: true }) }),
  fc.constant({ orderBy: { id: 'asc' }, omit: { id: true } }),
)
const doctorShape = fc.constantFrom<unknown>(
  true,
  { include: { mentor: true } },
  { select: { mobile: true, mentor: { select: { mobile: true } } } },
)
const visits = fc.record({ orderBy: fc.constant({ id: 'asc' }), include: fc.record({ doctor: doctorShape }) })
const counted = contactWhere.map((where) => ({ select: { contacts: { where }, visits: true } }))
const relations = some({
  contacts,
  visits,
  insurance: fc.constantFrom<unknown>(true, { select: { policy: true } }),
  _count: counted,
})
const patientShape: fc.Arbitrary<object> = fc.oneof(
  fc.constant({}),
  fc.record({ select: merged(selected, relations) }),
  fc.record({ include: relations }),
  fc.record({ include: relations, omit: selected }),
)

const contactWrites = fc.oneof(
  fc.record({ create: list(contact) }),
  fc.record({ connectOrCreate: fc.record({ where: fc.record({ id: contactId }), create: contact }) }),
  fc.record({ connect: list(fc.record({ id: contactId })) }),
  fc.record({ createMany: fc.record({ data: fc.array(contact, { maxLength: 2 }), skipDuplicates: fc.boolean() }) }),
)
const contactChanges = fc.oneof(
  contactWrites,
  fc.record({
    update: fc.record({
      where: fc.record({ id: contactId }),
      data: some({ name: maybeSet(text), phone: maybeSet(orNull(text)) }),
    }),
  }),
  fc.record({
    upsert: fc.record({ where: fc.record({ id: contactId }), create: contact, update: some({ phone: orNull(text) }) }),
  }),
  fc.record({
    updateMany: fc.record({ where: contactWhere, data: some({ name: maybeSet(text), phone: fc.constant(null) }) }),
  }),
  fc.record({ deleteMany: contactWhere }),
  fc.record({ delete: fc.record({ id: contactId }) }),
)
const doctorLink = fc.oneof(
  fc.record({ connect: fc.record({ id: doctorId }) }),
  fc.record({
    create: fc.record({
      id: doctorId,
      name: text,
      mobile: orNull(text),
      clinic: fc.constant({ connect: { id: 'acme' } }),
    }),
  }),
)
const visitWrites = fc.oneof(
  fc.record({ create: list(merged(visit, some({ doctor: doctorLink }))) }),
  fc.record({
    create: merged(
      visit,
      fc.record({
        diagnoses: fc.record({
          connectOrCreate: code.map((value) => ({ where: { code: value }, create: { code: value, title: 't' } })),
        }),
      }),
    ),
  }),
)
const insuranceChanges = fc.oneof(
  fc.record({ create: insurance }),
  fc.record({ upsert: fc.record({ create: insurance, update: some({ policy: maybeSet(text) }) }) }),
  fc.record({ update: some({ policy: maybeSet(text), insurer: text }) }),
  fc.record({ update: fc.record({ where: some({ insurer: text }), data: some({ policy: text }) }) }),
  fc.record({ delete: fc.boolean() }),
)

const clinic = { clinic: { connect: { id: 'acme' } } }
const newPatient = merged(
  patient,
  some({ contacts: contactWrites, visits: visitWrites, insurance: fc.record({ create: insurance }) }),
)
const unlinked = patient.map((data) => ({ ...data, clinicId: 'acme' }))
const changedPatient = merged(
  patientUpdate,
  some({ phone: maybeSet(orNull(text)), contacts: contactChanges, visits: visitWrites, insurance: insuranceChanges }),
)
const unique = fc.record({ id: patientId })
const otherUnique = serial.map((number) => ({ clinicId_number: { clinicId: 'acme', number } }))

const call = (model: string, operation: string, ...args: fc.Arbitrary<object>[]): fc.Arbitrary<Call> =>
  merged(...args).map((all) => ({ model, operation, args: all }))
const data = (arbitrary: fc.Arbitrary<unknown>) => fc.record({ data: arbitrary })
const where = (arbitrary: fc.Arbitrary<unknown>) => fc.record({ where: arbitrary })
const sorted = fc.constant({ orderBy: { number: 'asc' } })

const writes = fc.oneof(
  call('patient', 'create', data(newPatient.map((record) => ({ ...record, ...clinic }))), patientShape),
  call('patient', 'createMany', data(list(unlinked, 3)), fc.record({ skipDuplicates: fc.boolean() })),
  call('patient', 'createManyAndReturn', data(fc.array(unlinked, { maxLength: 3 })), fc.record({ select: selected })),
  call('patient', 'update', where(unique), data(changedPatient), patientShape),
  call('patient', 'update', where(otherUnique), data(patientUpdate), patientShape),
  call('patient', 'upsert', where(unique), fc.record({ create: unlinked, update: changedPatient }), patientShape),
  call(
    'patient',
    'updateMany',
    where(flatPatientWhere),
    data(some({ name: maybeSet(text), photo: orNull(bytes), phone: fc.constant(null), email: fc.constant(null) })),
  ),
  call(
    'patient',
    'updateManyAndReturn',
    where(patientWhere),
    data(some({ history: orDbNull(json), city: text })),
    fc.record({ select: selected }),
  ),
  call('patient', 'delete', where(merged(unique, flatPatientWhere)), patientShape),
  call('patient', 'deleteMany', where(patientWhere)),
  call('doctor', 'create', data(doctor)),
  call(
    'doctor',
    'update',
    where(fc.record({ id: doctorId })),
    data(
      some({
        mobile: maybeSet(orNull(text)),
        mentor: fc.oneof(
          fc.constant({ disconnect: true }),
          fc.record({ connect: fc.record({ id: doctorId }) }),
          fc.record({ update: some({ mobile: orNull(text) }) }),
        ),
        mentees: fc.oneof(
          fc.record({ set: fc.array(fc.record({ id: doctorId }), { maxLength: 2 }) }),
          fc.record({
            updateMany: fc.record({ where: some({ mobile: isNull }), data: some({ mobile: orNull(text) }) }),
          }),
        ),
      }),
    ),
    fc.constant({ include: { mentor: true } }),
  ),
  call(
    'visit',
    'update',
    where(fc.record({ id: serial })),
    data(
      merged(
        visitUpdate,
        some({
          patient: fc.oneof(
            fc.record({ update: patientUpdate }),
            unique.chain((row) =>
              fc.record({ update: fc.record({ where: fc.constant(row), data: some({ phone: orNull(text) }) }) }),
            ),
          ),
          doctor: fc.oneof(doctorLink, fc.constant({ disconnect: true })),
        }),
      ),
    ),
    fc.constant({ include: { patient: true, doctor: true } }),
  ),
  call('visit', 'updateMany', where(visitWhere), data(visitUpdate)),
  call(
    'clinic',
    'update',
    where(fc.constant({ id: 'acme' })),
    data(
      fc.record({
        patients: fc.oneof(
          fc.record({ create: list(newPatient) }),
          fc.record({ update: fc.record({ where: unique, data: changedPatient }) }),
          fc.record({ upsert: fc.record({ where: otherUnique, create: patient, update: patientUpdate }) }),
          fc.record({ deleteMany: flatPatientWhere }),
        ),
      }),
    ),
    patientShape.map((shape) => ({ include: { patients: { ...shape, orderBy: { number: 'asc' } } } })),
  ),
  call(
    'diagnosis',
    'update',
    where(fc.record({ code })),
    data(
      fc.record({
        visits: fc.record({
          updateMany: fc.record({
            where: visitWhere.map(({ doctor: _, ...flat }: Record<string, unknown>) => flat),
            data: some({ reason: text }),
          }),
        }),
      }),
    ),
    fc.constant({ include: { visits: { orderBy: { id: 'asc' } } } }),
  ),
)
const unfit = fc.oneof(
  call(
    'patient',
    'update',
    where(unique),
    data(fc.constantFrom({ name: 5 }, { photo: 'x' }, { name: null }, { nobody: 1 }, { email: { set: 1 } })),
  ),
  call(
    'patient',
    'findMany',
    fc.constantFrom({ take: 'x' }, { where: { nobody: 1 } }, { select: {} }, { include: { nobody: true } }),
  ),
)
const reads = fc.oneof(
  call('patient', 'findMany', where(patientWhere), sorted, patientShape),
  call('patient', 'findFirst', where(patientWhere), sorted, patientShape),
  call('patient', 'findUnique', where(fc.oneof(unique, otherUnique)), patientShape),
  call('patient', 'findUniqueOrThrow', where(merged(unique, flatPatientWhere)), patientShape),
  call(
    'patient',
    'count',
    where(patientWhere),
    fc.constantFrom({}, { select: { _all: true, email: true, phone: true } }),
  ),
  call(
    'patient',
    'aggregate',
    where(patientWhere),
    fc.constant({ _max: { number: true }, _count: { photo: true, name: true } }),
  ),
  call(
    'patient',
    'groupBy',
    fc.constant({ by: ['number'], orderBy: { number: 'asc' }, _count: { phone: true, history: true } }),
  ),
  call(
    'doctor',
    'findMany',
    where(some({ mobile: isNull, mentor: orNull(some({ mobile: isNull })) })),
    fc.constant({ orderBy: { id: 'asc' }, include: { mentor: { include: { mentor: true } } } }),
  ),
  call(
    'diagnosis',
    'findMany',
    fc.constant({
      orderBy: { code: 'asc' },
      include: { visits: { orderBy: { id: 'asc' }, include: { patient: true } } },
    }),
  ),
)

const anyCall = fc.oneof(
  { weight: 5, arbitrary: writes },
  { weight: 3, arbitrary: reads },
  { weight: 1, arbitrary: unfit },
)

export const steps: fc.Arbitrary<Step[]> = fc
  .array(
    fc.oneof(
      { weight: 7, arbitrary: anyCall },
      { weight: 1, arbitrary: fc.record({ transaction: fc.array(anyCall, { minLength: 2, maxLength: 3 }) }) },
    ),
    { minLength: 1, maxLength: 8 },
  )
  .chain((rest) =>
    // Something to work on.
    fc
      .array(call('patient', 'create', data(newPatient.map((record) => ({ ...record, ...clinic })))), { maxLength: 3 })
      .map((first) => [...first, ...rest]),
  )
