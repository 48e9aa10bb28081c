import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { types } from 'node:util'
import { createJiti } from 'jiti'
import pg from 'pg'
import { FieldsealError } from '../errors.js'
import type { TenantPaths } from '../maintenance/maintenanceModels.js'
import type { PgConnection } from '../maintenance/postgres/sql.js'
import type { EncryptedClient, FieldsealConfig } from './config.js'

export const CONFIG_NAMES = ['ts', 'mts', 'cts', 'js', 'mjs', 'cjs'].map((ending) => `fieldseal.config.${ending}`)

/** How long a statement on rows waits for the lock of a table, in milliseconds. */
const LOCK_TIMEOUT = 500

/** What a command works with. */
export interface CommandContext {
  readonly client: EncryptedClient
  readonly database: PgConnection
  readonly tenants: TenantPaths
  /** Connections for the queue of workers. */
  queue(): pg.Pool
  close(): Promise<void>
}

/**
 * Opens what the configuration names.
 *
 * @param file the configuration; looked for in the working folder unless given
 * @throws FieldsealError `OPTIONS_INVALID` for a configuration that is missing or cannot work
 */
export async function openCommandContext(file: string | undefined, env: NodeJS.ProcessEnv): Promise<CommandContext> {
  const { client: given, database, tenants = {} } = await readConfig(findConfig(file))
  const client = await (typeof given === 'function' ? given() : given)
  if (typeof client?.$encryption?.maintain !== 'function') {
    throw invalidConfig(
      '"client" must be the client that $extends(fieldEncryption(…)) returned, or a function that makes it',
    )
  }
  const connection = database ?? env.DATABASE_URL
  if (connection === undefined || connection === '') {
    await client.$disconnect()
    throw invalidConfig('no database is named: set DATABASE_URL, or "database" in the configuration')
  }
  const pool = typeof connection === 'string' ? openPool(connection) : connection
  let queue: pg.Pool | undefined
  return {
    client,
    database: pool,
    tenants,
    queue: () => {
      queue ??= typeof connection === 'string' ? openQueuePool(connection) : asQueuePool(connection)
      return queue
    },
    close: async () => {
      const own = typeof connection === 'string' ? [pool.end(), queue?.end()] : []
      await Promise.allSettled([client.$disconnect(), ...own])
    },
  }
}

function findConfig(file: string | undefined): string {
  const candidates = file === undefined ? CONFIG_NAMES.map((name) => join(process.cwd(), name)) : [resolve(file)]
  const found = candidates.find((path) => existsSync(path))
  if (found) return found
  const what = file === undefined ? 'there is no fieldseal.config.ts here' : `there is no ${file}`
  throw invalidConfig(`${what}: \`fieldseal init\` writes one; or name it with --config`)
}

async function readConfig(path: string): Promise<FieldsealConfig> {
  const loaded = await createJiti(import.meta.url, { tryNative: true })
    .import<FieldsealConfig | undefined>(path, { default: true })
    .catch((cause: unknown) => {
      if (FieldsealError.is(cause)) throw cause
      const why = types.isNativeError(cause) ? cause.message : String(cause)
      throw new FieldsealError('OPTIONS_INVALID', `${path} could not be loaded: ${why}`, { cause })
    })
  if (typeof loaded !== 'object' || loaded === null || !('client' in loaded)) {
    throw invalidConfig(
      `${path} must have a default export with a "client": export default defineConfig({ client: prisma })`,
    )
  }
  return loaded
}

/** As Prisma does, it takes the schema from the connection string. */
function openPool(connectionString: string): pg.Pool {
  const schema = schemaOf(connectionString)
  const options = schema === null ? {} : { options: `-c search_path=${schema.replace(/[^\w]/g, '\\$&')}` }
  const pool = new pg.Pool({
    ...{ connectionString, max: 8, application_name: 'fieldseal', ...options },
    // Whoever wants to lock a whole table must not find this command before him in the queue.
    onConnect: async (client) => void (await client.query(`SET lock_timeout = ${LOCK_TIMEOUT}`)),
  })
  // A connection that breaks while it is idle is replaced when it is needed.
  pool.on('error', () => {})
  return pool
}

function openQueuePool(connectionString: string): pg.Pool {
  return asQueuePool(new pg.Pool({ connectionString, max: 4, application_name: 'fieldseal' }))
}

/** Broken connections are replaced; graphile-worker wants to see that somebody listens. */
function asQueuePool(pool: PgConnection): pg.Pool {
  return (pool as pg.Pool).on('error', () => {}).on('connect', (client) => void client.on('error', () => {}))
}

function schemaOf(connectionString: string): string | null {
  return URL.canParse(connectionString) ? new URL(connectionString).searchParams.get('schema') : null
}

function invalidConfig(message: string): FieldsealError {
  return new FieldsealError('OPTIONS_INVALID', message)
}
