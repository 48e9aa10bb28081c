import type { StoredKey } from '../../keys/keyStore.js'
import type { KeyChange, KeyColumn, KeyCondition, KeyRow, KeyRows, KeyWhere } from '../../keys/tableKeyStore.js'
import { quoteName, tableName } from '../../maintenance/postgres/sql.js'
import type { ModelSchema } from '../../schema/encryptionSchema.js'
import { type Connection, runText } from './pool.js'

const READ = [
  'id',
  'tenant',
  'purpose',
  'version',
  'state',
  'wrapped',
  'kms',
  'kekId',
  'messages',
  'createdAt',
  'destroyedAt',
] as const satisfies readonly (keyof StoredKey)[]

const WRITTEN = [...READ, 'retiredAt'] as const

const TIMES: ReadonlySet<KeyColumn> = new Set(['createdAt', 'destroyedAt'])

/** The rows of a keys table, over one connection or another. */
export function keyRows(model: ModelSchema | undefined): (connection: Connection) => KeyRows {
  const statements = new KeyStatements(model)
  return (connection) => {
    const run = ({ text, values }: Sql) => runText(connection, text, values)
    const changed = async (sql: Sql) => (await run(sql)).rowCount ?? 0
    return {
      find: async (where, options) => (await run(statements.select(where, options))).rows.map(stored),
      insert: (rows) => (rows.length === 0 ? Promise.resolve(0) : changed(statements.insert(rows))),
      update: (where, change) => changed(statements.update(where, change)),
      count: async (where) => Number((await run(statements.count(where))).rows[0]![0]),
    }
  }
}

interface Sql {
  readonly text: string
  readonly values: readonly unknown[]
}

/** Writes the statements for one table. */
class KeyStatements {
  readonly #model: ModelSchema | undefined

  constructor(model: ModelSchema | undefined) {
    this.#model = model
  }

  select(where: KeyWhere, { orderBy, take }: Parameters<KeyRows['find']>[1] = {}): Sql {
    const values: unknown[] = []
    const order = Object.entries(orderBy ?? {}).map(([name, way]) => `${this.#column(name as KeyColumn)} ${way}`)
    const text =
      `SELECT ${READ.map((name) => this.#read(name))} FROM ${this.#table()}${this.#where(where, values)}` +
      `${order.length > 0 ? ` ORDER BY ${order}` : ''}${take === undefined ? '' : ` LIMIT ${take}`}`
    return { text, values }
  }

  count(where: KeyWhere): Sql {
    const values: unknown[] = []
    return { text: `SELECT count(*) FROM ${this.#table()}${this.#where(where, values)}`, values }
  }

  /** Its clock is the process's, as for the other times, and in UTC whatever the session's time zone is. */
  insert(rows: readonly KeyRow[]): Sql {
    const values: unknown[] = []
    const createdAt = new Date()
    const lists = rows.map((row) => {
      const all = { destroyedAt: null, retiredAt: null, createdAt, ...row }
      return `(${WRITTEN.map((name) => bind(values, all[name]))})`
    })
    const columns = WRITTEN.map((name) => this.#column(name))
    const text = `INSERT INTO ${this.#table()} (${columns}) VALUES ${lists} ON CONFLICT DO NOTHING`
    return { text, values }
  }

  update(where: KeyWhere, change: KeyChange): Sql {
    const values: unknown[] = []
    const { messages, ...rest } = change
    const sets = Object.entries(rest).map(
      ([name, value]) => `${this.#column(name as KeyColumn)} = ${bind(values, value)}`,
    )
    if (messages !== undefined) {
      const column = this.#column('messages')
      sets.push(`${column} = ${column} + ${bind(values, messages.increment)}`)
    }
    return { text: `UPDATE ${this.#table()} SET ${sets}${this.#where(where, values)}`, values }
  }

  #where(where: KeyWhere, values: unknown[]): string {
    const conditions = Object.entries(where).map(([name, condition]) =>
      comparison(this.#column(name as KeyColumn), condition, values),
    )
    return conditions.length > 0 ? ` WHERE ${conditions.join(' AND ')}` : ''
  }

  /** Times without time zone are in UTC; their text depends on the session's settings, their epoch does not. */
  #read(name: KeyColumn): string {
    return TIMES.has(name) ? `extract(epoch FROM ${this.#column(name)})` : this.#column(name)
  }

  #column(name: KeyColumn): string {
    return quoteName(this.#model?.columns[name] ?? name)
  }

  #table(): string {
    if (this.#model === undefined) throw new Error('no entity stores the keys: mark one `@EncryptionKeys`.')
    return tableName(this.#model)
  }
}

function comparison(column: string, condition: KeyCondition, values: unknown[]): string {
  if (condition === null) return `${column} IS NULL`
  if (typeof condition !== 'object') return `${column} = ${bind(values, condition)}`
  if ('in' in condition) return `${column} = ANY(${bind(values, condition.in)})`
  if ('not' in condition) return `${column} <> ${bind(values, condition.not)}`
  if ('gt' in condition) return `${column} > ${bind(values, condition.gt)}`
  if ('lt' in condition) return `${column} < ${bind(values, condition.lt)}`
  return `${column} <= ${bind(values, condition.lte)}`
}

/** A parameter. `pg` would write a time in the process's own time zone. */
function bind(values: unknown[], value: unknown): string {
  return `$${values.push(value instanceof Date ? value.toISOString() : value)}`
}

function stored(cells: readonly (string | null)[]): StoredKey {
  const row = Object.fromEntries(READ.map((name, position) => [name, cells[position]])) as {
    readonly [name in (typeof READ)[number]]: string | null
  }
  return {
    ...(row as unknown as StoredKey),
    version: Number(row.version),
    messages: Number(row.messages),
    createdAt: timeOf(row.createdAt)!,
    destroyedAt: timeOf(row.destroyedAt),
  }
}

function timeOf(epoch: string | null): Date | null {
  return epoch === null ? null : new Date(Math.round(Number(epoch) * 1000))
}
