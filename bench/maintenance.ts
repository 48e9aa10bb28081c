import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { cpus } from 'node:os'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { startKmsEmulator } from 'fieldseal/testing'
import pg from 'pg'
import { startEmbeddedPostgres } from '../scripts/lib/embeddedPostgres.js'
import { applySchema } from '../scripts/lib/schemaEngine.js'
import { openPrisma } from '../test/migration/fieldseal.config.js'
import { spreadOf } from './rounds.js'

/*
 * Rows per second of encrypt and re-encrypt (3 fields, 1 blind index), beside the same UPDATEs with constant values,
 * which is what the database can do. With BENCH_WORKERS=2 it measures `fieldseal encrypt --workers` instead, with one
 * worker and with so many. With BENCH_MEMORY=10000,1000000, the most memory that `fieldseal encrypt` takes for so many rows.
 */

const ROWS = Number(process.env.BENCH_ROWS ?? 50_000)
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3)
const BATCH = 2_000
const WORKERS = Number(process.env.BENCH_WORKERS ?? 0)
const MEMORY = process.env.BENCH_MEMORY?.split(',').map(Number)

const server = process.env.TEST_DATABASE_URL ? undefined : await startEmbeddedPostgres()
const admin = new URL(process.env.TEST_DATABASE_URL ?? server!.url)
const name = `fieldseal_bench_${process.pid}`
const administrator = new pg.Client({ connectionString: admin.href })
await administrator.connect()
await administrator.query(`CREATE DATABASE ${name}`)
const url = new URL(admin.href)
url.pathname = `/${name}`
const emulator = await startKmsEmulator()
const pool = new pg.Pool({ connectionString: url.href, max: 4 })
pool.on('error', () => {})
const environment = {
  DATABASE_URL: url.href,
  KMS_ENDPOINT: emulator.endpoint,
  KMS_KEY_ID: emulator.keyId,
  KMS_SECRET_ID: emulator.credential.secretId,
  KMS_SECRET_KEY: emulator.credential.secretKey,
}
const prisma = openPrisma(environment)

async function fill(rows: number): Promise<void> {
  await pool.query('TRUNCATE patients, clinics CASCADE')
  await pool.query(`INSERT INTO clinics (id, name) VALUES ('acme', 'a')`)
  await pool.query(
    `INSERT INTO patients (id, clinic_id, number, city, name, email, phone)
     SELECT gen_random_uuid(), 'acme', n, 'city', 'Name of patient ' || n, 'Patient.' || n || '@Example.com', '+86 20 ' || n
     FROM generate_series(1, $1::int) n`,
    [rows],
  )
  await pool.query('VACUUM ANALYZE patients')
}

/** As long as the ciphertexts and the index of the real thing. */
async function updateWithConstants(): Promise<void> {
  for (let after = '00000000-0000-0000-0000-000000000000'; ; ) {
    const { rows } = await pool.query('SELECT id FROM patients WHERE id > $1::uuid ORDER BY id LIMIT $2', [
      after,
      BATCH,
    ])
    if (rows.length === 0) return
    after = rows.at(-1).id
    const ids = rows.map(({ id }) => id)
    const constant = (length: number) => ids.map(() => 'x'.repeat(length))
    const unique = ids.map(() => randomUUID().slice(0, 22))
    await pool.query(
      `UPDATE patients t SET name = v.name, email = v.email, phone = v.phone, email_index = v.email_index
       FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[]) AS v(id, name, email, phone, email_index)
       WHERE t.id = v.id`,
      [ids, constant(95), constant(98), constant(83), unique],
    )
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return (performance.now() - started) / 1000
}

const maintain = (operation: 'encrypt' | 're-encrypt') => async () => {
  const [report] = await prisma.$encryption.maintain({ operation, database: pool, models: ['Patient'], restart: true })
  if (report!.changed !== report!.scanned)
    throw new Error(`${operation} changed ${report!.changed} of ${report!.scanned}`)
}

function encryptByCommand(...options: string[]) {
  const program = fileURLToPath(new URL('../dist/bin/fieldseal.js', import.meta.url))
  return spawn(process.execPath, [program, 'encrypt', '--model', 'Patient', '--json', ...options], {
    cwd: fileURLToPath(new URL('../test/migration', import.meta.url)),
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

const TELL_MEMORY = `process.on('exit', () => console.error('kilobytes:' + process.resourceUsage().maxRSS))`

/** The most that the process of the command had in memory, in MB. */
async function memoryOf(rows: number): Promise<number> {
  await fill(rows)
  process.env.NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(TELL_MEMORY)}`
  const child = encryptByCommand('--restart')
  delete process.env.NODE_OPTIONS
  child.stdout.resume()
  const printed: string[] = []
  child.stderr.on('data', (chunk) => printed.push(String(chunk)))
  const [code] = await once(child, 'close')
  const kilobytes = Number(/kilobytes:(\d+)/.exec(printed.join(''))?.[1])
  if (code !== 0 || !kilobytes) throw new Error(`the command ended with ${code}: ${printed.join('')}`)
  return kilobytes / 1024
}

/** What the machine's processors have done so far, in milliseconds: how long they were busy, of how long in all. */
function processors(): { busy: number; all: number } {
  const times = cpus().map(({ times }) => times)
  const all = times.flatMap((time) => Object.values(time)).reduce((sum, time) => sum + time)
  return { all, busy: all - times.reduce((sum, { idle }) => sum + idle, 0) }
}

interface Rate {
  readonly rowsPerSecond: number
  /** How busy the machine's processors were, of 1: those of the database, too. */
  readonly busy: number
}

/** From the first rows that the workers did: they take a while to start. */
async function rateOfWorkers(workers: number): Promise<Rate> {
  const child = encryptByCommand('--workers', String(workers))
  child.stderr.pipe(process.stderr)
  const ended = once(child, 'exit')
  let first: { at: number; scanned: number; spent: ReturnType<typeof processors> } | undefined
  for await (const line of createInterface(child.stdout)) {
    const { event, scanned } = JSON.parse(line)
    if (event === 'progress' && scanned > 0) first ??= { at: performance.now(), scanned, spent: processors() }
  }
  const [elapsed, spent] = [performance.now() - (first?.at ?? 0), processors()]
  const [code] = await ended
  if (code !== 0 || first === undefined) throw new Error(`the command ended with ${code}`)
  return {
    rowsPerSecond: (ROWS - first.scanned) / (elapsed / 1000),
    busy: (spent.busy - first.spent.busy) / (spent.all - first.spent.all),
  }
}

async function measureWorkers(): Promise<void> {
  const rates = new Map([1, WORKERS].map((workers) => [workers, [] as Rate[]]))
  for (let round = 0; round < ROUNDS; round++) {
    for (const [workers, measured] of rates) {
      await fill(ROWS)
      measured.push(await rateOfWorkers(workers))
    }
  }
  for (const [workers, measured] of rates) {
    const rate = Math.round(spreadOf(measured.map((one) => one.rowsPerSecond)).median).toLocaleString('en')
    const busy = Math.round(100 * spreadOf(measured.map((one) => one.busy)).median)
    console.log(`encrypt --workers ${workers}: ${rate} rows/s, ${cpus().length} processors ${busy} % busy`)
  }
}

async function measure(): Promise<void> {
  const times = { constants: [] as number[], encrypt: [] as number[], reEncrypt: [] as number[] }
  for (let round = 0; round < ROUNDS; round++) {
    await fill(ROWS)
    times.constants.push(await timed(updateWithConstants))
    await fill(ROWS)
    times.encrypt.push(await timed(maintain('encrypt')))
    await prisma.$encryption.rotate()
    await pool.query('VACUUM patients')
    times.reEncrypt.push(await timed(maintain('re-encrypt')))
  }
  const rate = (seconds: number) => `${Math.round(ROWS / seconds).toLocaleString('en')} rows/s`
  const limit = spreadOf(times.constants!).median
  console.log(`constant values: ${rate(limit)}`)
  for (const operation of ['encrypt', 'reEncrypt'] as const) {
    const seconds = spreadOf(times[operation]!).median
    console.log(`${operation}: ${rate(seconds)}, ${Math.round((100 * limit) / seconds)} % of constant values`)
  }
}

try {
  await applySchema(url.href, 'prisma/schema.prisma')
  if (MEMORY) {
    for (const rows of MEMORY) console.log(`${rows.toLocaleString('en')} rows: ${Math.round(await memoryOf(rows))} MB`)
  } else await (WORKERS > 1 ? measureWorkers() : measure())
} finally {
  await Promise.all([prisma.$disconnect(), pool.end()])
  await administrator.query(`DROP DATABASE ${name} WITH (FORCE)`)
  await administrator.end()
  await emulator.close()
  await server?.stop()
}
