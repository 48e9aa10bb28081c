import { startKmsEmulator } from 'fieldseal/testing'
import pg from 'pg'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../scripts/lib/embeddedPostgres.js'
import { applySchema } from '../../scripts/lib/schemaEngine.js'
import { type ClientOptions, emulatedKms, encryptedClient, plainClient } from '../support/clinic.js'

/** A clinic with a PostgreSQL of its own, which can be restarted without harm to others. */
export async function openChaosWorld() {
  const server = await startDurable()
  const emulator = await startKmsEmulator()
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
    emulator,
    /** Sees the tables as they are. */
    plain: open(),
    /** Encrypts, as another process would. */
    another: ({ pool, ...options }: ClientOptions = {}) =>
      encryptedClient(open(pool), { kms: emulatedKms(emulator), ...options }),
    async close() {
      await Promise.all(clients.map((client) => client.$disconnect()))
      await emulator.close()
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
