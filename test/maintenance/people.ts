import { afterAll, beforeAll, beforeEach } from '@jest/globals'
import type { MaintainOptions, Operation, RunReport } from 'fieldseal/prisma'
import type pg from 'pg'
import { type Fixture, openFixture, type Row } from '../prisma/fixtureClient.js'
import { ejecting } from '../support/ejecting.js'
import { openPool } from '../support/pool.js'

/** The model of fixtures/people.prisma, with its token indexes, and a pool for maintenance. */
export interface People extends Fixture {
  readonly pool: pg.Pool
  run(operation: Operation, options?: Partial<MaintainOptions>): Promise<RunReport>
  sql(text: string, values?: unknown[]): Promise<Row[]>
  /** All rows, in order. */
  rows(): Promise<Row[]>
}

/** Of the test file that called `peopleFirst`. */
export let people: People

/** Lets each test of a file begin with some people in plaintext. */
export function peopleFirst(): void {
  beforeAll(async () => {
    people = await openPeople()
  })
  beforeEach(async () => {
    await people.sql('TRUNCATE "Person", "EncryptionKey"')
    await people.sql('DROP SCHEMA IF EXISTS fieldseal CASCADE')
    await people.sql(`INSERT INTO "Person" (id, "clinicId", name, salary) VALUES
      (1, 'acme', 'Ada Lovelace', '36000'), (2, 'acme', 'Grace Hopper', NULL), (3, 'globex', NULL, '0'),
      (4, 'globex', 'X', '100000'), (5, 'acme', '', '99999'), (6, 'acme', NULL, NULL)`)
  })
  afterAll(() => people?.close())
}

export async function openPeople(): Promise<People> {
  const fixture = await openFixture('people.prisma', { defaultTenant: undefined as never })
  const pool = openPool(fixture.url, { max: 4 })
  const sql = async (text: string, values?: unknown[]): Promise<Row[]> => (await pool.query(text, values)).rows
  return {
    ...fixture,
    pool,
    sql,
    async run(operation, options = {}) {
      const client = fixture.another(operation === 'decrypt' ? { schema: ejecting(fixture.schema) } : {})
      return (await client.$encryption.maintain({ operation, database: pool, ...options }))[0]!
    },
    rows: () => sql('SELECT * FROM "Person" ORDER BY id'),
    async close() {
      await pool.end()
      await fixture.close()
    },
  }
}
