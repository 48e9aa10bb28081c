import { createInOwnSchema, lookAtSchema, OWN_SCHEMA } from './ownSchema.js'
import { type PgConnection, runSql } from './sql.js'

const TABLE = 'key_exports'

/** What is known of the last export of the keys table. */
export interface ExportRecord {
  readonly at: Date
  readonly keys: number
}

/**
 * Notes in the database that the keys table was exported, where `lastExport` finds it.
 *
 * @returns whether the user may: an export is none the worse without
 */
export async function recordExport(database: PgConnection, { at, keys }: ExportRecord): Promise<boolean> {
  const found = await lookAtSchema(database, OWN_SCHEMA, [TABLE])
  if (!found.usable) {
    if (found.complete || !found.creates) return false
    const table = `CREATE TABLE IF NOT EXISTS ${OWN_SCHEMA}.${TABLE} (one boolean PRIMARY KEY DEFAULT true CHECK (one), at timestamptz NOT NULL, keys bigint NOT NULL)`
    await createInOwnSchema(database, table)
  }
  await runSql(
    database,
    `INSERT INTO ${OWN_SCHEMA}.${TABLE} (at, keys) VALUES ($1, $2) ON CONFLICT (one) DO UPDATE SET at = excluded.at, keys = excluded.keys`,
    [at.toISOString(), keys],
  )
  return true
}

/** `null` when none is known of. */
export async function lastExport(database: PgConnection): Promise<ExportRecord | null> {
  const { usable } = await lookAtSchema(database, OWN_SCHEMA, [TABLE])
  if (!usable) return null
  const [row] = await runSql<'at' | 'keys'>(
    database,
    `SELECT extract(epoch FROM at) AS at, keys FROM ${OWN_SCHEMA}.${TABLE}`,
  )
  return row === undefined ? null : { at: new Date(Number(row.at) * 1000), keys: Number(row.keys) }
}
