import pg from 'pg'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../scripts/lib/embeddedPostgres.js'
import { applySchema } from '../../scripts/lib/schemaEngine.js'
import { type ClientOptions, encryptedClient, plainClient } from '../support/clinic.js'
import { openKms } from './kms.js'
import { startVendors } from './vendors.js'

/**
 * A clinic with a PostgreSQL of its own, which can be restarted without harm to others.
 *
 * @param names of the KMSs; any one of several is enough
 */
export async function openChaosWorld(names: readonly string[] = ['tencent']) {
  const vendors = await startVendors(names)
  const setups = vendors.map(({ setup }) => setup)
  const server = await startDurable()
  const clients: { $disconnect(): Promise<void> }[] = []
  const open = (pool?: number) => {
    const client = plainClient(server.url, pool)
    clients.push(client)
    return client
  }
  await applySchema(server.url, 'prisma/schema.prisma')
  return {
    url: server.url,
    restart: server.restart,
    vendors,
    kms: setups,
    /** Sees the tables as they are. */
    plain: open(),
    /** Encrypts, as another process would. */
    another: ({ pool, ...options }: ClientOptions = {}) =>
      encryptedClient(open(pool), { kms: openKms(setups), ...options }),
    async close() {
      await Promise.all(clients.map((client) => client.$disconnect()))
      await Promise.all(vendors.map((vendor) => vendor.close()))
      await server.stop()
    },
  }
}

export type ChaosWorld = Awaited<ReturnType<typeof openChaosWorld>>

/** What it acknowledges survives a crash of the server. */
async function startDurable(): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres()
  const client = new pg.Client({ connectionString: server.url })
  await client.connect()
  await client.query('ALTER DATABASE postgres SET synchronous_commit = on')
  await client.end()
  return server
}
