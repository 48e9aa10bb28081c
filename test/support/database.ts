import { createHash, randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { applySchema, readSchema } from '../../scripts/lib/schemaEngine.js'

const OWN_SCHEMA = fileURLToPath(new URL('../../prisma/schema.prisma', import.meta.url))

/** A fresh database with the tables of a Prisma schema. */
export interface TestDatabase {
  readonly url: string
  drop(): Promise<void>
}

/**
 * Creates a database of its own for a test file, on the run's PostgreSQL.
 *
 * @param options.schema a Prisma schema file or a folder of them; by default the repository's
 * @param options.server the address of another PostgreSQL than the run's
 *
 * @example
 * ```ts
 * let database: TestDatabase
 * beforeAll(async () => { database = await createDatabase() })
 * afterAll(() => database.drop())
 * ```
 */
export async function createDatabase(options: { schema?: string; server?: string } = {}): Promise<TestDatabase> {
  const prefix = given('FIELDSEAL_TEST_PREFIX')
  const server = options.server ?? (await serverUrl())
  const name = `${prefix}${randomBytes(6).toString('hex')}`
  await administer(server, async (client) => {
    const template = await prepareTemplate({ client, server, prefix, schema: options.schema ?? OWN_SCHEMA })
    await client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`)
  })
  const drop = () => administer(server, (client) => dropDatabase(client, name))
  return { url: withDatabase(server, name), drop }
}

/** What the set-up of the run says in the environment. */
function given(name: string): string {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is not set: only a run of the tests has a database for them`)
  return value
}

async function serverUrl(): Promise<string> {
  const response = await fetch(given('FIELDSEAL_TEST_CONCIERGE'))
  const text = await response.text()
  if (!response.ok) throw new Error(`no test database: ${text}`)
  return text
}

/** A database per schema that the others are copied from. Only complete ones bear the template's name. */
async function prepareTemplate(options: {
  client: pg.Client
  server: string
  prefix: string
  schema: string
}): Promise<string> {
  const { client, server, prefix, schema } = options
  const digest = createHash('sha256').update(JSON.stringify(await readSchema(schema)))
  const template = `${prefix}template_${digest.digest('hex').slice(0, 12)}`
  // Test files in other processes want the same one.
  await client.query('SELECT pg_advisory_lock(hashtext($1))', [template])
  const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [template])
  if (rowCount === 0) {
    await client.query(`DROP DATABASE IF EXISTS ${template}_draft`)
    await client.query(`CREATE DATABASE ${template}_draft`)
    await applySchema(withDatabase(server, `${template}_draft`), schema)
    await client.query(`ALTER DATABASE ${template}_draft RENAME TO ${template}`)
  }
  await client.query('SELECT pg_advisory_unlock(hashtext($1))', [template])
  return template
}

async function dropDatabase(client: pg.Client, name: string): Promise<void> {
  await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
}

/** Closing the connection also frees a lock that a failure left. */
async function administer<T>(server: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

function withDatabase(server: string, name: string): string {
  const url = new URL(server)
  url.pathname = `/${name}`
  return url.href
}
