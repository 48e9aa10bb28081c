import { fileURLToPath } from 'node:url'
import { FieldsealError } from 'fieldseal'
import { localKms } from 'fieldseal/local-kms'
import { fieldEncryption } from 'fieldseal/typeorm'
import pg from 'pg'
import { DataSource, type QueryRunner } from 'typeorm'
import { createDatabase } from '../../support/database.js'
import { rowsOf } from './rows.js'
import { CONTACT, entities, quoted, TABLES, type Table, type TableColumn, UNDECLARED } from './tables.js'

const EMPTY = fileURLToPath(new URL('../fixtures/empty.prisma', import.meta.url))
const TYPES = { int: 'int', text: 'text', json: 'jsonb' } as const

export type Row = Readonly<Record<string, unknown>>

/** What came of a statement. */
export type Answer =
  | { readonly kind: 'answered'; readonly rows: readonly Row[]; readonly affected: number | undefined }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string; readonly sent: readonly string[] }
  | { readonly kind: 'failed'; readonly message: string }

/** One database in plaintext, and one with encrypted columns. */
export interface Side {
  /** Runs a statement, looks at all tables after it, and takes back what it did. */
  run(text: string, values: readonly unknown[], looksAtTables: boolean): Promise<Outcome>
}

export interface Outcome {
  readonly answer: Answer
  /** In plaintext, by table; only where they were to be looked at. */
  readonly tables: readonly (readonly Row[])[]
  /** What is wrong with what is stored. */
  readonly flaws: readonly string[]
}

export interface Twins {
  readonly plain: Side
  readonly encrypted: Side
  close(): Promise<void>
}

const ALL = [...TABLES, UNDECLARED]
const STORED = ALL.filter(({ isView }) => !isView)

export async function openTwins(): Promise<Twins> {
  const [plain, encrypted] = await Promise.all([openPlain(), openEncrypted()])
  return { plain, encrypted, close: async () => void (await Promise.all([plain.close(), encrypted.close()])) }
}

async function openPlain() {
  const database = await createDatabase({ schema: EMPTY })
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  await client.query('CREATE SCHEMA archive')
  for (const table of STORED) await client.query(definition(table))
  await client.query(`CREATE VIEW public.contact AS ${CONTACT}`)
  for (const table of STORED) for (const row of rowsOf(table)) await client.query(insertion(table), row)
  return {
    run: (text: string, values: readonly unknown[], looksAtTables: boolean) =>
      within(client, async () => {
        const answer = await answered(() => client.query(text, [...values]).then(resultOf))
        const tables = looksAtTables && answer.kind === 'answered' ? await contents(client) : []
        return { answer, tables, flaws: [] }
      }),
    close: async () => {
      await client.end()
      await database.drop()
    },
  }
}

async function openEncrypted() {
  const database = await createDatabase({ schema: EMPTY })
  const sent: string[] = []
  const logQuery = (statement: string) => void sent.push(statement)
  const silent = () => {}
  const logger = {
    logQuery,
    logQueryError: silent,
    logQuerySlow: silent,
    logSchemaBuild: silent,
    logMigration: silent,
    log: silent,
  }
  const dataSource = fieldEncryption(new DataSource({ type: 'postgres', url: database.url, entities, logger }), {
    kms: localKms({ key: Buffer.alloc(32, 7).toString('base64') }),
    defaultTenant: 'acme',
  })
  await dataSource.initialize()
  await dataSource.query('CREATE SCHEMA archive')
  await dataSource.synchronize()
  const runner = dataSource.createQueryRunner()
  const client: pg.ClientBase = await runner.connect()
  await client.query(definition(UNDECLARED))
  for (const table of STORED) for (const row of rowsOf(table)) await runner.query(insertion(table), row)
  const known: Indexes = new Map()
  const flaws = await flawsIn(client, await contents(runner), known)
  if (flaws.length > 0) throw new Error(`the rows to begin with are stored wrongly: ${flaws.join(', ')}`)
  return {
    run: (text: string, values: readonly unknown[], looksAtTables: boolean) =>
      within(client, async () => {
        sent.length = 0
        const answer = await answered(() => structured(runner, text, values), sent)
        if (!looksAtTables || answer.kind !== 'answered') return { answer, tables: [], flaws: [] }
        const tables = await contents(runner)
        return { answer, tables, flaws: await flawsIn(client, tables, known) }
      }),
    close: async () => {
      await runner.release()
      await dataSource.destroy()
      await database.drop()
    },
  }
}

/** The columns of its tokens. */
function tokensOf(table: string, { name, tokens }: TableColumn): string[] {
  if (tokens === undefined) return []
  return tokens === 'text' && table === 'person' ? [`${name}Tokens`, `${name}FoldedTokens`] : [`${name}Tokens`]
}

/** With a column for each index also where there is none, so that stars mean the same. */
function definition({ schema, name, columns }: Table): string {
  const parts = columns.flatMap((column) => [
    `${quoted(column.name)} ${TYPES[column.kind]}${column.name === 'id' ? ' PRIMARY KEY' : ''}`,
    ...(column.secret === 'indexed' ? [`"${column.name}Index" text`] : []),
    ...tokensOf(name, column).map((tokens) => `"${tokens}" uuid[]`),
  ])
  return `CREATE TABLE ${schema}.${name} (${parts.join(', ')})`
}

function insertion({ schema, name, columns }: Table): string {
  const names = columns.map((column) => quoted(column.name))
  return `INSERT INTO ${schema}.${name} (${names.join(', ')}) VALUES (${names.map((_, n) => `$${n + 1}`).join(', ')})`
}

/** By a transaction of PostgreSQL itself, which the data source need not know. */
async function within<T>(client: pg.ClientBase, work: () => Promise<T>): Promise<T> {
  await client.query('BEGIN')
  try {
    return await work()
  } finally {
    await client.query('ROLLBACK')
  }
}

async function answered(
  work: () => Promise<{ rows: readonly Row[]; affected: number | undefined }>,
  sent: readonly string[] = [],
): Promise<Answer> {
  try {
    return { kind: 'answered', ...(await work()) }
  } catch (error) {
    const message = String((error as Error)?.message ?? error)
    if (FieldsealError.is(error)) return { kind: 'refused', code: error.code, message, sent: [...sent] }
    return { kind: 'failed', message }
  }
}

/** TypeORM gives nothing of what several statements in one gave. */
function resultOf(result: pg.QueryResult | pg.QueryResult[]) {
  if (Array.isArray(result)) return { rows: [], affected: undefined }
  return { rows: result.rows as Row[], affected: result.rowCount ?? undefined }
}

async function structured(runner: QueryRunner, text: string, values: readonly unknown[]) {
  const { records, affected } = await runner.query(text, [...values], true)
  // The driver knows of none after DO, LOCK and the like.
  return { rows: records as Row[], affected: affected ?? undefined }
}

async function contents(from: { query(text: string): Promise<unknown> }): Promise<Row[][]> {
  const all: Row[][] = []
  for (const { schema, name, columns } of STORED) {
    const names = columns.map((column) => quoted(column.name))
    const result = await from.query(`SELECT ${names.join(', ')} FROM ${schema}.${name} ORDER BY id`)
    all.push((Array.isArray(result) ? result : (result as pg.QueryResult).rows) as Row[])
  }
  return all
}

/** By table, column and value: equal values have equal indexes, and others have others. */
type Indexes = Map<string, unknown>

/** Values that are not encrypted, and indexes that are not those of the value beside them. */
async function flawsIn(client: pg.ClientBase, tables: readonly (readonly Row[])[], known: Indexes): Promise<string[]> {
  const flaws: string[] = []
  for (const [position, { schema, name, columns }] of STORED.entries()) {
    const secret = columns.filter((column) => column.secret !== undefined)
    if (secret.length === 0) continue
    const { rows } = await client.query<Row>(`SELECT * FROM ${schema}.${name} ORDER BY id`)
    for (const [at, row] of rows.entries())
      for (const column of secret) {
        const where = `${schema}.${name}.${column.name} of ${row.id}`
        const value = tables[position]![at]?.[column.name] ?? null
        if (row[column.name] !== null && !String(row[column.name]).startsWith('fs1.'))
          flaws.push(`plaintext in ${where}`)
        if (
          column.secret === 'indexed' &&
          !isIndexOf(known, `${schema}.${name}.${column.name}`, value, row[`${column.name}Index`])
        )
          flaws.push(`a wrong index in ${where}`)
        for (const tokens of tokensOf(name, column)) {
          const list = row[tokens] === null ? null : JSON.stringify(row[tokens])
          if (!isIndexOf(known, `${schema}.${name}.${tokens}`, value, list)) flaws.push(`wrong ${tokens} in ${where}`)
        }
      }
  }
  return flaws
}

function isIndexOf(known: Indexes, column: string, value: unknown, index: unknown): boolean {
  if (value === null) return index === null
  const key = `${column} ${JSON.stringify(value)}`
  if (index === null || (known.has(key) && known.get(key) !== index)) return false
  known.set(key, index)
  return true
}
