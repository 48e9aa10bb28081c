import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { runSql } from '../../support/sql.js'

/** Somebody who has taken over a database role that may read and write the keys table, and nothing else. */
export interface KeysTableWriter {
  run(sql: string): Promise<Record<string, unknown>[]>
  close(): Promise<void>
}

export async function openKeysTableWriter(url: string): Promise<KeysTableWriter> {
  const role = `writer_${randomBytes(6).toString('hex')}`
  await runSql(url, `CREATE ROLE ${role} LOGIN PASSWORD 'pw' NOSUPERUSER NOCREATEDB NOCREATEROLE`)
  await runSql(url, `GRANT SELECT, INSERT, UPDATE, DELETE ON encryption_keys TO ${role}`)
  const address = Object.assign(new URL(url), { username: role, password: 'pw' })
  const client = new pg.Client({ connectionString: address.href })
  await client.connect()
  return {
    run: async (sql) => (await client.query<Record<string, unknown>>(sql)).rows,
    async close() {
      await client.end()
      await runSql(url, `DROP OWNED BY ${role}; DROP ROLE ${role}`)
    },
  }
}
