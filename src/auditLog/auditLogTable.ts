import type { AuditEntry } from '../client/audit.js'
import { FieldsealError } from '../errors.js'
import { createInOwnSchema } from '../maintenance/postgres/ownSchema.js'
import { arrayLiteral, type PgConnection, runSql, type TextRow } from '../maintenance/postgres/sql.js'
import { BEGINNING, type ChainLink, type StoredEntry } from './auditLogEntry.js'

const TABLE = 'fieldseal.audit_log'

const CREATE_TABLE = `CREATE TABLE IF NOT EXISTS ${TABLE} (
  sequence bigint PRIMARY KEY CHECK (sequence > 0),
  at timestamptz(3) NOT NULL,
  tenant text,
  actor text,
  purpose text,
  operation text NOT NULL,
  field text NOT NULL,
  mode text NOT NULL,
  rows integer NOT NULL,
  key_id text NOT NULL,
  previous text NOT NULL,
  mac text NOT NULL
)`

/** SQL that makes the table, to run as an administrator or in a migration; the app needs no more than the rights it names. */
export const AUDIT_LOG_SQL = `CREATE SCHEMA IF NOT EXISTS fieldseal;
${CREATE_TABLE};
-- The role of the app needs:
-- GRANT USAGE ON SCHEMA fieldseal TO app;
-- GRANT SELECT, INSERT ON ${TABLE} TO app;
`

/** Makes the table unless it is there. */
export async function createAuditLogTable(database: PgConnection): Promise<void> {
  const [found] = await runSql<'found'>(database, `SELECT to_regclass('${TABLE}') IS NOT NULL AS found`)
  if (found?.found === 't') return
  await createInOwnSchema(database, CREATE_TABLE)
}

/** The last entry, or the beginning. */
export async function readEnd(database: PgConnection): Promise<ChainLink> {
  const [row] = await written(() =>
    runSql<'sequence' | 'mac'>(database, `SELECT sequence, mac FROM ${TABLE} ORDER BY sequence DESC LIMIT 1`),
  )
  return row ? { sequence: BigInt(row.sequence!), mac: Buffer.from(row.mac!, 'hex') } : BEGINNING
}

const APPEND = `INSERT INTO ${TABLE}
  (sequence, at, tenant, actor, purpose, operation, field, mode, rows, key_id, previous, mac)
  SELECT * FROM unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
    $8::text[], $9::integer[], $10::text[], $11::text[], $12::text[])`

/**
 * Adds entries in one statement, all or none.
 *
 * @returns `false` when the database refuses them, as where another process has written entries of these numbers
 * @throws FieldsealError `DATABASE_UNAVAILABLE`
 */
export async function appendEntries(database: PgConnection, entries: readonly StoredEntry[]): Promise<boolean> {
  const column = (of: (stored: StoredEntry) => string | null | undefined) =>
    arrayLiteral(entries.map((stored) => of(stored) ?? null))
  const values = [
    column(({ sequence }) => String(sequence)),
    column(({ entry }) => entry.at.toISOString()),
    column(({ entry }) => entry.tenant),
    column(({ entry }) => entry.actor),
    column(({ entry }) => entry.purpose),
    column(({ entry }) => entry.operation),
    column(({ entry }) => entry.field),
    column(({ entry }) => entry.mode),
    column(({ entry }) => String(entry.rows)),
    column(({ keyId }) => keyId),
    column(({ previous }) => previous.toString('hex')),
    column(({ mac }) => mac.toString('hex')),
  ]
  try {
    await written(() => runSql(database, APPEND, values))
    return true
  } catch (error) {
    if (FieldsealError.is(error, 'ROW_REFUSED')) return false
    throw error
  }
}

type EntryColumn =
  | ('sequence' | 'milliseconds' | 'tenant' | 'actor' | 'purpose' | 'operation' | 'field' | 'mode' | 'rows')
  | ('key_id' | 'previous' | 'mac')

/** A time that no entry can have is NULL. */
const MILLISECONDS = `CASE WHEN at BETWEEN '0001-01-01' AND '9999-12-31' THEN round(extract(epoch FROM at) * 1000)::bigint END`
const READ = `SELECT sequence, ${MILLISECONDS} AS milliseconds, tenant, actor, purpose, operation, field, mode, rows, key_id,
    previous, mac
  FROM ${TABLE} WHERE sequence > $1 ORDER BY sequence LIMIT $2`

/** So many entries at most, of those after `sequence`. */
export async function readEntries(database: PgConnection, sequence: bigint, limit: number): Promise<StoredEntry[]> {
  const rows = await written(() => runSql<EntryColumn>(database, READ, [String(sequence), limit]))
  return rows.map(entryOf)
}

function entryOf(row: TextRow<EntryColumn>): StoredEntry {
  const { sequence, milliseconds, tenant, actor, purpose, operation, field, mode, rows, key_id, previous, mac } = row
  return {
    entry: {
      at: new Date(Number(milliseconds)),
      tenant,
      ...{ actor: actor ?? undefined, purpose: purpose ?? undefined, operation: operation!, field: field! },
      ...{ mode: mode as AuditEntry['mode'], rows: Number(rows) },
    },
    sequence: BigInt(sequence!),
    keyId: key_id!,
    previous: Buffer.from(previous!, 'hex'),
    mac: Buffer.from(mac!, 'hex'),
  }
}

/** Who reads the error is told of the audit log, and what makes its table. */
async function written<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!FieldsealError.is(error, 'DATABASE_UNAVAILABLE')) throw error
    const { code, message } = (error.cause ?? {}) as { readonly code?: unknown; readonly message?: unknown }
    const isMissing = code === '42P01' || code === '3F000'
    const next = isMissing ? `: its table is not there; \`npx fieldseal audit init\` makes it` : `: ${String(message)}`
    throw new FieldsealError('DATABASE_UNAVAILABLE', `the audit log could not be used${next}`, { cause: error.cause })
  }
}
