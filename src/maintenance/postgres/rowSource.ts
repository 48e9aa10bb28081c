import { own } from '../../own.js'
import {
  type Cell,
  type Page,
  type PageRequest,
  type RowChange,
  type RowSource,
  type StoredRow,
  TableLocked,
} from '../rows/rowSource.js'
import { readActiveHeads } from './activeHeads.js'
import { changeStatement } from './changeStatement.js'
import type { RowSourceContext, RowSourceOptions } from './context.js'
import { countStatement, pageStatement, RowReader, rereadStatement } from './pageStatement.js'
import { arrayLiteral, isLockTimeout, type PgConnection, quoteName, runSql, type TextRow, tableName } from './sql.js'
import { readTableFacts } from './tableFacts.js'

/**
 * The rows of a model in PostgreSQL. A row's version is its `xmin`, the transaction that wrote it: it changes with every
 * change of the row, and unlike the old values it can be sent back without showing plaintext in the server's log. Its
 * location is its `ctid`.
 *
 * @throws FieldsealError `DATABASE_UNAVAILABLE`; `OPTIONS_INVALID` for a table without a key
 */
export async function postgresRows(options: RowSourceOptions): Promise<RowSource> {
  const { database, table, keys } = options
  const [facts, activeHeads] = await Promise.all([
    readTableFacts(database, tableName(table)),
    readActiveHeads(database, keys),
  ])
  const context = { ...options, facts, activeHeads }
  const reader = new RowReader(context)
  return {
    activeDeks: activeHeads?.dekIds ?? null,
    estimate: () => estimate(database, tableName(table)),
    page: (request) => readPage(context, reader, request),
    countRemaining: async () => {
      const { text, values } = countStatement(context)
      const [row] = await runOnTable(database, text, values)
      return Number(row![0])
    },
    reread: async (rows) => {
      const { text, values } = rereadStatement(context, rows)
      const found = await runOnTable(database, text, values)
      return found.filter((row) => reader.matchesFilter(row)).map((row) => reader.row(row))
    },
    holding: (field, values) => holding(context, field, values),
    change: (changes) => change(context, changes),
  }
}

/** A table up to this size is counted, in bytes: that takes no time to speak of. */
const COUNTED = 16 * 2 ** 20

/**
 * Counted if the table is small, or was never analysed; else as full as the last ANALYZE found it, but of the size that
 * it has now. Counting takes as long as a table is big, and what ANALYZE counted may be as old as a table's first rows.
 */
async function estimate(database: PgConnection, name: string): Promise<number> {
  const [known] = await runOnTable(
    database,
    `SELECT CASE WHEN reltuples <= 0 THEN NULL WHEN relkind = 'p' THEN reltuples::bigint
       WHEN pg_relation_size(oid) > ${COUNTED} THEN
         (reltuples / greatest(relpages, 1) * (pg_relation_size(oid) / current_setting('block_size')::int))::bigint END
     FROM pg_class WHERE oid = to_regclass($1)`,
    [name],
  )
  if (known?.[0] != null) return Number(known[0])
  const [counted] = await runOnTable(database, `SELECT count(*) FROM ${name}`)
  return Number(counted![0])
}

async function readPage(context: RowSourceContext, reader: RowReader, request: PageRequest): Promise<Page> {
  const { text, values } = pageStatement(context, request)
  const found = await runOnTable(context.database, text, values)
  const last = found.at(-1)
  return {
    rows: found.filter((row) => reader.matchesFilter(row)).map((row) => reader.row(row)),
    scanned: found.length,
    last: last === undefined ? null : reader.key(last),
    // Fewer than asked for may also mean that they were heavy.
    ended: found.length === 0,
  }
}

async function holding(
  { database, table }: RowSourceContext,
  field: string,
  values: readonly NonNullable<Cell>[],
): Promise<NonNullable<Cell>[]> {
  if (values.length === 0) return []
  const { column, storage } = own(table.indexes, field)!
  const name = quoteName(column)
  const [shown, given] = storage === 'Bytes' ? [`encode(${name}, 'hex')`, `decode(v, 'hex')`] : [name, 'v']
  const text = `SELECT DISTINCT ${shown} FROM ${tableName(table)} WHERE ${name} IN (SELECT ${given} FROM unnest($1::text[]) v)`
  const sent = values.map((value) => (typeof value === 'string' ? value : Buffer.from(value).toString('hex')))
  const rows = await runOnTable(database, text, [arrayLiteral(sent)])
  return rows.map(([value]) => (storage === 'Bytes' ? Buffer.from(value!, 'hex') : value!))
}

async function change(context: RowSourceContext, changes: readonly RowChange[]): Promise<ReadonlySet<StoredRow>> {
  if (changes.length === 0) return new Set()
  const { text, values } = changeStatement(context, changes)
  const written = await runOnTable(context.database, text, values)
  return new Set(written.map(([position]) => changes[Number(position) - 1]!.row))
}

/** Where the pool has a `lock_timeout`, a lock of the whole table is met as that. */
async function runOnTable(database: PgConnection, text: string, values: readonly unknown[] = []): Promise<TextRow[]> {
  try {
    return await runSql(database, text, values)
  } catch (error) {
    throw isLockTimeout(error) ? new TableLocked('the table is locked', { cause: error }) : error
  }
}
