import type { PageRequest, RowKey, StoredRow } from '../rows/rowSource.js'
import { type RowSourceContext, typeOf } from './context.js'
import { isOwned, tenantJoins, tenantText } from './ownership.js'
import type { CellColumn, PageColumns } from './pageColumns.js'
import { rowFilter } from './rowFilter.js'
import { quoteName, type Statement, tableName } from './sql.js'

/** The most that the values of one page may weigh, in bytes; a single row may weigh more. */
const PAGE_BYTES = 8 * 1024 * 1024

/** The statements that read a table for one run: the text of each is made once, whatever rows it is about. */
export class PageStatements {
  readonly #context: RowSourceContext
  readonly #columns: PageColumns
  readonly #filter: string
  /** The parameters of the filter, with which those of each statement begin. */
  readonly #filterValues: readonly unknown[]
  readonly #pages = new Map<string, string>()
  readonly #reread: string

  constructor(context: RowSourceContext, columns: PageColumns) {
    this.#context = context
    this.#columns = columns
    const values: unknown[] = []
    this.#filter = filterOf(context, values)
    this.#filterValues = values
    this.#reread = this.#select(this.#givenRows())
  }

  /** Looks at the next rows by primary key, and sends the values of those only that match the filter. */
  page({ after, until, limit }: PageRequest): Statement {
    const begins = after !== null
    const ends = until !== null
    const name = `${begins} ${ends}`
    const text = this.#pages.get(name) ?? this.#select(this.#nextRows(begins, ends))
    this.#pages.set(name, text)
    return { text, values: [...this.#filterValues, ...this.#keyValues(after), ...this.#keyValues(until), limit] }
  }

  /** Counts all that match the filter. */
  count(): Statement {
    const { table } = this.#context
    const from = `${tableName(table)} t ${tenantJoins(table)}`
    return { text: `SELECT count(*) FROM ${from} WHERE ${this.#filter}`, values: this.#filterValues }
  }

  /** As `page`, of given rows. */
  reread(rows: readonly StoredRow[]): Statement {
    const keys = this.#columns.key.map((_, i) => rows.map(({ key }) => key[i]))
    return { text: this.#reread, values: [...this.#filterValues, ...keys] }
  }

  #keyValues(key: RowKey | null): unknown[] {
    return key === null ? [] : this.#columns.key.map((_, i) => key[i])
  }

  #nextRows(begins: boolean, ends: boolean): string {
    const width = this.#columns.key.length
    const first = this.#filterValues.length + 1
    const end = begins ? first + width : first
    const bounds = [...(begins ? [this.#keyBound('>', first)] : []), ...(ends ? [this.#keyBound('<=', end)] : [])]
    const where = bounds.length > 0 ? `WHERE ${bounds.join(' AND ')}` : ''
    const limit = ends ? end + width : end
    const order = this.#columns.key.map(({ column }) => `t.${quoteName(column)}`)
    return `${where} ORDER BY ${order} LIMIT $${limit}::bigint`
  }

  #keyBound(operator: string, first: number): string {
    const { key } = this.#columns
    const placeholders = key.map(({ column }, i) => `$${first + i}::${typeOf(this.#context, column)}`)
    return `(${key.map(({ column }) => `t.${quoteName(column)}`)}) ${operator} (${placeholders})`
  }

  #givenRows(): string {
    const { key } = this.#columns
    const arrays = key.map((_, i) => `$${this.#filterValues.length + 1 + i}::text[]`)
    const same = key.map(({ column }, i) => `t.${quoteName(column)} = v${i}::${typeOf(this.#context, column)}`)
    return `JOIN unnest(${arrays}) AS v(${key.map((_, i) => `v${i}`)}) ON ${same.join(' AND ')}`
  }

  /** @param tail of the innermost query: which rows of `t`, in which order */
  #select(tail: string): string {
    const { table } = this.#context
    const { key, bound, cells } = this.#columns
    const sent = [
      ['row_version', 'p.row_version::text'],
      ['row_location', 'p.row_location::text'],
      ['row_tenant', 'p.row_tenant'],
      ...bound.map(({ name }) => [name, `p.${name}::text`]),
      ...cells.map((cell) => [cell.name, sentAs(cell)]),
    ].map(([name, value]) => `CASE WHEN p.matches THEN ${value} END AS ${name}`)
    const raw = [
      ...[...key, ...bound, ...cells].map(({ name, column }) => `t.${quoteName(column)} AS ${name}`),
      't.xmin AS row_version',
      't.ctid AS row_location',
      `${tenantText(table)} AS row_tenant`,
      `(${this.#filter}) AS matches`,
    ]
    const orderIn = (from: 's' | 'p') => key.map(({ name }) => `${from}.${name}`)
    const rows = `SELECT ${raw} FROM ${tableName(table)} t ${tenantJoins(table)} ${tail}`
    const weighed = `SELECT s.*, CASE WHEN s.matches THEN ${weight(cells)} ELSE 0 END AS weight FROM (${rows}) s`
    const summed = `SELECT s.*, sum(s.weight) OVER (ORDER BY ${orderIn('s')} ROWS UNBOUNDED PRECEDING) AS weights FROM (${weighed}) s`
    return `
      SELECT ${[...key.map(({ name }) => `p.${name}::text AS ${name}`), 'p.matches::text AS matches', ...sent]}
      FROM (${summed}) p WHERE p.weights - p.weight < ${PAGE_BYTES} ORDER BY ${orderIn('p')}`
  }
}

/** Bytes as base64, a list as JSON, tokens and anything else as PostgreSQL writes it. */
function sentAs({ name, storage, list }: CellColumn): string {
  if (list && storage !== 'Tokens') return `to_json(p.${name})::text`
  return storage === 'Bytes' ? `encode(p.${name}, 'base64')` : `p.${name}::text`
}

/** What it takes in this process, about; without unpacking anything in the database. */
function weight(cells: readonly CellColumn[]): string {
  const sizes = cells.map(({ name, storage, list }) => {
    const size = storage === 'Json' || list ? `4 * pg_column_size(s.${name})` : `octet_length(s.${name})`
    return `coalesce(${size}, 0)`
  })
  return ['0', ...sizes].join(' + ')
}

function filterOf(context: RowSourceContext, values: unknown[]): string {
  const filter = rowFilter(context, values)
  return context.tenant === undefined ? filter : `(${filter}) AND ${isOwned(context, context.tenant, values)}`
}
