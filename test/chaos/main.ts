import { parseArgs } from 'node:util'
import { PrismaPg } from '@prisma/adapter-pg'
import { fieldEncryption } from 'fieldseal/prisma'
import { startKmsEmulator } from 'fieldseal/testing'
import pg from 'pg'
import { encryptionSchema } from '../../generated/encryption/index.js'
import { PrismaClient } from '../../generated/prisma/client.js'
import { startEmbeddedPostgres } from '../../scripts/lib/embeddedPostgres.js'
import { applySchema } from '../../scripts/lib/schemaEngine.js'
import { type ClientOptions, emulatedKms, plainClient } from '../support/clinic.js'
import { chaos } from './chaos.js'

/* The long form: `npm run test:chaos -- --seconds 300 --processes 4`. */

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '180' }, processes: { type: 'string', default: '4' } },
})
const server = process.env.TEST_DATABASE_URL ? undefined : await startEmbeddedPostgres()
const url = new URL(process.env.TEST_DATABASE_URL ?? server!.url)
const administer = async (sql: string) => {
  const client = new pg.Client({ connectionString: process.env.TEST_DATABASE_URL ?? server!.url })
  await client.connect()
  await client.query(sql)
  await client.end()
}
const name = `fieldseal_chaos_${process.pid}`
await administer(`CREATE DATABASE ${name}`)
url.pathname = `/${name}`
const emulator = await startKmsEmulator()
const clients: { $disconnect(): Promise<void> }[] = []
try {
  await applySchema(url.href, 'prisma/schema.prisma')
  const plain = plainClient(url.href)
  clients.push(plain)
  const another = ({ pool = 5, ...options }: ClientOptions = {}) => {
    const base = new PrismaClient({
      adapter: new PrismaPg({ connectionString: url.href, max: pool }),
      log: [{ emit: 'event', level: 'query' }],
    })
    clients.push(base)
    return base.$extends(fieldEncryption({ schema: encryptionSchema, kms: emulatedKms(emulator), ...options }))
  }
  const database = { url: url.href, drop: async () => undefined }
  const [seconds, processes] = [Number(values.seconds), Number(values.processes)]
  const figures = await chaos({ clinic: { database, plain, another, emulator }, seconds, processes })
  console.log(figures)
  const { lost, wrong, plaintext, notOneActive, limitsPassed } = figures
  if (lost + wrong.length + plaintext + notOneActive + limitsPassed > 0) process.exitCode = 1
} finally {
  await Promise.all(clients.map((client) => client.$disconnect()))
  await emulator.close()
  await administer(`DROP DATABASE ${name} WITH (FORCE)`)
  await server?.stop()
}
