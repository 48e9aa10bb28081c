import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { INestApplication } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { AppModule } from '../../examples/nestjs/src/app.module.js'
import { createDatabase, type TestDatabase } from '../support/database.js'
import { runSql } from '../support/sql.js'

const EMPTY = fileURLToPath(new URL('../typeorm/fixtures/empty.prisma', import.meta.url))
const UNKNOWN = '4b3f0a52-6d0a-4a50-b7a8-1f6f5f6d4c11'
const CIPHERTEXT = /^fs1\.[\w-]+$/
const ada = { name: 'Ada', email: 'Ada@example.com', phone: '+44 1', allergies: ['nuts', 'Äpfel'] }

let database: TestDatabase
let app: INestApplication
let url: string

beforeAll(async () => {
  database = await createDatabase({ schema: EMPTY })
  process.env.DATABASE_URL = database.url
  process.env.FIELDSEAL_KEY = Buffer.alloc(32, 7).toString('base64')
  app = await NestFactory.create(AppModule, { logger: false, abortOnError: false })
  await app.listen(0, '127.0.0.1')
  url = await app.getUrl()
})
afterAll(async () => {
  await app?.close()
  await database?.drop()
})

interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: JSON
  readonly body: any
}

async function ask(tenant: string | undefined, path: string, sent?: object): Promise<Answer> {
  const headers = { 'content-type': 'application/json', ...(tenant === undefined ? {} : { 'x-tenant': tenant }) }
  const body = sent && { method: 'POST', body: JSON.stringify(sent) }
  const response = await fetch(url + path, { headers, ...body })
  return { status: response.status, body: await response.json() }
}

const admit = async (tenant: string, patient: object) => (await ask(tenant, '/patients', patient)).body.id as string

describe('the NestJS app', () => {
  it('gives a tenant its rows by their values', async () => {
    const admitted = await ask('acme', '/patients', ada)
    expect(admitted).toMatchObject({ status: 201, body: { ...ada, clinic: 'acme' } })
    const found = await ask('acme', '/patients?email=%20ada@EXAMPLE.com')
    const { id } = admitted.body
    expect(found).toEqual({ status: 200, body: [{ id, clinic: 'acme', ...ada }] })
    expect(await ask('acme', `/patients/${id}`)).toEqual({ status: 200, body: { id, clinic: 'acme', ...ada } })
  })

  it('lets two tenants have equal values, and neither the other’s rows', async () => {
    const email = 'both@example.com'
    const ids = [await admit('acme', { ...ada, email }), await admit('globex', { ...ada, email })]
    for (const [position, tenant] of ['acme', 'globex'].entries()) {
      expect((await ask(tenant, `/patients?email=${email}`)).body).toMatchObject([{ id: ids[position] }])
    }
    const another = await ask('globex', `/patients/${ids[0]}`)
    expect(another).toEqual({ status: 404, body: { statusCode: 404, error: 'TENANT_MISMATCH' } })
    expect(await ask('globex', `/patients/${UNKNOWN}`)).toMatchObject({ status: 404 })
  })

  it('keeps the tenants of requests apart that run at once', async () => {
    const tenants = Array.from({ length: 40 }, (_, n) => ['acme', 'globex', 'initech', 'hooli'][n % 4]!)
    const admitted = await Promise.all(
      tenants.map((tenant, n) => admit(tenant, { name: tenant, email: `${n}@example.com` })),
    )
    const answers = await Promise.all(tenants.map((tenant, n) => ask(tenant, `/patients/${admitted[n]}`)))
    expect(answers.map(({ body }) => body.name)).toEqual(tenants)
  })

  it('answers a request without a tenant by a clear error, to writes and reads', async () => {
    const refused = { status: 401, body: { statusCode: 401, error: 'TENANT_MISSING' } }
    expect(await ask(undefined, '/patients', ada)).toEqual(refused)
    expect(await ask(undefined, '/patients?email=ada@example.com')).toEqual(refused)
    expect(await ask(undefined, `/patients/${UNKNOWN}`)).toEqual(refused)
    expect(await ask('*', '/patients')).toMatchObject({ status: 400, body: { error: 'TENANT_INVALID' } })
  })

  it('says what of a value cannot be, and nothing of what is the server’s affair', async () => {
    const wrong = { status: 400, body: { error: 'VALUE_INVALID' } }
    expect(await ask('acme', '/patients', { ...ada, email: 7 })).toMatchObject(wrong)
    const twice = await ask('acme', '/patients', ada)
    expect(twice).toEqual({ status: 500, body: { statusCode: 500, message: 'Internal server error' } })
  })

  it('has ciphertexts in its database', async () => {
    const rows = await runSql(database.url, 'SELECT * FROM patient')
    expect(rows.length).toBeGreaterThan(40)
    for (const { name, email, phone, allergies } of rows) {
      for (const value of [name, email]) expect(value).toMatch(CIPHERTEXT)
      for (const value of [phone, allergies]) if (value !== null) expect(value).toMatch(CIPHERTEXT)
    }
    expect(new Set(rows.map(({ emailIndex }) => emailIndex)).size).toBe(rows.length)
    const keys = await runSql(database.url, 'SELECT DISTINCT tenant FROM encryption_keys ORDER BY tenant')
    expect(keys.map(({ tenant }) => tenant)).toEqual(['acme', 'globex', 'hooli', 'initech'])
  })
})
