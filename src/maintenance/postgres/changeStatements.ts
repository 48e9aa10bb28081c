import { own } from '../../own.js'
import type { Cell, RowChange } from '../rows/rowSource.js'
import { type RowSourceContext, typeOf } from './context.js'
import { arrayLiteral, quoteName, type Statement, tableName } from './sql.js'
import type { MaintainedColumn } from './table.js'

type ChangedColumn = MaintainedColumn & { readonly field: string }

/**
 * The statements that write rows which still have their location and version and that nobody has locked. Locks are taken
 * before anything is changed and never waited for, so that such a statement and the app cannot deadlock. A row that is
 * locked here with its version stays at its place until the statement ends. The text is made once for all changes of the
 * same columns.
 */
export class ChangeStatements {
  readonly #context: RowSourceContext
  readonly #texts = new Map<string, string>()

  constructor(context: RowSourceContext) {
    this.#context = context
  }

  change(changes: readonly RowChange[]): Statement {
    const fields = [...new Set(changes.flatMap(({ cells }) => Object.keys(cells)))]
    const name = fields.join(' ')
    const text = this.#texts.get(name) ?? textOf(this.#context, fields)
    this.#texts.set(name, text)
    const values = [
      ...this.#context.facts.key.map((_, i) => changes.map(({ row }) => row.key[i]!)),
      changes.map(({ row }) => row.location),
      changes.map(({ row }) => row.version),
      ...fields.map((field) =>
        changes.map(({ row, cells }) =>
          sent(own(cells, field) ?? (Object.hasOwn(cells, field) ? null : row.cells[field]!)),
        ),
      ),
    ]
    return { text, values: values.map(arrayLiteral) }
  }
}

function textOf(context: RowSourceContext, fields: readonly string[]): string {
  const { facts, table } = context
  const columns = fields.map((field): ChangedColumn => {
    return { field, ...(own(table.fields, field) ?? own(table.indexes, field))! }
  })
  const keys = facts.key.map((column, i) => {
    return { name: quoteName(column), sent: `v.k${i}::${typeOf(context, column)}`, locked: `l.key${i}` }
  })
  const names = [...keys.map((_, i) => `k${i}`), 'location', 'version', ...columns.map((_, i) => `c${i}`)]
  const arrays = names.map((_, i) => `$${i + 1}::text[]`)
  const lock = columns.some(({ column }) => facts.unique.has(column)) ? 'UPDATE' : 'NO KEY UPDATE'
  return `
    WITH l AS MATERIALIZED (
      SELECT v.*, t.ctid AS found, ${keys.map(({ name }, i) => `t.${name} AS key${i}`)}
      FROM unnest(${arrays}) WITH ORDINALITY AS v(${[...names, 'n']})
      JOIN ${tableName(table)} t ON t.ctid = v.location::tid AND ${keys.map(({ name, sent }) => `t.${name} = ${sent}`).join(' AND ')}
      WHERE t.xmin = v.version::xid
      FOR ${lock} OF t SKIP LOCKED
    )
    UPDATE ${tableName(table)} t
    SET ${columns.map((column, i) => `${quoteName(column.column)} = ${stored(context, column, `l.c${i}`)}`)}
    FROM l WHERE t.ctid = l.found AND ${keys.map(({ name, locked }) => `t.${name} = ${locked}`).join(' AND ')}
    RETURNING l.n`
}

function sent(cell: Cell): string | null {
  return typeof cell === 'string' || cell === null
    ? cell
    : Buffer.from(cell.buffer, cell.byteOffset, cell.byteLength).toString('base64')
}

function stored(context: RowSourceContext, { column, storage, list }: ChangedColumn, value: string): string {
  if (list && storage !== 'Tokens')
    return `CASE WHEN ${value} IS NOT NULL THEN ${arrayOf(storage, value)} END::${typeOf(context, column)}`
  return storage === 'Bytes' ? `decode(${value}, 'base64')` : `${value}::${typeOf(context, column)}`
}

/** The array that a JSON text stands for. */
function arrayOf(storage: MaintainedColumn['storage'], value: string): string {
  if (storage === 'Json') return `ARRAY(SELECT e FROM json_array_elements(${value}::json) e)`
  return `ARRAY(SELECT e${storage === 'Bytes' ? '::bytea' : ''} FROM json_array_elements_text(${value}::json) e)`
}
