// @ts-check
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { tsImport } from 'tsx/esm/api'

/** @typedef {import('../../scripts/lib/embeddedPostgres.js').PostgresServer} PostgresServer */
/** @typedef {typeof import('./databaseServer.js')} DatabaseServer */

/** @type {() => Promise<void>} */
let stop = async () => {}

/**
 * One PostgreSQL per run, started when the first test asks for it: runs that need none wait for none. Test processes
 * read in their environment where to ask for it, and how the names of its databases start.
 */
export default async function setup() {
  const prefix = `fieldseal_test_${randomBytes(4).toString('hex')}_`
  /** @type {Promise<PostgresServer> | undefined} */
  let server
  const concierge = createServer((_, response) => {
    server ??= start(prefix)
    server.then(
      ({ url }) => response.end(url),
      (error) => response.writeHead(500).end(String(error instanceof Error ? error.message : error)),
    )
  }).listen(0, '127.0.0.1')
  await once(concierge, 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (concierge.address())
  process.env.FIELDSEAL_TEST_CONCIERGE = `http://127.0.0.1:${port}`
  process.env.FIELDSEAL_TEST_PREFIX = prefix
  stop = async () => {
    concierge.close()
    concierge.closeAllConnections()
    const started = await server?.catch(() => undefined)
    for (const line of (await started?.cuts?.()) ?? [])
      process.stdout.write(`test database: connections were cut: ${line}\n`)
    await started?.stop()
  }
}

export function teardown() {
  return stop()
}

/** @param {string} prefix */
async function start(prefix) {
  /** @type {DatabaseServer} */
  const { startDatabaseServer } = await tsImport('./databaseServer.ts', import.meta.url)
  const started = await startDatabaseServer({ prefix })
  process.stdout.write(`test database: ${started.description}\n`)
  return started
}
