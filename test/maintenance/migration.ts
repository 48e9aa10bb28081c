import type { MaintainOptions, Operation, RunReport } from 'fieldseal/prisma'
import type pg from 'pg'
import { type Fixture, type FixtureClient, openFixture, type Row } from '../prisma/fixtureClient.js'
import { ejecting } from '../support/ejecting.js'
import { openPool } from '../support/pool.js'

/** The models of fixtures/migration.prisma with plaintext in them, and a pool for maintenance. */
export interface Migration extends Fixture {
  readonly pool: pg.Pool
  /**
   * Runs an operation as another process would, one that was deployed for it; the only report if one model is named.
   */
  run(operation: Operation, options?: Partial<MaintainOptions>): Promise<RunReport[]>
  runOne(operation: Operation, options?: Partial<MaintainOptions>): Promise<RunReport>
  sql(text: string, values?: unknown[]): Promise<Row[]>
}

export const TENANTS = { Invoice: 'customer.tenantId' }

/** @param server the address of another PostgreSQL than the run's */
export async function openMigration(server?: string): Promise<Migration> {
  const fixture = await openFixture('migration.prisma', {}, server)
  const pool = openPool(fixture.database.url, { max: 4 })
  // As a table may be that is older than its Prisma schema.
  await pool.query('ALTER TABLE customers ALTER tenant_id DROP NOT NULL')
  const run = (operation: Operation, options: Partial<MaintainOptions> = {}) => {
    const client = fixture.another(operation === 'decrypt' ? { schema: ejecting(fixture.schema) } : {})
    return client.$encryption.maintain({ operation, database: pool, tenants: TENANTS, ...options })
  }
  return {
    ...fixture,
    pool,
    run,
    runOne: async (operation, options) => (await run(operation, { models: ['Customer'], ...options }))[0]!,
    sql: async (text, values) => (await pool.query(text, values)).rows,
    async close() {
      await pool.end()
      await fixture.close()
    },
  }
}

const WORDS = [
  'ä',
  'a b',
  `it's`,
  'semi;colon',
  'back\\slash',
  '{"a","b"}',
  '"quoted"',
  'NULL',
  'Zeta',
  'zeta',
  '日本',
  '😀',
]

/** Rows as they were before anybody thought of encryption. */
export async function addPlaintext(plain: FixtureClient, count = 60): Promise<void> {
  const customers = Array.from({ length: count }, (_, number) => plainCustomer(number))
  await plain.customer!.createMany({ data: customers })
  const stored = await plain.customer!.findMany({ orderBy: { number: 'asc' } })
  await plain.invoice!.createMany({
    data: stored.map(({ id, number }) => ({ customerId: id, text: `invoice of ${number}` })),
  })
  await plain.event!.createMany({
    data: stored.map(({ number }) => ({
      tenantId: tenantOf(number as number),
      at: new Date(Date.UTC(2026, 0, 1, 0, 0, (number as number) >> 2, 123)),
      number: BigInt(number as number) * 10_000_000_000n,
      kind: ['in', 'out', 'x'][(number as number) % 3],
      payload: { number, deep: [{ text: 'a "b" \\ \n', none: null }] },
    })),
  })
  await plain.word!.createMany({ data: WORDS.map((text) => ({ text, note: `note on ${text}` })) })
}

/** Other events, whose key of four columns needs each of them; answers how many there are. */
export async function replaceEvents(migration: Migration): Promise<number> {
  await migration.sql('TRUNCATE "Event"')
  await migration.sql(`
    INSERT INTO "Event" SELECT t, timestamptz '2026-01-01 00:00:00.123456+00' + n / 100 * interval '1 ms', n % 7, k, '{"a":1}'
    FROM unnest(ARRAY['acme', 'Beta', 'a b', 'ä']) t, generate_series(1, 700) n, unnest(ARRAY['a', 'Bc', 'xyz']) k
    ON CONFLICT DO NOTHING`)
  const [{ count } = {}] = await migration.sql('SELECT count(*) FROM "Event"')
  return Number(count)
}

export function tenantOf(number: number): string {
  return number % 3 === 0 ? 'globex' : 'acme'
}

export function plainCustomer(number: number): Row {
  return {
    tenantId: tenantOf(number),
    number,
    name: `name ${number} 🙂`,
    email: number % 5 === 0 ? null : ` Person${number}@Example.com `,
    phone: number % 4 === 0 ? null : `+86 ${number}`,
    notes: number % 7 === 0 ? `text ${number}` : { number, list: [1, 2.5, null], nested: { text: 'x' } },
    ...(number % 3 === 0 ? {} : { scan: Buffer.from([0, 255, number % 256, 92, 39]) }),
  }
}

const TABLES = {
  customers: 'id',
  invoices: 'id',
  '"Event"': 'tenant, at, kind, number',
  '"Word"': 'text',
}

/** All tables as text, to compare before and after. */
export async function dump(migration: Migration): Promise<string[]> {
  const tables = Object.entries(TABLES).map(([table, key]) =>
    migration.sql(`SELECT t::text AS row FROM ${table} t ORDER BY ${key}`),
  )
  return (await Promise.all(tables)).flat().map(({ row }) => row as string)
}

export async function empty(migration: Migration): Promise<void> {
  await migration.sql(`TRUNCATE ${Object.keys(TABLES).join(', ')}, "EncryptionKey"`)
  await migration.sql('DROP SCHEMA IF EXISTS fieldseal CASCADE')
}
