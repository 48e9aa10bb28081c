import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { EncryptionEvent, Honeytokens } from 'fieldseal/prisma'
import { forTenant } from 'fieldseal/typeorm'
import { type ClinicUnderTest, openClinic } from '../support/clinic.js'
import { Account, Keys } from '../typeorm/account.js'
import { openEntities } from '../typeorm/openSource.js'

const BAIT = 'j.doe.4711@example.com'
const HONEYTOKENS: Honeytokens = { 'Patient.email': [BAIT, 'another@example.com'] }

let clinic: ClinicUnderTest
const tenant = 'acme'
beforeAll(async () => {
  clinic = await openClinic()
  await clinic.prisma.patient.createMany({ data: [row(BAIT), row('real@example.com')] })
})
afterAll(() => clinic?.close())

let number = 0
function row(email: string) {
  number += 1
  return { clinicId: tenant, number, name: 'J. Doe', email }
}

function watched(honeytokens: Honeytokens = HONEYTOKENS) {
  const events: EncryptionEvent[] = []
  const audit = { actor: () => 'mallory', record: () => undefined }
  const onEvent = (event: EncryptionEvent) => void events.push(event)
  const client = clinic.another({ honeytokens, onEvent, audit })
  return { client, told: () => events.splice(0).filter(({ type }) => type === 'honeytoken') }
}

describe('a honeytoken', () => {
  const found = { type: 'honeytoken', tenant, actor: 'mallory', field: 'Patient.email', count: 1 }

  it('tells of whoever decrypts it: tenant, actor, purpose, operation and field, and never the value', async () => {
    const { client, told } = watched()
    const bound = client.$forTenant(tenant, { purpose: 'export' })
    expect(await bound.patient.findMany({ where: { clinicId: tenant } })).toHaveLength(2)
    const events = told()
    expect(events).toEqual([{ ...found, purpose: 'export', operation: 'findMany' }])
    expect(JSON.stringify(events)).not.toContain(BAIT)
  })

  it('is quiet while other rows and fields are read, and when it is written', async () => {
    const { client, told } = watched()
    const bound = client.$forTenant(tenant)
    await bound.patient.findMany({ where: { email: 'real@example.com' } })
    await bound.patient.findMany({ select: { name: true } })
    await bound.patient.create({ data: row('another@example.com'), select: { id: true } })
    expect(told()).toEqual([])
  })

  it('tells of rows that were read by other means, and of all tenants at once', async () => {
    const { client, told } = watched()
    const rows = await clinic.plain.patient.findMany({
      where: { clinicId: tenant },
      take: 1,
      orderBy: { number: 'asc' },
    })
    await client.$forTenant(tenant).$encryption.decryptRows('Patient', rows)
    expect(told()[0]).toMatchObject({ operation: '$encryption.decryptRows' })
    await client.$acrossTenants().patient.findMany({ select: { email: true } })
    expect(told()[0]).toMatchObject({ tenant: null, operation: 'findMany' })
  })

  it('may be a whole field', async () => {
    const { client, told } = watched({ 'Patient.name': true })
    await client.$forTenant(tenant).patient.findFirst({ where: { email: 'real@example.com' } })
    expect(told()).toEqual([{ ...found, field: 'Patient.name', purpose: undefined, operation: 'findFirst' }])
  })

  it.each([
    [{ 'Patient.nobody': true }, 'no encrypted field'],
    [{ 'Nobody.email': true }, 'no encrypted field'],
    [{ email: true }, 'no encrypted field'],
    [{ 'Patient.id': true }, 'no encrypted field'],
    [{ 'Patient.constructor': true }, 'no encrypted field'],
    [{ 'Patient.email': 'one@example.com' }, 'true, or a list of texts'],
    [{ 'Patient.email': false }, 'true, or a list of texts'],
    [{ 'Patient.history': ['x'] }, 'String fields only'],
  ])('cannot be %j', (honeytokens, message) => {
    expect(() => clinic.another({ honeytokens: honeytokens as never, onEvent: () => {} })).toThrow(
      expect.objectContaining({ code: 'OPTIONS_INVALID', message: expect.stringContaining(message) }),
    )
  })

  it('needs somebody to tell', () => {
    expect(() => clinic.another({ honeytokens: HONEYTOKENS })).toThrow(
      expect.objectContaining({ message: expect.stringContaining('needs "onEvent" or "telemetry"') }),
    )
  })
})

describe('a honeytoken of a TypeORM data source', () => {
  it('tells of whoever decrypts it', async () => {
    const source = await openEntities([Account, Keys], { encryption: { honeytokens: { 'Account.email': [BAIT] } } })
    const accounts = forTenant(source.dataSource, 'acme').getRepository(Account)
    await accounts.insert([{ email: BAIT }, { email: 'real@example.com' }])
    source.events.length = 0
    await accounts.findOneBy({ email: 'real@example.com' })
    await accounts.find()
    expect(source.events.filter(({ type }) => type === 'honeytoken')).toMatchObject([
      { tenant: 'acme', field: 'Account.email', operation: 'SELECT', count: 1 },
    ])
    await source.close()
  })
})
