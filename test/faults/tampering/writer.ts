import { randomBytes } from 'node:crypto'
import type pg from 'pg'
import type { Migration } from '../../maintenance/migration.js'
import { openPool } from '../../support/pool.js'

/** Somebody who got a user of the database that may write some tables, and nothing else: no app, no KMS. */
export interface Writer {
  sql(text: string, values?: unknown[]): Promise<pg.QueryResult>
  /** The locks that it takes are held by this connection until the end. */
  readonly connection: pg.PoolClient
  close(): Promise<void>
}

/**
 * Graphile Worker's tables have row-level security, so that nobody but their owner can write there; this one can.
 *
 * @param rights `GRANT`s of them, without `TO …`
 */
export async function openWriter(migration: Migration, rights: readonly string[]): Promise<Writer> {
  const user = `writer_${randomBytes(6).toString('hex')}`
  await migration.sql(`CREATE ROLE ${user} LOGIN PASSWORD 'pw' NOSUPERUSER BYPASSRLS`)
  for (const right of rights) await migration.sql(`${right} TO ${user}`)
  const address = Object.assign(new URL(migration.database.url), { username: user, password: 'pw' })
  const pool = openPool(address.href, { max: 2 })
  const connection = await pool.connect()
  return {
    sql: (text, values) => pool.query(text, values),
    connection,
    async close() {
      connection.release(true)
      await pool.end()
      await migration.sql(`DROP OWNED BY ${user}; DROP ROLE ${user}`)
    },
  }
}

export const WRITES_PROGRESS = ['GRANT USAGE ON SCHEMA fieldseal', 'GRANT SELECT, UPDATE ON fieldseal.progress']
export const WRITES_RANGES = [
  'GRANT USAGE ON SCHEMA fieldseal',
  'GRANT SELECT, INSERT, UPDATE, DELETE ON fieldseal.ranges',
]

/** All columns of a table, so that a new one is not forgotten. */
export async function columnsOf(migration: Migration, table: string): Promise<string[]> {
  const rows = await migration.sql(
    `SELECT column_name AS name FROM information_schema.columns WHERE table_schema = 'fieldseal' AND table_name = $1`,
    [table],
  )
  return rows.map(({ name }) => name as string).toSorted()
}
