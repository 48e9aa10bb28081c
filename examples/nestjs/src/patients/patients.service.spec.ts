import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Test, type TestingModule } from '@nestjs/testing'
import { FieldsealError, withTenant } from 'fieldseal'
import pg from 'pg'
import { AppModule } from '../app.module.js'
import type { Admission } from './admission.js'
import { PatientsService } from './patients.service.js'

let app: TestingModule
let patients: PatientsService

beforeAll(async () => {
  app = await Test.createTestingModule({ imports: [AppModule] }).compile()
  await app.init()
  patients = app.get(PatientsService)
})
afterAll(() => app?.close())

const admit = (patient: Admission) => withTenant('navy', () => patients.admit('navy', patient))

describe('the patients of a clinic', () => {
  it('are found by their email', async () => {
    const name = 'Grace'
    const { id } = await admit({ name, email: 'Grace@example.com' })
    const found = await withTenant('navy', () => patients.findByEmail(' grace@example.com'))
    expect(found).toMatchObject([{ id, name, email: 'Grace@example.com' }])
  })

  it('are nobody else’s', async () => {
    const { id } = await admit({ name: 'Ida', email: 'ida@example.com' })
    expect(await withTenant('army', () => patients.findByEmail('ida@example.com'))).toEqual([])
    const error = await withTenant('army', () => patients.get(id)).catch((thrown: unknown) => thrown)
    expect(FieldsealError.is(error, 'TENANT_MISMATCH')).toBe(true)
  })

  it('are encrypted in the database', async () => {
    const { id } = await admit({ name: 'Joan', email: 'joan@example.com', allergies: ['nuts'] })
    const client = new pg.Client({ connectionString: process.env.DATABASE_URL })
    await client.connect()
    const { rows } = await client.query('SELECT name, email, allergies FROM patient WHERE id = $1', [id])
    await client.end()
    for (const value of Object.values(rows[0])) expect(value).toMatch(/^fs1\./)
  })
})
