import pg from 'pg'
import { onTestFinished } from '../../support/onTestFinished.js'

/** Makes a copy of a database as it is now, until the test is over, and gives its address. Its connections are cut. */
export async function copyDatabase(url: string, suffix: string): Promise<string> {
  const name = `${nameOf(url)}_${suffix}`
  await administer(url, async (client) => {
    await cut(client, nameOf(url))
    await client.query(`CREATE DATABASE ${name} TEMPLATE ${nameOf(url)}`)
  })
  onTestFinished(() => administer(url, (client) => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)))
  return addressOf(url, name)
}

/** Has the two take each other's names, as when a recovered database takes the place of another. All connections are cut. */
export async function exchangeDatabases(one: string, other: string): Promise<void> {
  const [first, second, aside] = [nameOf(one), nameOf(other), `${nameOf(one)}_aside`]
  await administer(one, async (client) => {
    for (const name of [first, second]) await cut(client, name)
    await client.query(`ALTER DATABASE ${first} RENAME TO ${aside}`)
    await client.query(`ALTER DATABASE ${second} RENAME TO ${first}`)
    await client.query(`ALTER DATABASE ${aside} RENAME TO ${second}`)
  })
}

const nameOf = (url: string) => new URL(url).pathname.slice(1)

function addressOf(url: string, database: string): string {
  const address = new URL(url)
  address.pathname = `/${database}`
  return address.href
}

async function cut(client: pg.Client, database: string): Promise<void> {
  await client.query('SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = $1', [database])
}

async function administer(url: string, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: addressOf(url, 'postgres') })
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}
