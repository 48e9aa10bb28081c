import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { FieldsealError, withTenant } from 'fieldseal'
import { assertEncrypted, fieldEncryption } from 'fieldseal/prisma'
import type { Fault } from 'fieldseal/testing'
import { encryptionSchema } from '../../generated/encryption/index.js'
import { DekCache } from '../../src/keys/cache/dekCache.js'
import { encryptionContext } from '../../src/keys/encryptionContext.js'
import { KeyRing } from '../../src/keys/keyRing.js'
import { prismaKeyStore } from '../../src/prisma/keyStore.js'
import { startWorker } from '../processes/startWorker.js'
import { type ClinicUnderTest, emulatedKms, openClinic, plainClient } from '../support/clinic.js'

const SECRET = 'PLAINTEXT-7c1f'
const patient = (number: number, clinicId = 'acme') => ({
  clinicId,
  number,
  name: `${SECRET}-name`,
  email: `${SECRET}@example.com`,
  phone: `${SECRET}-phone`,
  history: { note: `${SECRET}-history` },
  photo: Buffer.from(`${SECRET}-photo`),
})

let clinic: ClinicUnderTest
let id: string
let acme: ClinicUnderTest['prisma']
beforeAll(async () => {
  clinic = await openClinic()
  acme = clinic.prisma.$forTenant('acme')
  id = (await acme.patient.create({ data: patient(1) })).id
  await clinic.prisma.$forTenant('globex').patient.create({ data: patient(1, 'globex') })
})
afterAll(() => clinic.close())

/** Everything that must not be seen, in the forms in which it could be. */
async function secrets(): Promise<string[]> {
  const rows = await clinic.plain.encryptionKey.findMany({ where: { wrapped: { not: null }, kms: 'tencent' } })
  const deks = rows.map(({ id: key, purpose, tenant, wrapped }) => {
    const context = encryptionContext({ key, tenant, purpose: purpose as 'encrypt' })
    return clinic.emulator.keys.open(wrapped!, context).plaintext
  })
  const plaintext = Buffer.from(SECRET)
  return [...deks, plaintext].flatMap((bytes) => [
    bytes.toString('latin1'),
    bytes.toString('hex'),
    bytes.toString('base64').replace(/=*$/, '').slice(0, -1),
    bytes.toString('base64url').slice(0, -1),
    [...bytes].join(','),
    [...bytes].join(', '),
    [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' '),
  ])
}

/** All that a logger could make of a value. */
function shown(value: unknown): string {
  const error = value as Partial<Error> | undefined
  return [
    inspect(value, { depth: null, showHidden: true, maxArrayLength: null, maxStringLength: null, getters: false }),
    String(error?.message),
    String(error?.stack),
    safeJson(value),
    safeJson(error?.cause),
    error?.cause === undefined ? '' : shown(error.cause),
  ].join('\n')
}

function safeJson(value: unknown): string {
  const seen = new Set<unknown>()
  const circles = (_: string, part: unknown) => {
    if (typeof part === 'bigint') return String(part)
    if (typeof part !== 'object' || part === null) return part
    if (seen.has(part)) return '[seen]'
    seen.add(part)
    return part
  }
  return JSON.stringify(value, circles) ?? ''
}

/** Each line once, wherever it stood. Neither `inspect` nor JSON has a line end within a string. */
function distinctLines(text: string): string {
  return [...new Set(text.split(/\n */))].join('\n')
}

async function expectSilent(text: string): Promise<void> {
  expect((await secrets()).filter((secret) => text.includes(secret))).toEqual([])
}

async function thrown(work: () => unknown): Promise<unknown> {
  try {
    await work()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

const where = () => ({ id })
const columns = ['name', 'email', 'phone', 'history', 'photo'] as const

/** Filters and other uses that an app could try with a plaintext in hand. */
const queries: { readonly [query: string]: () => PromiseLike<unknown> } = {
  equals: () => acme.patient.findMany({ where: { name: `${SECRET}-name` as never } }),
  in: () => acme.patient.findMany({ where: { name: { in: [`${SECRET}-name`] } as never } }),
  contains: () => acme.patient.findMany({ where: { AND: [{ NOT: { name: { contains: SECRET } as never } }] } }),
  'a nested filter': () =>
    acme.visit.findMany({ where: { patient: { is: { name: { startsWith: SECRET } as never } } } }),
  'a JSON filter': () => acme.patient.findMany({ where: { history: { path: ['note'], equals: SECRET } as never } }),
  'a Bytes filter': () => acme.patient.findMany({ where: { photo: Buffer.from(SECRET) as never } }),
  'an updateMany of a bound field': () => acme.patient.updateMany({ data: { phone: SECRET } }),
  'an update that cannot know the bound column': () =>
    acme.patient.update({ where: { clinicId_number: { clinicId: 'acme', number: 1 } }, data: { phone: SECRET } }),
  'a blind index that is written': () => acme.patient.update({ where: where(), data: { emailIndex: SECRET as never } }),
  'a search by a field that may not be read': () =>
    acme.$forTenant('acme', { allow: [] }).patient.findMany({ where: { email: `${SECRET}@example.com` } }),
  'a field that may not be read': () => acme.$forTenant('acme', { allow: ['Patient.name'] }).patient.findMany(),
  'an unknown nested write': () =>
    acme.patient.update({ where: where(), data: { contacts: { replace: [{ name: SECRET }] } as never } }),
}

/** Values that cannot be encrypted. */
const values: { readonly [value: string]: object } = {
  'a lone surrogate': { name: `${SECRET}\ud800` },
  'an object': { name: { set: SECRET } },
  'an array': { name: [SECRET] },
  'a wrapped String': { name: Object(SECRET) },
  'a string for bytes': { photo: SECRET },
  'a JSON value with a bigint': { history: { note: SECRET, size: 1n } },
  'a JSON key with a lone surrogate': { history: { [`${SECRET}\ud800`]: 1 } },
}

/** Errors of Prisma itself, for data that holds encrypted fields. */
const prismas: { readonly [error: string]: () => PromiseLike<unknown> } = {
  'a unique violation': () => acme.patient.create({ data: patient(1) }),
  'a foreign key violation': () =>
    acme.contact.create({ data: { patientId: crypto(), relationship: 'x', name: SECRET } }),
  'a plain column of the wrong type': () => acme.patient.create({ data: { ...patient(9), city: 7 as never } }),
  'a nested plain column of the wrong type': () =>
    acme.patient.create({
      data: { ...patient(9), contacts: { create: [{ relationship: 7 as never, name: SECRET, phone: SECRET }] } },
    }),
  'a row that is not there': () =>
    acme.patient.update({ where: { id: '00000000-0000-4000-8000-000000000000' }, data: { name: SECRET } }),
}

const crypto = () => '00000000-0000-4000-8000-000000000000'

describe('no error shows a plaintext or a DEK', () => {
  it.each(Object.entries(queries))('of a query that is refused: %s', async (_, query) => {
    const error = await thrown(query)
    expect(FieldsealError.is(error)).toBe(true)
    await expectSilent(shown(error))
  })

  it.each(Object.entries(values))('of a value that is refused: %s', async (_, data) => {
    const error = await thrown(() => acme.patient.create({ data: { ...patient(9), ...data } as never }))
    expect(FieldsealError.is(error, 'VALUE_INVALID')).toBe(true)
    await expectSilent(shown(error))
  })

  it.each(Object.entries(prismas))('that is Prisma’s own: %s', async (_, query) => {
    const error = await thrown(query)
    expect((error as Error).name).toMatch(/^PrismaClient/)
    await expectSilent(shown(error))
  })

  it('of tenants', async () => {
    const works = [
      () => clinic.prisma.patient.create({ data: { ...patient(9), clinicId: undefined } as never }),
      () => clinic.prisma.patient.findMany(),
      () => acme.patient.create({ data: patient(9, 'globex') }),
      () => acme.patient.findMany({ where: { clinicId: 'globex' } }),
      () =>
        clinic
          .another()
          .$forTenant('acme')
          .patient.findMany({ where: { clinicId: 'globex' } }),
      () => withTenant('globex', async () => acme.patient.create({ data: patient(9) })),
      () => clinic.prisma.$forTenant(''),
      () => clinic.prisma.$forTenant('a'.repeat(2000)).patient.create({ data: patient(9, 'a'.repeat(2000)) }),
      () => clinic.prisma.$extends(fieldEncryption({ schema: encryptionSchema, kms: emulatedKms(clinic.emulator) })),
      () => assertEncrypted(clinic.plain),
    ]
    for (const work of works) {
      const error = await thrown(work)
      expect(FieldsealError.is(error)).toBe(true)
      await expectSilent(shown(error))
    }
  })

  it('of stored values that were changed', async () => {
    const before = await clinic.plain.patient.findUniqueOrThrow({ where: where() })
    const changes = columns.flatMap((column): object[] => {
      const stored = before[column]
      if (column === 'history') return [{ history: { note: SECRET } }, { history: SECRET }, { history: before.name }]
      if (stored instanceof Uint8Array) return [{ photo: Buffer.from(SECRET) as never }, { photo: stored.slice(0, -1) }]
      return [{ [column]: SECRET }, { [column]: String(stored).slice(0, -2) }, { [column]: before.history }]
    })
    for (const change of changes) {
      await clinic.plain.patient.update({ where: where(), data: change })
      const error = await thrown(() => acme.patient.findUnique({ where: where() }))
      expect(FieldsealError.is(error)).toBe(true)
      expect(shown(error)).not.toMatch(/fs1\.\w/)
      await expectSilent(shown(error))
      await clinic.plain.patient.update({ where: where(), data: before as never })
    }
  })

  it('of the keys table', async () => {
    const rows = await clinic.plain.encryptionKey.findMany()
    const changes = [
      { wrapped: null },
      { wrapped: rows.find(({ tenant }) => tenant === 'globex')!.wrapped },
      { state: 'destroyed' },
      { state: 'odd' },
      { kms: 'local' },
      { kekId: 'other' },
    ]
    for (const change of changes) {
      await clinic.plain.encryptionKey.updateMany({ where: { tenant: 'acme', purpose: 'encrypt' }, data: change })
      const error = await thrown(() => clinic.another().$forTenant('acme').patient.findUnique({ where: where() }))
      await clinic.plain.encryptionKey.deleteMany()
      await clinic.plain.encryptionKey.createMany({ data: rows })
      expect(FieldsealError.is(error)).toBe(true)
      await expectSilent(shown(error))
    }
  })

  const faults: Fault[] = [
    { kind: 'hangUp', when: 'before' },
    { kind: 'truncate' },
    { kind: 'body', body: (answer) => `<html>${answer}` },
    { kind: 'body', body: (answer) => answer.replace('"Plaintext"', '"Plain"') },
    { kind: 'body', body: (answer) => answer.replace('"Response"', '"Answer"') },
    { kind: 'body', body: (answer) => answer.replace(/("Plaintext":"[^"]{20})/, '$1\\u0000') },
    { kind: 'body', body: (answer) => answer.replace(/"KeyId":"[^"]*"/, '"KeyId":"another"') },
    { kind: 'status', status: 500 },
    { kind: 'error', code: 'RequestLimitExceeded', message: 'slow down' },
    { kind: 'error', code: 'AuthFailure.SignatureFailure' },
    { kind: 'error', code: 'ResourceUnavailable.CmkDisabled' },
    { kind: 'stall' },
  ]

  it.each(faults.map((fault, i) => [i, fault.kind, fault] as const))(
    'of the KMS: fault %s, %s',
    async (_, __, fault) => {
      const options = { kms: emulatedKms(clinic.emulator, { maxRetries: 0, timeout: 500 }) }
      clinic.emulator.faults.add({ ...fault, times: 'always' })
      const client = clinic.another(options).$forTenant('acme')
      const error = await thrown(() => client.patient.findUnique({ where: where() }))
      clinic.emulator.faults.clear()
      expect(FieldsealError.is(error)).toBe(true)
      expect((error as FieldsealError).code).toMatch(/^K(MS|EY)_/)
      await expectSilent(shown(error))
    },
  )
})

describe('no object that an app can hold shows a plaintext or a DEK', () => {
  it('after reads and writes', async () => {
    const kms = emulatedKms(clinic.emulator)
    const options = { schema: encryptionSchema, kms }
    const base = plainClient(clinic.database.url)
    const prisma = base.$extends(fieldEncryption(options))
    const bound = prisma.$forTenant('acme')
    const rows = await bound.patient.findMany({ where: { clinicId: 'acme' } })
    expect(JSON.stringify(rows)).toContain(SECRET)
    await bound.patient.update({ where: where(), data: { name: `${SECRET}-name` } })
    for (const object of [kms, options, prisma, bound, bound.patient, prisma.$encryption, prisma.$encryption.stats()]) {
      // A client shows all of Prisma to who looks so deep, several times over.
      await expectSilent(distinctLines(shown(object)))
    }
    await base.$disconnect()
  }, 240_000)

  it('nor does the key ring, its cache or a DEK itself', async () => {
    const cache = new DekCache({ ttl: 60_000, max: 10 })
    const store = prismaKeyStore(clinic.plain, 'EncryptionKey')
    const ring = new KeyRing({ kms: emulatedKms(clinic.emulator), store, cache })
    const deks = [await ring.active.get('acme', 'encrypt'), await ring.active.get('acme', 'index')]
    for (const object of [cache, ring, store, ...deks, ...deks.map(({ key }) => key)]) await expectSilent(shown(object))
  })

  it('nor do Prisma’s own logs, with the parameters of its SQL', async () => {
    const base = plainClient(clinic.database.url)
    const log: unknown[] = []
    base.$on('query', (event) => log.push(event))
    const prisma = base.$extends(fieldEncryption({ schema: encryptionSchema, kms: emulatedKms(clinic.emulator) }))
    await prisma.patient.create({
      data: {
        ...patient(2),
        email: `2${SECRET}@example.com`,
        contacts: { create: { relationship: 'x', name: SECRET } },
      },
    })
    await prisma.$forTenant('acme').patient.findMany({ where: { clinicId: 'acme' } })
    await base.$disconnect()
    expect(log.length).toBeGreaterThan(3)
    expect(shown(log)).toContain('fs1.')
    await expectSilent(shown(log))
  })

  it('nor does a process print anything of them, even when told to debug', async () => {
    const worker = await startWorker(clinic, { DEBUG: '*', NODE_DEBUG: 'http,net,tls,crypto,fieldseal' })
    const write = { kind: 'write', tenants: ['acme'], from: 100, count: 2, name: SECRET } as const
    expect(await worker.ask(write)).toBe(2)
    await worker.ask({ kind: 'read', tenants: ['acme'] })
    await expect(worker.ask(write)).rejects.toThrow(/Unique/)
    await worker.stop()
    expect(worker.output()).toContain('prisma')
    expect(worker.output()).toContain('FIELDSEAL')
    await expectSilent(worker.output())
  })
})
