import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type ClinicUnderTest, openClinic, plainClient } from '../support/clinic.js'
import { createDatabase, type TestDatabase } from '../support/database.js'
import { deepFreeze } from './deepFreeze.js'
import { type Call, type Step, steps } from './randomCalls.js'

const RUNS = Number(process.env.FIELDSEAL_PROPERTY_RUNS ?? 200)

type Client = ReturnType<typeof plainClient>
type Delegates = { [model: string]: { [operation: string]: (args: object) => Promise<unknown> } }

let clinic: ClinicUnderTest
let database: TestDatabase
let plain: Client
let encrypted: Client
beforeAll(async () => {
  ;[clinic, database] = await Promise.all([openClinic(), createDatabase()])
  plain = plainClient(database.url)
  encrypted = clinic.prisma.$forTenant('acme') as unknown as Client
})
afterAll(async () => {
  await plain.$disconnect()
  await Promise.all([clinic.close(), database.drop()])
})

const TABLES = 'clinics, doctors, patients, contacts, insurances, visits, diagnoses'

async function empty(client: Client): Promise<void> {
  await client.$executeRawUnsafe(`TRUNCATE ${TABLES} RESTART IDENTITY CASCADE`)
  await client.clinic.create({ data: { id: 'acme', name: 'Acme' } })
}

function start(client: Client, { model, operation, args }: Call): Promise<unknown> {
  return (client as unknown as Delegates)[model]![operation]!(args)
}

async function answer(client: Client, step: Step): Promise<unknown> {
  try {
    if (!('transaction' in step)) return comparable(step, await start(client, step))
    const all = await client.$transaction(step.transaction.map((call) => start(client, call)) as never)
    return (all as unknown[]).map((one, position) => comparable(step.transaction[position]!, one))
  } catch (error) {
    return { refused: reason(error as { code?: string; name: string }) }
  }
}

/** A value of the wrong type is refused by whoever sees it first. */
function reason({ code, name }: { code?: string; name: string }): string {
  return code === 'VALUE_INVALID' ? 'PrismaClientValidationError' : (code ?? name)
}

/** Without what only one side has, and without an order that nobody asked for. */
function comparable({ operation }: Call, result: unknown): unknown {
  const value = withoutIndex(result)
  if (!operation.endsWith('AndReturn')) return value
  return (value as object[]).map((row) => JSON.stringify(row)).sort()
}

function withoutIndex(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) return `bytes ${Buffer.from(value as Uint8Array).toString('hex')}`
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  if (Array.isArray(value)) return value.map(withoutIndex)
  const entries = Object.entries(value).filter(([name]) => name !== 'emailIndex')
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, field]) => [name, withoutIndex(field)]),
  )
}

async function contents(client: Client): Promise<unknown> {
  const tables = [
    await client.doctor.findMany({ orderBy: { id: 'asc' } }),
    await client.patient.findMany({ orderBy: { id: 'asc' } }),
    await client.contact.findMany({ orderBy: { id: 'asc' } }),
    await client.insurance.findMany({ orderBy: { id: 'asc' } }),
    await client.visit.findMany({ orderBy: { id: 'asc' }, include: { diagnoses: { orderBy: { code: 'asc' } } } }),
  ]
  return tables.map(withoutIndex)
}

/** Every cell that should be, and nothing else, is ciphertext; an index is there exactly where a value is. */
async function leaks(): Promise<string[]> {
  const isCiphertext = (value: unknown) => {
    const text = ArrayBuffer.isView(value) ? Buffer.from(value as Uint8Array).toString('latin1') : value
    return typeof text === 'string' && text.startsWith('fs1.') && text.length > 50
  }
  const cells = {
    name: await clinic.plain.patient.findMany({
      select: { name: true, email: true, phone: true, history: true, photo: true },
    }),
    contact: await clinic.plain.contact.findMany({ select: { name: true, phone: true } }),
    policy: await clinic.plain.insurance.findMany({ select: { policy: true } }),
    visit: await clinic.plain.visit.findMany({ select: { reason: true, notes: true } }),
    doctor: await clinic.plain.doctor.findMany({ select: { mobile: true } }),
  }
  const rows: object[] = Object.values(cells).flat()
  const open = rows.flatMap((row) => Object.entries(row).filter(([, value]) => value !== null && !isCiphertext(value)))
  const indexed = await clinic.plain.patient.findMany({ select: { email: true, emailIndex: true } })
  const torn = indexed.filter(({ email, emailIndex }) => (email === null) !== (emailIndex === null))
  return [...open.map(([name]) => name), ...torn.map(() => 'emailIndex')]
}

describe('an encrypted client', () => {
  it(
    'answers as the plain client does, whatever is asked',
    async () => {
      const met = new Map<unknown, number>()
      const property = fc.asyncProperty(steps, async (all) => {
        await Promise.all([empty(plain), empty(encrypted)])
        for (const step of all) {
          deepFreeze(step)
          const expected = await answer(plain, step)
          expect(await answer(encrypted, step)).toEqual(expected)
          const kind = (expected as { refused?: string } | null)?.refused ?? 'answered'
          met.set(kind, (met.get(kind) ?? 0) + 1)
        }
        expect(await contents(encrypted)).toEqual(await contents(plain))
        expect(await leaks()).toEqual([])
      })
      await fc.assert(property, { numRuns: RUNS })
      if (RUNS >= 200) {
        for (const kind of ['answered', 'P2002', 'P2025', 'PrismaClientValidationError'])
          expect(met.get(kind)).toBeGreaterThan(0)
      }
    },
    RUNS * 3_000,
  )
})
