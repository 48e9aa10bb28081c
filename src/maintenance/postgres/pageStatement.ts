import type { Cell, PageRequest, RowKey, StoredRow } from '../rows/rowSource.js'
import type { RowSourceContext } from './context.js'
import { isOwned, tenantJoins, tenantText } from './ownership.js'
import { rowFilter } from './rowFilter.js'
import { quoteName, type TextRow, tableName } from './sql.js'
import type { MaintainedColumn } from './table.js'

export interface Statement {
  readonly text: string
  readonly values: readonly unknown[]
}

/** The most that the values of one page may weigh, in bytes; a single row may weigh more. */
const PAGE_BYTES = 8 * 1024 * 1024

/** Looks at the next rows by primary key, and sends the values of those only that match the filter. */
export function pageStatement(context: RowSourceContext, { after, until, limit }: PageRequest): Statement {
  const values: unknown[] = []
  const bounds = [keyBound(context, '>', after, values), keyBound(context, '<=', until, values)].filter(Boolean)
  const where = bounds.length > 0 ? `WHERE ${bounds.join(' AND ')}` : ''
  return { text: select(context, `${where} ORDER BY ${keyOrder(context, 't')} LIMIT ${limit}`, values), values }
}

/** Counts all that match the filter. */
export function countStatement(context: RowSourceContext): Statement {
  const { table } = context
  const values: unknown[] = []
  const where = filterOf(context, values)
  return { text: `SELECT count(*) FROM ${tableName(table)} t ${tenantJoins(table)} WHERE ${where}`, values }
}

/** The same of given rows. */
export function rereadStatement(context: RowSourceContext, rows: readonly StoredRow[]): Statement {
  const { key } = context.facts
  const values: unknown[] = key.map((_, position) => rows.map((row) => row.key[position]))
  const arrays = key.map((_, position) => `$${position + 1}::text[]`)
  const names = key.map((_, position) => `v${position}`)
  const same = key.map((column, position) => `t.${quoteName(column)} = v${position}::${typeOf(context, column)}`)
  const join = `JOIN unnest(${arrays}) AS v(${names}) ON ${same.join(' AND ')}`
  return { text: select(context, join, values), values }
}

export function typeOf({ facts, table }: RowSourceContext, column: string): string {
  const type = facts.types.get(column)
  if (type === undefined) throw new TypeError(`${tableName(table)} has no column ${quoteName(column)}`)
  return type
}

function keyBound(context: RowSourceContext, operator: string, bound: RowKey | null, values: unknown[]): string {
  if (bound === null) return ''
  const placeholders = context.facts.key.map((column, position) => {
    values.push(bound[position])
    return `$${values.length}::${typeOf(context, column)}`
  })
  return `(${context.facts.key.map((column) => `t.${quoteName(column)}`)}) ${operator} (${placeholders})`
}

function keyOrder({ facts }: RowSourceContext, from: 't' | 's' | 'p'): string {
  return facts.key
    .map((column, position) => (from === 't' ? `t.${quoteName(column)}` : `${from}.k${position}`))
    .join(', ')
}

/** @param tail of the innermost query: which rows of `t`, in which order */
function select(context: RowSourceContext, tail: string, values: unknown[]): string {
  const { facts, table } = context
  const { columns, bound } = layout(context)
  const keys = facts.key.map((_, position) => `p.k${position}::text`)
  const sent = [
    'p.row_version::text',
    'p.row_location::text',
    'p.row_tenant',
    ...bound.map((_, position) => `p.b${position}::text`),
    ...columns.map((column, position) => sentAs(column, `p.c${position}`)),
  ].map((value) => `CASE WHEN p.matches THEN ${value} END`)
  const raw = [
    ...facts.key.map((column, position) => `t.${quoteName(column)} AS k${position}`),
    't.xmin AS row_version',
    't.ctid AS row_location',
    `${tenantText(table)} AS row_tenant`,
    ...bound.map(([, column], position) => `t.${quoteName(column)} AS b${position}`),
    ...columns.map(({ column }, position) => `t.${quoteName(column)} AS c${position}`),
    `(${filterOf(context, values)}) AS matches`,
  ]
  const rows = `SELECT ${raw} FROM ${tableName(table)} t ${tenantJoins(table)} ${tail}`
  const weighed = `SELECT s.*, CASE WHEN s.matches THEN ${weight(columns)} ELSE 0 END AS weight FROM (${rows}) s`
  const summed = `SELECT s.*, sum(s.weight) OVER (ORDER BY ${keyOrder(context, 's')} ROWS UNBOUNDED PRECEDING) AS weights FROM (${weighed}) s`
  return `
    SELECT ${[...keys, 'p.matches::text', ...sent]}
    FROM (${summed}) p WHERE p.weights - p.weight < ${PAGE_BYTES} ORDER BY ${keyOrder(context, 'p')}`
}

/** Bytes as base64, a list as JSON, anything else as PostgreSQL writes it. */
function sentAs({ storage, list }: MaintainedColumn, value: string): string {
  if (list) return `to_json(${value})::text`
  return storage === 'Bytes' ? `encode(${value}, 'base64')` : `${value}::text`
}

/** What it takes in this process, about; without unpacking anything in the database. */
function weight(columns: readonly MaintainedColumn[]): string {
  const sizes = columns.map(({ storage, list }, position) => {
    const size = storage === 'Json' || list ? `4 * pg_column_size(s.c${position})` : `octet_length(s.c${position})`
    return `coalesce(${size}, 0)`
  })
  return ['0', ...sizes].join(' + ')
}

function filterOf(context: RowSourceContext, values: unknown[]): string {
  const filter = rowFilter(context, values)
  return context.tenant === undefined ? filter : `(${filter}) AND ${isOwned(context, context.tenant, values)}`
}

interface Layout {
  readonly columns: readonly (MaintainedColumn & { readonly field: string })[]
  readonly bound: readonly (readonly [field: string, column: string])[]
}

/** The columns that are read, in order. */
function layout({ model, table }: RowSourceContext): Layout {
  const bound = new Set(model.readable.flatMap(({ bind }) => bind))
  return {
    columns: [
      ...model.readable.map(({ field }) => ({ field, ...table.fields[field]! })),
      ...model.indexes.map(({ field }) => ({ field, ...table.indexes[field]! })),
    ],
    bound: [...bound].map((field) => [field, table.bound[field]!]),
  }
}

/** Makes rows of what these statements answer. */
export class RowReader {
  readonly #layout: Layout
  readonly #keys: number
  readonly #tenant: RowSourceContext['table']['tenant']

  constructor(context: RowSourceContext) {
    this.#layout = layout(context)
    this.#keys = context.facts.key.length
    this.#tenant = context.table.tenant
  }

  key(row: TextRow): RowKey {
    return row.slice(0, this.#keys) as string[]
  }

  matchesFilter(row: TextRow): boolean {
    return row[this.#keys] === 'true'
  }

  row(row: TextRow): StoredRow {
    const { bound, columns } = this.#layout
    let at = this.#keys + 1
    const [version, location, tenant] = [row[at++]!, row[at++]!, row[at++]!]
    const texts: Record<string, string | null> = {}
    for (const [field] of bound) texts[field] = row[at++]!
    const cells: Record<string, Cell> = {}
    for (const column of columns) cells[column.field] = cellOf(column, row[at++]!)
    return {
      key: this.key(row),
      version,
      location,
      tenant: this.#tenantOf(tenant),
      bound: texts,
      cells,
    }
  }

  #tenantOf(text: string | null): string | null | undefined {
    const source = this.#tenant
    return source.kind === 'column' ? text : source.kind === 'fixed' ? source.tenant : undefined
  }
}

function cellOf({ storage, list }: MaintainedColumn, text: string | null): Cell {
  return storage === 'Bytes' && !list && text !== null ? Buffer.from(text, 'base64') : text
}
