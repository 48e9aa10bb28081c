import { own } from '../../own.js'
import { type Cell, type Page, type RowChange, type RowSource, type StoredRow, TableLocked } from '../rows/rowSource.js'
import { readActiveHeads } from './activeHeads.js'
import { ChangeStatements } from './changeStatements.js'
import type { RowSourceContext, RowSourceOptions } from './context.js'
import { pageColumns } from './pageColumns.js'
import { PageStatements } from './pageStatements.js'
import { RowReader } from './rowReader.js'
import {
  arrayLiteral,
  isLockTimeout,
  type PgConnection,
  quoteName,
  runSql,
  type Statement,
  type TextRow,
  tableName,
} from './sql.js'
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
  const columns = pageColumns(context)
  const reader = new RowReader(columns, table.tenant)
  const statements = new PageStatements(context, columns)
  const changes = new ChangeStatements(context)
  return {
    activeDeks: activeHeads?.dekIds ?? null,
    estimate: () => estimate(database, tableName(table)),
    page: async (request) => pageOf(reader, await runOnTable(database, statements.page(request))),
    countRemaining: async () => {
      const [row] = await runOnTable<'count'>(database, statements.count())
      return Number(row!.count)
    },
    reread: async (rows) => {
      const found = await runOnTable(database, statements.reread(rows))
      return found.filter((row) => reader.matchesFilter(row)).map((row) => reader.row(row))
    },
    holding: (field, values) => holding(context, field, values),
    change: (rows) => change(database, changes, rows),
  }
}

/** A table up to this size is counted, in bytes: that takes no time to speak of. */
const COUNTED = 16 * 2 ** 20

/**
 * Counted if the table is small, or was never analysed; else as full as the last ANALYZE found it, but of the size that
 * it has now. Counting takes as long as a table is big, and what ANALYZE counted may be as old as a table's first rows.
 */
async function estimate(database: PgConnection, name: string): Promise<number> {
  const text = `SELECT CASE WHEN reltuples <= 0 THEN NULL WHEN relkind = 'p' THEN reltuples::bigint
       WHEN pg_relation_size(oid) > ${COUNTED} THEN
         (reltuples / greatest(relpages, 1) * (pg_relation_size(oid) / current_setting('block_size')::int))::bigint END AS rows
     FROM pg_class WHERE oid = to_regclass($1)`
  const [known] = await runOnTable<'rows'>(database, { text, values: [name] })
  if (known?.rows != null) return Number(known.rows)
  const [counted] = await runOnTable<'count'>(database, { text: `SELECT count(*) FROM ${name}`, values: [] })
  return Number(counted!.count)
}

function pageOf(reader: RowReader, found: readonly TextRow[]): Page {
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
  const text = `SELECT DISTINCT ${shown} AS value FROM ${tableName(table)} WHERE ${name} IN (SELECT ${given} FROM unnest($1::text[]) v)`
  const sent = values.map((value) => (typeof value === 'string' ? value : Buffer.from(value).toString('hex')))
  const rows = await runOnTable<'value'>(database, { text, values: [arrayLiteral(sent)] })
  return rows.map(({ value }) => (storage === 'Bytes' ? Buffer.from(value!, 'hex') : value!))
}

async function change(
  database: PgConnection,
  statements: ChangeStatements,
  changes: readonly RowChange[],
): Promise<ReadonlySet<StoredRow>> {
  if (changes.length === 0) return new Set()
  const written = await runOnTable<'n'>(database, statements.change(changes))
  return new Set(written.map(({ n }) => changes[Number(n) - 1]!.row))
}

/** Where the pool has a `lock_timeout`, a lock of the whole table is met as that. */
async function runOnTable<Column extends string>(
  database: PgConnection,
  { text, values }: Statement,
): Promise<TextRow<Column>[]> {
  try {
    return await runSql(database, text, values)
  } catch (error) {
    throw isLockTimeout(error) ? new TableLocked('the table is locked', { cause: error }) : error
  }
}
