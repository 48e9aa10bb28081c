import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestProject } from 'vitest/node'
import type { PostgresServer } from '../../scripts/lib/embeddedPostgres.js'
import { startDatabaseServer } from './databaseServer.js'

declare module 'vitest' {
  interface ProvidedContext {
    /** Where test processes ask for the PostgreSQL of this run, and how the names of its databases start. */
    testDatabases: { readonly concierge: string; readonly prefix: string }
  }
}

/** One PostgreSQL per run, started when the first test asks for it: runs that need none wait for none. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const prefix = `fieldseal_test_${randomBytes(4).toString('hex')}_`
  let server: Promise<PostgresServer> | undefined
  const start = async () => {
    const started = await startDatabaseServer({ prefix })
    process.stdout.write(`test database: ${started.description}\n`)
    return started
  }
  const concierge = createServer((_, response) => {
    server ??= start()
    server.then(
      ({ url }) => response.end(url),
      (error) => response.writeHead(500).end(String(error instanceof Error ? error.message : error)),
    )
  }).listen(0, '127.0.0.1')
  await once(concierge, 'listening')
  const { port } = concierge.address() as AddressInfo
  project.provide('testDatabases', { concierge: `http://127.0.0.1:${port}`, prefix })
  return async () => {
    concierge.close()
    await (await server?.catch(() => undefined))?.stop()
  }
}
