import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { types } from 'node:util'
import type pg from 'pg'
import type { AuditLog } from '../auditLog/auditLog.js'
import { FieldsealError } from '../errors.js'
import type { TenantPaths } from '../maintenance/maintenanceModels.js'
import type { PgConnection } from '../maintenance/postgres/sql.js'
import type { EncryptedClient, FieldsealConfig } from './config.js'
import { importConfig } from './importConfig.js'
import { unreadEnv } from './init/dotenv.js'
import { openClient } from './openClient.js'
import { asQueuePool, type Connection, openPool, openQueuePool } from './pools.js'

export const CONFIG_NAMES = ['ts', 'mts', 'cts', 'js', 'mjs', 'cjs'].map((ending) => `fieldseal.config.${ending}`)

/** What a command works with. */
export interface CommandContext {
  readonly client: EncryptedClient
  readonly database: PgConnection
  readonly tenants: TenantPaths
  readonly auditLog?: AuditLog | undefined
  /** Connections for the queue of workers. */
  queue(): pg.Pool
  close(): Promise<void>
}

type GivenPool = Exclude<NonNullable<FieldsealConfig['database']>, string>

/**
 * Opens what the configuration names.
 *
 * @param file the configuration; looked for in the working folder unless given
 * @throws FieldsealError `OPTIONS_INVALID` for a configuration that is missing or cannot work
 */
export async function openCommandContext(file: string | undefined, env: NodeJS.ProcessEnv): Promise<CommandContext> {
  const config = await readConfig(findConfig(file))
  const { database, tenants = {}, auditLog } = config
  const { client, connection: own } = await openClient(config)
  // A data source says itself which database it is of.
  const connection = database ?? own ?? (env.DATABASE_URL || undefined)
  if (connection === undefined || connection === '') {
    await client.$disconnect()
    throw invalidConfig(
      `no database is named: set DATABASE_URL, or "database" in the configuration${unreadEnv(process.cwd(), env)}`,
    )
  }
  const isOpen = isPool(connection)
  const pool = isOpen ? connection : openPool(connection)
  let queue: pg.Pool | undefined
  return {
    client,
    database: pool,
    tenants,
    auditLog,
    queue: () => {
      queue ??= isOpen ? asQueuePool(connection) : openQueuePool(connection)
      return queue
    },
    close: async () => {
      const opened = isOpen ? [] : [pool.end(), queue?.end()]
      await Promise.allSettled([client.$disconnect(), ...opened])
    },
  }
}

function isPool(connection: NonNullable<FieldsealConfig['database']> | Connection): connection is GivenPool {
  return typeof connection === 'object' && 'query' in connection
}

function findConfig(file: string | undefined): string {
  const candidates = file === undefined ? CONFIG_NAMES.map((name) => join(process.cwd(), name)) : [resolve(file)]
  const found = candidates.find((path) => existsSync(path))
  if (found) return found
  const what = file === undefined ? 'there is no fieldseal.config.ts here' : `there is no ${file}`
  throw invalidConfig(`${what}: \`fieldseal init\` writes one; or name it with --config`)
}

async function readConfig(path: string): Promise<FieldsealConfig> {
  const loaded = await importConfig(path).catch((cause: unknown) => {
    if (FieldsealError.is(cause)) throw cause
    const why = types.isNativeError(cause) ? cause.message : String(cause)
    throw new FieldsealError('OPTIONS_INVALID', `${path} could not be loaded: ${why}`, { cause })
  })
  if (typeof loaded !== 'object' || loaded === null || !('client' in loaded || 'dataSource' in loaded)) {
    throw invalidConfig(
      `${path} must have a default export with a "client": export default defineConfig({ client: prisma }); of TypeORM, with a "dataSource"`,
    )
  }
  if (loaded.client !== undefined && loaded.dataSource !== undefined) {
    throw invalidConfig(`${path} has a "client" and a "dataSource": each has a configuration of its own, see --config`)
  }
  return loaded
}

function invalidConfig(message: string): FieldsealError {
  return new FieldsealError('OPTIONS_INVALID', message)
}
