import pg from 'pg'
import type { PgConnection, PgQuery } from '../maintenance/postgres/sql.js'
import type { PgPool } from '../maintenance/postgres/workLocks.js'
import { isPooled } from '../pooler.js'

/** How long a statement on rows waits for the lock of a table, in milliseconds. */
const LOCK_TIMEOUT = 500

/** Where a command finds the database: a connection string, or settings as the package `pg` has them. */
export type Connection = string | pg.PoolConfig

/** A pool of our own, behind which there may be a pooler. */
export interface OwnPool extends PgPool {
  end(): Promise<void>
}

/** Whoever wants to lock a whole table must not find a command before him in the queue. */
export function openPool(connection: Connection): OwnPool {
  /** Those behind a pooler: what one sets there others would have for good. */
  const pooled = new WeakSet<object>()
  const onConnect = async (client: pg.ClientBase) => {
    if (await isPooled(client)) pooled.add(client)
    else await client.query(`SET lock_timeout = ${LOCK_TIMEOUT}`)
  }
  const pool = withoutEvents(
    new pg.Pool({ ...settingsOf(connection), ...{ max: 8, application_name: 'fieldseal' }, onConnect }),
  )
  return {
    query: async (query) => {
      const client = await pool.connect()
      let failed: Error | undefined
      try {
        return await (pooled.has(client) ? inTransaction(client, query) : client.query(query))
      } catch (error) {
        failed = error as Error
        throw error
      } finally {
        client.release(failed)
      }
    },
    connect: () => pool.connect(),
    end: () => pool.end(),
  }
}

/** A setting of one transaction; several statements in one text are one by themselves. */
async function inTransaction(client: pg.PoolClient, query: PgQuery): ReturnType<PgPool['query']> {
  const set = `SET LOCAL lock_timeout = ${LOCK_TIMEOUT}`
  if (query.values.length === 0) {
    const results = await client.query({ ...query, text: `${set};${query.text}` })
    return [results].flat().at(-1)!
  }
  await client.query(`BEGIN;${set}`)
  try {
    const result = await client.query(query)
    await client.query('COMMIT')
    return result
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {})
    throw error
  }
}

export function openQueuePool(connection: Connection): pg.Pool {
  const settings = typeof connection === 'string' ? { connectionString: connection } : connection
  return asQueuePool(new pg.Pool({ ...settings, max: 4, application_name: 'fieldseal' }))
}

/** Broken connections are replaced when they are needed. */
export function asQueuePool(pool: PgConnection): pg.Pool {
  return withoutEvents(pool as pg.Pool)
}

/** Whoever uses a connection sees that it is lost; as an event that nobody takes, it would end the process. */
function withoutEvents(pool: pg.Pool): pg.Pool {
  return pool.on('error', () => {}).on('connect', (client) => void client.on('error', () => {}))
}

/** Of a connection string it takes the schema, as Prisma does. */
function settingsOf(connection: Connection): pg.PoolConfig {
  if (typeof connection !== 'string') return connection
  const schema = schemaOf(connection)
  const options = schema === null ? {} : { options: `-c search_path=${schema.replace(/[^\w]/g, '\\$&')}` }
  return { connectionString: connection, ...options }
}

function schemaOf(connectionString: string): string | null {
  return URL.canParse(connectionString) ? new URL(connectionString).searchParams.get('schema') : null
}
