import { randomUUID } from 'node:crypto'
import { PrismaPg } from '@prisma/adapter-pg'
import {
  ColumnTypeEnum,
  type SqlDriverAdapter,
  type SqlMigrationAwareDriverAdapterFactory,
  type SqlQuery,
} from '@prisma/driver-adapter-utils'
import pg from 'pg'
import { parseIntoClientConfig } from 'pg-connection-string'

const NAME = { provider: 'postgres', adapterName: 'schema-engine' } as const

/** Connects the schema engine to a PostgreSQL. */
export function postgres(url: string): SqlMigrationAwareDriverAdapterFactory {
  const schema = new URL(url).searchParams.get('schema')
  // Not { connectionString }: the URL's database would win over the shadow database's name.
  const config = parseIntoClientConfig(url)
  const connect = async (database = config.database) => {
    const adapter = await new PrismaPg({ ...config, database }, schema ? { schema } : undefined).connect()
    return readingChars(adapter)
  }
  return { ...NAME, connect: () => connect(), connectToShadowDb: () => connectToShadow(connect) }
}

/** Stands for a database where a command compares schema files only. */
export function noDatabase(): SqlMigrationAwareDriverAdapterFactory {
  const refuse = () => Promise.reject(new Error('this command was to work without a database'))
  const version = {
    columnNames: ['exists', 'version', 'numeric_version'],
    columnTypes: [ColumnTypeEnum.Boolean, ColumnTypeEnum.Text, ColumnTypeEnum.Int32],
    rows: [[true, 'PostgreSQL 17.0', 170000]],
  }
  const adapter: SqlDriverAdapter = {
    ...NAME,
    queryRaw: () => Promise.resolve(version),
    executeRaw: () => Promise.resolve(0),
    executeScript: () => Promise.resolve(),
    getConnectionInfo: () => ({ schemaName: 'public', supportsRelationJoins: true }),
    startTransaction: refuse,
    dispose: () => Promise.resolve(),
  }
  return { ...NAME, connect: () => Promise.resolve(adapter), connectToShadowDb: refuse }
}

/** adapter-pg's own drops the shadow database before it has closed its connections to it; this one closes first. */
async function connectToShadow(connect: (database?: string) => Promise<SqlDriverAdapter>): Promise<SqlDriverAdapter> {
  const database = `prisma_migrate_shadow_db_${randomUUID()}`
  const admin = await connect()
  await admin.executeScript(`CREATE DATABASE "${database}"`)
  const shadow = await connect(database)
  const end = shadow.dispose.bind(shadow)
  const dispose = async () => {
    await end()
    await admin.executeScript(`DROP DATABASE "${database}"`)
    await admin.dispose()
  }
  return Object.assign(shadow, { dispose })
}

/**
 * The engine asks the catalog for "char" columns, a type that adapter-pg refuses. It is passed through adapter-pg as a
 * time of day, of which the catalog has none, and given its own name behind it.
 */
function readingChars(adapter: Awaited<ReturnType<PrismaPg['connect']>>): SqlDriverAdapter {
  const pool = adapter.underlyingDriver()
  const send = pool.query.bind(pool) as (query: pg.QueryArrayConfig) => Promise<pg.QueryArrayResult>
  const { CHAR, TIME } = pg.types.builtins
  const query = async (config: pg.QueryArrayConfig) => {
    const result = await send(config)
    for (const field of result.fields) if (field.dataTypeID === CHAR) field.dataTypeID = TIME
    return result
  }
  Object.assign(pool, { query })
  const queryRaw = adapter.queryRaw.bind(adapter)
  const readChars = async (sql: SqlQuery) => {
    const { columnTypes, ...rest } = await queryRaw(sql)
    const { Time, Character } = ColumnTypeEnum
    return { ...rest, columnTypes: columnTypes.map((type) => (type === Time ? Character : type)) }
  }
  return Object.assign(adapter, { queryRaw: readChars })
}
