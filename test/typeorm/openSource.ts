import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { localKms } from 'fieldseal/local-kms'
import { type DataSourceEncryptionOptions, type EncryptionEvent, fieldEncryption } from 'fieldseal/typeorm'
import type pg from 'pg'
import { DataSource, type DataSourceOptions, type Logger } from 'typeorm'
import { createDatabase } from '../support/database.js'
import { openPool } from '../support/pool.js'
import { entities } from './entities.js'

export const EMPTY = fileURLToPath(new URL('./fixtures/empty.prisma', import.meta.url))
const KEK = Buffer.alloc(32, 7).toString('base64')
/** What an ORM says around the statements of a transaction. */
const BRACKETS = /^(START|COMMIT|ROLLBACK|SAVEPOINT|RELEASE)/

// biome-ignore lint/suspicious/noExplicitAny: rows of SQL, whose columns every test knows
export type Row = Record<string, any>
type PostgresOptions = Extract<DataSourceOptions, { type: 'postgres' }>

/** A data source that encrypts, on a database of its own. */
export interface SourceUnderTest {
  readonly dataSource: DataSource
  readonly url: string
  readonly events: EncryptionEvent[]
  /** The rows of a statement, as they are stored. */
  stored(text: string, values?: unknown[]): Promise<Row[]>
  /** The statements sent since the last call, those that begin and end transactions left out. */
  takeSql(): string[]
  /** All that TypeORM has told its logger since the beginning. */
  logged(): string
  /** Another data source, as another process would have it: no shared memory but the database. */
  another(options?: OpenOptions): Promise<DataSource>
  close(): Promise<void>
}

export interface OpenOptions {
  readonly encryption?: Partial<DataSourceEncryptionOptions>
  readonly source?: Partial<PostgresOptions>
  /** Whether operations that name no tenant are acme's; they are unless said otherwise. */
  readonly defaultTenant?: string | null
}

/** Opens a data source with the entities of these tests, or those that the options name. */
export async function openSource(options: OpenOptions = {}): Promise<SourceUnderTest> {
  const database = await createDatabase({ schema: EMPTY })
  const pool = openPool(database.url)
  const log = new Recorder()
  const events: EncryptionEvent[] = []
  const open: DataSource[] = []
  const another = async ({ encryption, source, defaultTenant }: OpenOptions = {}) => {
    const tenant = defaultTenant === undefined ? (options.defaultTenant ?? 'acme') : defaultTenant
    const made = fieldEncryption(plainSource(database.url, { logger: log, ...options.source, ...source }), {
      kms: localKms({ key: KEK }),
      onEvent: (event) => events.push(event),
      ...(tenant !== null && options.defaultTenant !== null && { defaultTenant: tenant }),
      ...options.encryption,
      ...encryption,
    })
    open.push(made)
    return made.initialize()
  }
  const dataSource = await another({ source: { synchronize: true } })
  log.takeSql()
  return {
    dataSource,
    url: database.url,
    events,
    stored: (text, values) => rowsOf(pool, text, values),
    takeSql: () => log.takeSql(),
    logged: () => log.text(),
    another,
    async close() {
      await Promise.all(open.filter(({ isInitialized }) => isInitialized).map((source) => source.destroy()))
      await pool.end()
      await database.drop()
    },
  }
}

/** Without encryption. */
export function plainSource(url: string, options: Partial<PostgresOptions> = {}): DataSource {
  return new DataSource({ type: 'postgres', url, entities, poolSize: 4, ...options })
}

/** A data source with other entities than these tests have in common. */
export function openEntities(
  list: NonNullable<PostgresOptions['entities']>,
  options: OpenOptions = {},
): Promise<SourceUnderTest> {
  return openSource({ ...options, source: { ...options.source, entities: list } })
}

async function rowsOf(pool: pg.Pool, text: string, values?: unknown[]): Promise<Row[]> {
  return (await pool.query<Row>(text, values)).rows
}

/** Keeps all that it is told, with every parameter and error as a logger could show it. */
class Recorder implements Logger {
  readonly #lines: string[] = []
  readonly #statements: string[] = []

  logQuery(query: string, parameters?: unknown): void {
    this.#statements.push(query)
    this.#note(query, parameters)
  }

  logQueryError(error: string | Error, query: string, parameters?: unknown): void {
    this.#note(error, query, parameters)
  }

  logQuerySlow(time: number, query: string, parameters?: unknown): void {
    this.#note(time, query, parameters)
  }

  logSchemaBuild(message: string): void {
    this.#note(message)
  }

  logMigration(message: string): void {
    this.#note(message)
  }

  log(level: string, message: unknown): void {
    this.#note(level, message)
  }

  takeSql(): string[] {
    return this.#statements.splice(0).filter((statement) => !BRACKETS.test(statement))
  }

  text(): string {
    return this.#lines.join('\n')
  }

  #note(...parts: unknown[]): void {
    this.#lines.push(JSON.stringify(parts), inspect(parts, { depth: null, showHidden: true }))
  }
}
