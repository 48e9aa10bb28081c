import { own } from '../../own.js'
import type { Cell, RowChange } from '../rows/rowSource.js'
import type { RowSourceContext } from './context.js'
import { type Statement, typeOf } from './pageStatement.js'
import { arrayLiteral, quoteName, tableName } from './sql.js'
import type { MaintainedColumn } from './table.js'

/**
 * Writes rows that still have their location and version and that nobody has locked. Locks are taken before anything is
 * changed and never waited for, so that this statement and the app cannot deadlock. A row that is locked here with its
 * version stays at its place until the statement ends.
 */
export function changeStatement(context: RowSourceContext, changes: readonly RowChange[]): Statement {
  const { facts, table } = context
  const columns = changedColumns(context, changes)
  const keys = facts.key.map((column, position) => {
    return { name: quoteName(column), sent: `v.k${position}::${typeOf(context, column)}`, locked: `l.key${position}` }
  })
  const values = [
    ...keys.map((_, position) => changes.map(({ row }) => row.key[position]!)),
    changes.map(({ row }) => row.location),
    changes.map(({ row }) => row.version),
    ...columns.map(({ field }) =>
      changes.map(({ row, cells }) =>
        sent(own(cells, field) ?? (Object.hasOwn(cells, field) ? null : row.cells[field]!)),
      ),
    ),
  ]
  const arrays = values.map((_, position) => `$${position + 1}::text[]`)
  const names = [...keys.map((_, i) => `k${i}`), 'location', 'version', ...columns.map((_, i) => `c${i}`), 'n']
  const lock = columns.some(({ column }) => facts.unique.has(column)) ? 'UPDATE' : 'NO KEY UPDATE'
  const text = `
    WITH l AS MATERIALIZED (
      SELECT v.*, t.ctid AS found, ${keys.map(({ name }, i) => `t.${name} AS key${i}`)}
      FROM unnest(${arrays}) WITH ORDINALITY AS v(${names})
      JOIN ${tableName(table)} t ON t.ctid = v.location::tid AND ${keys.map(({ name, sent }) => `t.${name} = ${sent}`).join(' AND ')}
      WHERE t.xmin = v.version::xid
      FOR ${lock} OF t SKIP LOCKED
    )
    UPDATE ${tableName(table)} t
    SET ${columns.map((column, i) => `${quoteName(column.column)} = ${stored(context, column, `l.c${i}`)}`)}
    FROM l WHERE t.ctid = l.found AND ${keys.map(({ name, locked }) => `t.${name} = ${locked}`).join(' AND ')}
    RETURNING l.n`
  return { text, values: values.map(arrayLiteral) }
}

type ChangedColumn = MaintainedColumn & { readonly field: string }

function changedColumns({ table }: RowSourceContext, changes: readonly RowChange[]): ChangedColumn[] {
  const fields = new Set(changes.flatMap(({ cells }) => Object.keys(cells)))
  return [...fields].map((field) => ({ field, ...(own(table.fields, field) ?? own(table.indexes, field))! }))
}

function sent(cell: Cell): string | null {
  return typeof cell === 'string' || cell === null
    ? cell
    : Buffer.from(cell.buffer, cell.byteOffset, cell.byteLength).toString('base64')
}

function stored(context: RowSourceContext, { column, storage, list }: ChangedColumn, value: string): string {
  if (list) return `CASE WHEN ${value} IS NOT NULL THEN ${arrayOf(storage, value)} END::${typeOf(context, column)}`
  return storage === 'Bytes' ? `decode(${value}, 'base64')` : `${value}::${typeOf(context, column)}`
}

/** The array that a JSON text stands for. */
function arrayOf(storage: MaintainedColumn['storage'], value: string): string {
  if (storage === 'Json') return `ARRAY(SELECT e FROM json_array_elements(${value}::json) e)`
  return `ARRAY(SELECT e${storage === 'Bytes' ? '::bytea' : ''} FROM json_array_elements_text(${value}::json) e)`
}
