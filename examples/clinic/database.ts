import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { startEmbeddedPostgres } from '../../scripts/lib/embeddedPostgres.js'
import { cleanUpLater } from '../../scripts/lib/janitor.js'
import { applySchema } from '../../scripts/lib/schemaEngine.js'
import { UsageError } from './options.js'

const SCHEMA = fileURLToPath(new URL('../../prisma/schema.prisma', import.meta.url))

/** A database with the clinic's tables, for this run alone. */
export interface DemoDatabase {
  readonly url: string
  /** For people: which PostgreSQL, which database. */
  readonly description: string
  /** What became of it, after `close`. */
  readonly farewell: string
  close(): Promise<void>
}

/** Creates the tables in an embedded PostgreSQL, or in a fresh database on the PostgreSQL of `url`. */
export async function openDatabase(url: string | undefined, keep: boolean): Promise<DemoDatabase> {
  const database = url === undefined ? await embedded() : await onServer(url, keep)
  try {
    await applySchema(database.url, SCHEMA)
    return database
  } catch (error) {
    await database.close()
    throw error
  }
}

async function embedded(): Promise<DemoDatabase> {
  const { url, description, stop } = await startEmbeddedPostgres()
  return { url, description: `${description}, ${new URL(url).host}`, farewell: 'PostgreSQL stopped', close: stop }
}

async function onServer(server: string, keep: boolean): Promise<DemoDatabase> {
  const name = `fieldseal_demo_${randomBytes(6).toString('hex')}`
  // It drops the database also when this process is killed.
  const janitor = keep ? undefined : cleanUpLater({ kind: 'databases', url: server, prefix: name })
  const version = await createDatabase(server, name).catch(async (error: unknown) => {
    await janitor?.stop().catch(() => undefined)
    throw error
  })
  const url = new URL(server)
  url.pathname = `/${name}`
  return {
    url: url.href,
    description: `PostgreSQL ${version}, ${url.host}, database ${name}`,
    farewell: keep ? `database ${name} kept` : `database ${name} dropped`,
    close: async () => janitor?.stop(),
  }
}

async function createDatabase(server: string, name: string): Promise<string> {
  const client = new pg.Client({ connectionString: server, connectionTimeoutMillis: 10_000 })
  try {
    await client.connect()
    await client.query(`CREATE DATABASE ${name}`)
    const { rows } = await client.query<{ server_version: string }>('SHOW server_version')
    return rows[0]!.server_version.split(' ', 1)[0]!
  } catch (error) {
    throw unusable(server, error)
  } finally {
    await client.end()
  }
}

/** Names the server without the password that its URL may hold. */
function unusable(server: string, error: unknown): UsageError {
  const { code, message } = error as { code?: string; message?: string }
  const why = code === '42501' ? 'its user may not create databases: GRANT it CREATEDB' : message || code
  return new UsageError(`the PostgreSQL at ${new URL(server).host} cannot be used: ${why}`)
}
