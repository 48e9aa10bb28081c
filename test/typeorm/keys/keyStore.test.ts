import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { DataSource } from 'typeorm'
import type { EncryptionSchema } from '../../../src/schema/encryptionSchema.js'
import { EncryptionKeyColumns } from '../../../src/typeorm/keys/encryptionKeyColumns.js'
import { type TypeormKeyStore, typeormKeyStore } from '../../../src/typeorm/keys/keyStore.js'
import { poolOf } from '../../../src/typeorm/keys/pool.js'
import { EncryptionKeys } from '../../../src/typeorm/schema/decorators.js'
import { encryptionSchemaOf } from '../../../src/typeorm/schema/encryptionSchemaOf.js'
import { newKey } from '../../keys/newKey.js'
import { createDatabase, type TestDatabase } from '../../support/database.js'
import { refusal } from '../../support/refusal.js'
import { runSql } from '../../support/sql.js'
import { createKeysTable } from '../keysTable.js'

@EncryptionKeys()
class EncryptionKey extends EncryptionKeyColumns {}

let database: TestDatabase
let dataSource: DataSource
let schema: EncryptionSchema
let store: TypeormKeyStore
beforeAll(async () => {
  database = await createKeysTable()
  dataSource = await open()
  schema = encryptionSchemaOf(dataSource)
  store = typeormKeyStore(dataSource, schema)
})
afterAll(async () => {
  await dataSource.destroy()
  await database.drop()
})
beforeEach(() => sql('DELETE FROM encryption_keys'))

const sql = (text: string) => runSql(database.url, text)
const open = (options: object = {}) =>
  new DataSource({ type: 'postgres', url: database.url, entities: [EncryptionKey], ...options }).initialize()

describe('a table made for Prisma', () => {
  it('is the one that the entity describes, but for the spelling of a default', async () => {
    const { upQueries } = await dataSource.driver.createSchemaBuilder().log()
    const changes = upQueries.map(({ query }) => query).filter((query) => query.includes('encryption_keys'))
    // PostgreSQL keeps what Prisma writes as CURRENT_TIMESTAMP, which TypeORM never reads as the same.
    expect(changes).toEqual(['ALTER TABLE "encryption_keys" ALTER COLUMN "createdAt" SET DEFAULT now()'])
  })

  it('is made as well by TypeORM', async () => {
    const other = await createDatabase()
    const made = new DataSource({
      type: 'postgres',
      url: other.url,
      entities: [EncryptionKey],
      synchronize: true,
      dropSchema: true,
    })
    await made.initialize()
    const columns = `SELECT column_name, data_type, is_nullable, datetime_precision FROM information_schema.columns
      WHERE table_name = 'encryption_keys' ORDER BY column_name`
    const indexes = `SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'encryption_keys' ORDER BY 1`
    for (const text of [columns, indexes]) expect(await runSql(other.url, text)).toEqual(await sql(text))
    await made.destroy()
    await other.drop()
  })
})

describe('what is stored', () => {
  it('is in UTC, whatever time zones the process and the session have, and read so', async () => {
    const elsewhere = await open({ extra: { options: '-c TimeZone=Asia/Shanghai -c DateStyle=German' } })
    const first = newKey()
    const before = Date.now()
    await typeormKeyStore(elsewhere, schema).insert(first)
    const [row] = await sql(`SELECT extract(epoch FROM "createdAt") * 1000 AS at FROM encryption_keys`)
    expect(Number(row!.at)).toBeGreaterThanOrEqual(before)
    expect(Number(row!.at)).toBeLessThanOrEqual(Date.now())
    const there = await typeormKeyStore(elsewhere, schema).findNewest('acme', 'encrypt')
    expect(await store.findNewest('acme', 'encrypt')).toEqual(there)
    expect(there).toEqual({ ...first, createdAt: new Date(Number(row!.at)), destroyedAt: null })
    await elsewhere.destroy()
  })

  it('is read alike by an application that parses types in its own way', async () => {
    const { types } = await import('pg').then(({ default: pg }) => pg)
    const before = types.getTypeParser(23)
    types.setTypeParser(23, () => 'mine')
    await store.insert(newKey())
    expect(await store.findNewest('acme', 'encrypt')).toMatchObject({ version: 1, messages: 0 })
    types.setTypeParser(23, before)
  })
})

describe('a transaction of the application', () => {
  it('does not hold keys: a rollback keeps them', async () => {
    const runner = dataSource.createQueryRunner()
    await runner.startTransaction()
    await store.insert(newKey())
    await runner.rollbackTransaction()
    await runner.release()
    expect(await store.count({})).toBe(1)
  })
})

describe('transactions of its own', () => {
  it('are begun again when the database ends them for the sake of others', async () => {
    await store.insert(newKey())
    const pool = poolOf(dataSource) as unknown as { connect(): Promise<Connection> }
    const connect = pool.connect.bind(pool)
    let ended = 0
    pool.connect = async () => {
      const connection = await connect()
      const query = connection.query
      if (ended < 2) {
        connection.query = async () => {
          connection.query = query
          ended += 1
          throw Object.assign(new Error('deadlock detected'), { code: ended === 1 ? '40P01' : '40001' })
        }
      }
      return connection
    }
    expect(await store.insert(newKey({ version: 2 }))).toBe(true)
    pool.connect = connect
    expect([ended, await store.count({ states: ['active'] })]).toEqual([2, 1])
  })

  it('leave the pool all its connections, also those that fail', async () => {
    await store.insert(newKey())
    const taken = newKey({ version: 3, id: 'no uuid' })
    for (let i = 0; i < 20; i += 1) await refusal(() => store.insert(taken, { reopens: true }))
    expect(await store.count({})).toBe(1)
  })
})

interface Connection {
  query(...args: unknown[]): Promise<unknown>
}

describe('a keys table that cannot be used', () => {
  const refused = (work: () => unknown) => refusal(() => Promise.resolve(work()) as Promise<unknown>)

  it('is told with what to do', async () => {
    await sql('ALTER TABLE encryption_keys RENAME COLUMN "kekId" TO "other"')
    expect(await refused(() => store.count({}).then(() => store.findByIds([randomUUID()])))).toMatchObject({
      code: 'KEY_STORE_UNAVAILABLE',
      message:
        'the keys table (EncryptionKey) could not be used; it lacks a column of the entity: apply your migrations',
    })
    await sql('ALTER TABLE encryption_keys RENAME COLUMN "other" TO "kekId"')
    await sql('ALTER TABLE encryption_keys RENAME TO elsewhere')
    expect((await refused(() => store.count({}))).message).toContain('the table does not exist: apply your migrations')
    await sql('ALTER TABLE elsewhere RENAME TO encryption_keys')
  })

  it('is told when the data source is not connected', async () => {
    const closed = new DataSource({ type: 'postgres', url: database.url, entities: [EncryptionKey] })
    const error = await refused(() => typeormKeyStore(closed, schema).count({}))
    expect(error.message).toContain('the data source is not initialized')
  })

  it('is told when the database is gone, and when no connection comes free', async () => {
    const gone = await open()
    const waiting = await open({ poolSize: 1, connectTimeoutMS: 200 })
    await sql(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    )
    expect(
      await refused(() =>
        typeormKeyStore(gone, schema)
          .list({}, { limit: 1 })
          .then(() => typeormKeyStore(gone, { ...schema, models: {} }).count({})),
      ),
    ).toMatchObject({ code: 'KEY_STORE_UNAVAILABLE' })
    const held = await Promise.all([1, 2].map(() => poolOf(waiting)!.connect()))
    const scarce = typeormKeyStore(waiting, schema)
    expect(scarce.isWaiting()).toBe(false)
    const count = refused(() => scarce.count({}))
    expect(scarce.isWaiting()).toBe(true)
    expect((await count).message).toContain('no connection came free in time')
    expect(scarce.isWaiting()).toBe(false)
    for (const connection of held) connection.release()
    await Promise.all([gone.destroy(), waiting.destroy()])
  })
})
