import type { KeyRange } from '../jobs/ranges.js'
import type { RowKey } from '../rows/rowSource.js'
import { type PgConnection, quoteName, runSql, tableName } from './sql.js'
import type { MaintainedTable } from './table.js'
import { readTableFacts } from './tableFacts.js'

/** Rows in a range, at most, about: a minute's work or less, so that workers end nearly together. */
const LARGEST = 25_000
const SMALLEST = 500
/** For each worker, so that one that is slower takes fewer of them. */
const RANGES_EACH = 8
/** A table up to this size is read whole for its keys; of a larger one, blocks with about so many rows. */
const SAMPLE = 50_000
const SAMPLES_EACH = 50

/**
 * Divides a table by its primary key, whatever its columns and types. It reads a sample of blocks at random, so that a
 * large table takes no longer than a small one; it locks nothing. Ranges join without a gap, however good the sample is.
 *
 * @param rows about how many the table has
 * @param after only what follows this key
 */
export async function splitTable(
  database: PgConnection,
  table: MaintainedTable,
  { rows, workers, after }: { readonly rows: number; readonly workers: number; readonly after: RowKey | null },
): Promise<KeyRange[]> {
  const size = Math.min(LARGEST, Math.max(SMALLEST, Math.ceil(rows / (workers * RANGES_EACH))))
  const parts = Math.max(1, Math.ceil(rows / size))
  const bounds = parts === 1 ? [] : await boundaries(database, table, { rows, parts, after })
  const begins = [after, ...bounds]
  return begins.map((begin, position) => ({ after: begin, until: begins[position + 1] ?? null }))
}

async function boundaries(
  database: PgConnection,
  table: MaintainedTable,
  { rows, parts, after }: { readonly rows: number; readonly parts: number; readonly after: RowKey | null },
): Promise<RowKey[]> {
  const { key, types } = await readTableFacts(database, tableName(table))
  const names = key.map(quoteName)
  const percent = Math.min(100, (100 * Math.max(SAMPLE, SAMPLES_EACH * parts)) / rows)
  const placeholders = key.map((column, position) => `$${position + 3}::${types.get(column)}`)
  const where = after === null ? '' : `WHERE (${names}) > (${placeholders})`
  const found = await runSql(
    database,
    `SELECT ${names.map((name, i) => `s.${name}::text AS k${i}`)} FROM (
       SELECT ${names}, row_number() OVER (ORDER BY ${names}) AS place, count(*) OVER () AS sampled
       FROM ${tableName(table)} TABLESAMPLE SYSTEM ($1::real) ${where}
     ) s
     WHERE s.place < s.sampled AND s.place * $2::int / s.sampled > (s.place - 1) * $2::int / s.sampled
     ORDER BY s.place`,
    [percent, parts, ...(after ?? [])],
  )
  return found.map((row) => names.map((_, i) => row[`k${i}`]!))
}
