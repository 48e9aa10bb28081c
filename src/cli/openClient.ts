import { types } from 'node:util'
import type pg from 'pg'
import { FieldsealError } from '../errors.js'
import { type Held, heldBy } from '../typeorm/binding/held.js'
import type { EncryptedClient, EncryptedDataSource, FieldsealConfig } from './config.js'
import { unreadEnv } from './init/dotenv.js'

/** What a command works with, whatever its ORM. */
export interface OpenClient {
  readonly client: EncryptedClient
  /** Where its ORM connects to, if it tells. */
  readonly connection: pg.PoolConfig | undefined
}

/** What initialising may do to a database: no command was asked for that. */
const NO_CHANGES = { synchronize: false, migrationsRun: false, dropSchema: false }

/**
 * Opens the client or data source of the configuration.
 *
 * @throws FieldsealError `OPTIONS_INVALID` for what does not encrypt
 */
export async function openClient({ client, dataSource }: FieldsealConfig): Promise<OpenClient> {
  if (dataSource !== undefined) return openDataSource(await made(dataSource))
  const given = await made(client)
  if (typeof given?.$encryption?.maintain === 'function') return { client: given, connection: undefined }
  throw invalidConfig(
    '"client" must be the client that $extends(fieldEncryption(…)) returned, or a function that makes it',
  )
}

async function openDataSource(dataSource: EncryptedDataSource): Promise<OpenClient> {
  const held = heldIn(dataSource)
  if (!dataSource.isInitialized) await initialize(dataSource)
  return { client: clientOf(held, dataSource), connection: connectionOf(dataSource) }
}

/** In the form that commands know. */
function clientOf(held: Held, dataSource: EncryptedDataSource): EncryptedClient {
  const client = {
    $encryption: held.operations(),
    undeclared: () => held.undeclared(),
    $acrossTenants: () => clientOf(heldBy(held.acrossTenants(undefined)), dataSource),
    $disconnect: async () => void (await dataSource.destroy()),
  }
  return client
}

async function initialize(dataSource: EncryptedDataSource): Promise<void> {
  dataSource.setOptions(NO_CHANGES)
  const loading = watchLoading(dataSource as EncryptedDataSource & Internals)
  try {
    await dataSource.initialize()
  } catch (cause) {
    if (FieldsealError.is(cause)) throw cause
    const why = types.isNativeError(cause) ? cause.message : String(cause)
    if (loading.failed) throw notLoaded(why, cause)
    const hint = unreadEnv(process.cwd(), process.env)
    throw new FieldsealError('DATABASE_UNAVAILABLE', `the data source could not be initialised: ${why}${hint}`, {
      cause,
    })
  } finally {
    loading.end()
  }
}

/** What TypeORM has for itself alone: it loads the entities, migrations and subscribers, once it has connected. */
interface Internals {
  buildMetadatas?(): Promise<void>
}

/** Tells what is wrong with what a data source names from what is wrong with its database. */
function watchLoading(dataSource: Internals) {
  const { buildMetadatas } = dataSource
  const loading = { failed: false, end: () => void Object.assign(dataSource, { buildMetadatas }) }
  const watched = async () => {
    try {
      await buildMetadatas?.call(dataSource)
    } catch (error) {
      loading.failed = true
      throw error
    }
  }
  Object.assign(dataSource, { buildMetadatas: watched })
  return loading
}

function notLoaded(why: string, cause: unknown): FieldsealError {
  const what = `the entities, migrations and subscribers of the data source could not be loaded: ${why}`
  return new FieldsealError('OPTIONS_INVALID', isOfTypeScript(why, cause) ? `${what}; ${COMPILE}` : what, { cause })
}

const COMPILE =
  "patterns that match files in TypeScript are for Node.js to load: run the command with NODE_OPTIONS='--import tsx', " +
  'or list the classes instead of the files'

/** Node.js loads some TypeScript or none; what it does not understand is mostly a decorator. */
function isOfTypeScript(why: string, cause: unknown): boolean {
  const { code, name, stack } = (cause ?? {}) as {
    readonly code?: unknown
    readonly name?: unknown
    readonly stack?: unknown
  }
  return /\.[cm]?ts\b/.test(`${why} ${stack}`) && (typeof code === 'string' || name === 'SyntaxError')
}

function heldIn(dataSource: EncryptedDataSource): Held {
  try {
    return heldBy(dataSource as unknown as Parameters<typeof heldBy>[0])
  } catch (cause) {
    const message =
      '"dataSource" must be the data source that fieldEncryption(new DataSource(…), { … }) returned, or a function that makes it'
    throw new FieldsealError('OPTIONS_INVALID', message, { cause })
  }
}

/** The settings of the data source's own pool; it hides the password of them, which has to be asked for. */
function connectionOf({ driver }: EncryptedDataSource): pg.PoolConfig | undefined {
  const { master } = driver as { readonly master?: { readonly options?: pg.PoolConfig } }
  const options = master?.options
  return options && { ...options, ...(options.password === undefined ? {} : { password: options.password }) }
}

function made<T>(given: T | (() => T | Promise<T>)): T | Promise<T> {
  return typeof given === 'function' ? (given as () => T | Promise<T>)() : given
}

function invalidConfig(message: string): FieldsealError {
  return new FieldsealError('OPTIONS_INVALID', message)
}
