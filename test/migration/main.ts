import { parseArgs } from 'node:util'
import { startKmsEmulator } from 'fieldseal/testing'
import pg from 'pg'
import { startEmbeddedPostgres } from '../../scripts/lib/embeddedPostgres.js'
import { applySchema } from '../../scripts/lib/schemaEngine.js'
import { migrate } from './migration.js'

/* The long form: `npm run test:migration -- --rows 1000000 --kills 20 --commands 1 --workers 0`. */

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    kills: { type: 'string', default: '20' },
    commands: { type: 'string', default: '1' },
    workers: { type: 'string', default: '0' },
  },
})
const server = process.env.TEST_DATABASE_URL ? undefined : await startEmbeddedPostgres()
const url = new URL(process.env.TEST_DATABASE_URL ?? server!.url)
const name = `fieldseal_migration_${process.pid}`
const administer = async (sql: string) => {
  const client = new pg.Client({ connectionString: process.env.TEST_DATABASE_URL ?? server!.url })
  await client.connect()
  await client.query(sql)
  await client.end()
}
await administer(`CREATE DATABASE ${name}`)
url.pathname = `/${name}`
const emulator = await startKmsEmulator()
try {
  await applySchema(url.href, 'prisma/schema.prisma')
  const [rows, kills] = [Number(values.rows), Number(values.kills)]
  const [commands, workers] = [Number(values.commands), Number(values.workers)]
  const say = (text: string) => console.log(text)
  const figures = await migrate({ url: url.href, emulator, rows, kills, commands, workers, say })
  console.log(figures)
  const { plaintext, lostUpdates, verifyExitCode, retiredCiphertexts } = figures
  if (plaintext + lostUpdates + retiredCiphertexts > 0 || verifyExitCode !== 0) process.exitCode = 1
} finally {
  await emulator.close()
  await administer(`DROP DATABASE ${name} WITH (FORCE)`)
  await server?.stop()
}
