import type { Cell, RowChange, RowKey } from '../maintenance/rowSource.js'
import type { RowSourceContext } from './context.js'
import { type Statement, typeOf } from './pageStatement.js'
import { quoteName, tableName } from './sql.js'
import type { MaintainedColumn } from './table.js'

/**
 * Writes rows that still have their version and that nobody has locked. Locks are taken before anything is changed and
 * never waited for, so that this statement and the app cannot deadlock. A row that is locked here with its version can
 * be found again by its place in the table until the statement ends.
 */
export function changeStatement(context: RowSourceContext, changes: readonly RowChange[]): Statement {
  const { facts, table } = context
  const columns = changedColumns(context, changes)
  const key = facts.key.map((column, position) => ({ column, name: `k${position}`, type: typeOf(context, column) }))
  const arrays = [
    ...key.map((_, position) => changes.map(({ row }) => row.key[position])),
    changes.map(({ row }) => row.version),
    ...columns.map(({ field }) =>
      changes.map(({ row, cells }) => sent(cells[field] ?? (field in cells ? null : row.cells[field]!))),
    ),
  ]
  const names = [...key.map(({ name }) => `v_${name}`), 'v_version', ...columns.map((_, position) => `v_c${position}`)]
  const range = boundsOf(changes, arrays.length)
  const inRange = range.map(({ operator, from }) => {
    const places = key.map(({ type }, position) => `$${from + position}::${type}`)
    return `(${key.map(({ column }) => `t.${quoteName(column)}`)}) ${operator} (${places})`
  })
  const lock = columns.some(({ column }) => facts.unique.has(column)) ? 'UPDATE' : 'NO KEY UPDATE'
  const text = `
    WITH l AS MATERIALIZED (
      SELECT ${[...key.map(({ column, name }) => `t.${quoteName(column)} AS ${name}`), 't.ctid AS place', 'v.*']}
      FROM unnest(${arrays.map((_, position) => `$${position + 1}::text[]`)}) WITH ORDINALITY AS v(${[...names, 'n']})
      JOIN ${tableName(table)} t ON ${key.map(({ column, name, type }) => `t.${quoteName(column)} = v.v_${name}::${type}`).join(' AND ')}
      WHERE t.xmin = v.v_version::xid AND ${inRange.join(' AND ')}
      FOR ${lock} OF t SKIP LOCKED
    )
    UPDATE ${tableName(table)} t
    SET ${columns.map((column, position) => `${quoteName(column.column)} = ${stored(context, column, `l.v_c${position}`)}`)}
    FROM l WHERE t.ctid = l.place AND ${key.map(({ column, name }) => `t.${quoteName(column)} = l.${name}`).join(' AND ')}
    RETURNING l.n`
  return { text, values: [...arrays, ...range.flatMap(({ key: bound }) => bound)] }
}

type ChangedColumn = MaintainedColumn & { readonly field: string }

function changedColumns({ table }: RowSourceContext, changes: readonly RowChange[]): ChangedColumn[] {
  const fields = new Set(changes.flatMap(({ cells }) => Object.keys(cells)))
  return [...fields].map((field) => ({ field, ...(table.fields[field] ?? table.indexes[field])! }))
}

interface Bound {
  readonly operator: '>=' | '<='
  readonly key: RowKey
  /** The number of its first parameter. */
  readonly from: number
}

/** Rows come in the order of their key: naming its range keeps the planner from reading the whole table. */
function boundsOf(changes: readonly RowChange[], parameters: number): Bound[] {
  const first = changes[0]!.row.key
  const last = changes.at(-1)!.row.key
  return [
    { operator: '>=', key: first, from: parameters + 1 },
    { operator: '<=', key: last, from: parameters + first.length + 1 },
  ]
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
