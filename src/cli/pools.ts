import pg from 'pg'
import type { PgConnection } from '../maintenance/postgres/sql.js'

/** How long a statement on rows waits for the lock of a table, in milliseconds. */
const LOCK_TIMEOUT = 500

/** Where a command finds the database: a connection string, or settings as the package `pg` has them. */
export type Connection = string | pg.PoolConfig

export function openPool(connection: Connection): pg.Pool {
  const pool = new pg.Pool({
    ...settingsOf(connection),
    ...{ max: 8, application_name: 'fieldseal' },
    // Whoever wants to lock a whole table must not find this command before him in the queue.
    onConnect: async (client) => void (await client.query(`SET lock_timeout = ${LOCK_TIMEOUT}`)),
  })
  // A connection that breaks while it is idle is replaced when it is needed.
  pool.on('error', () => {})
  return pool
}

export function openQueuePool(connection: Connection): pg.Pool {
  const settings = typeof connection === 'string' ? { connectionString: connection } : connection
  return asQueuePool(new pg.Pool({ ...settings, max: 4, application_name: 'fieldseal' }))
}

/** Broken connections are replaced; graphile-worker wants to see that somebody listens. */
export function asQueuePool(pool: PgConnection): pg.Pool {
  return (pool as pg.Pool).on('error', () => {}).on('connect', (client) => void client.on('error', () => {}))
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
