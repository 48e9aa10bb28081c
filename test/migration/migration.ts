import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { KmsEmulator } from 'fieldseal/testing'
import pg from 'pg'
import type { Acknowledged } from './app.js'
import { openPrisma } from './fieldseal.config.js'

const app = fileURLToPath(new URL('app.ts', import.meta.url))
const command = fileURLToPath(new URL('../../dist/bin/fieldseal.js', import.meta.url))

export interface MigrationOptions {
  readonly url: string
  readonly emulator: KmsEmulator
  /** Patients to begin with. */
  readonly rows: number
  /** How often a process is killed -9, in each of the two passes: a command, or one of its workers. */
  readonly kills: number
  /** Commands that run at once. */
  readonly commands: number
  /** Processes that each of them has do its work; 0 for none but itself. */
  readonly workers: number
  /** The pace of a command, so that a short run lasts long enough to be killed. */
  readonly rowsPerSecond?: number
  readonly say?: (text: string) => void
}

/** What is to be 0, and how much was done. */
export interface MigrationFigures {
  readonly plaintext: number
  readonly lostUpdates: number
  readonly verifyExitCode: number | null
  readonly retiredCiphertexts: number
  readonly updates: number
  readonly killed: number
  readonly seconds: { readonly encrypt: number; readonly reEncrypt: number }
}

/**
 * Encrypts a table of plaintext, and re-encrypts it after a rotation, while an app process keeps updating its rows and
 * the commands and their workers are killed at random. Then everything is looked at.
 */
export async function migrate(options: MigrationOptions): Promise<MigrationFigures> {
  const { url, rows, say = () => {} } = options
  const database = new pg.Client({ connectionString: url })
  await database.connect()
  try {
    await insertPlaintext(database, rows)
    say(`${rows} rows of plaintext are there`)
    const running = await startApp(options, await someRows(database))
    const first = await inPieces(options, 'encrypt')
    say(`encrypted in ${first.seconds.toFixed(1)} s, ${first.killed} kills`)
    await run(options, 'rotate')
    const second = await inPieces(options, 're-encrypt')
    say(`re-encrypted in ${second.seconds.toFixed(1)} s, ${second.killed} kills`)
    const written = await running.stop()
    // Rows that a killed pass of the app left under the old key, while a worker was past them, are seen to here. A run
    // that a killed command left behind may be taken up first, and says then what there is left to do.
    for (let more = 3; more > 0 && isLate('re-encrypt', (await run(options, 're-encrypt')).output); more--);
    return {
      plaintext: await count(database, PLAINTEXT),
      lostUpdates: await lostUpdates(options, written.rows),
      verifyExitCode: (await run(options, 'verify')).code,
      retiredCiphertexts: await count(database, RETIRED),
      updates: written.updates,
      killed: first.killed + second.killed,
      seconds: { encrypt: first.seconds, reEncrypt: second.seconds },
    }
  } finally {
    await database.end()
  }
}

const PLAINTEXT = `
  SELECT count(*) FROM patients
  WHERE name NOT LIKE 'fs1.%' OR email NOT LIKE 'fs1.%' OR phone NOT LIKE 'fs1.%'`

const RETIRED = `
  SELECT count(*) FROM patients p JOIN encryption_keys k ON k.state = 'retired' AND k.purpose = 'encrypt' AND k.tenant = p.clinic_id
  WHERE left(translate(encode(decode(translate(substr(p.name, 5, 24), '-_', '+/'), 'base64'), 'hex'), '-', ''), 36) LIKE '0100' || replace(k.id::text, '-', '') || '%'`

async function count(database: pg.Client, sql: string): Promise<number> {
  return Number((await database.query(sql)).rows[0].count)
}

async function insertPlaintext(database: pg.Client, rows: number): Promise<void> {
  await database.query(`INSERT INTO clinics (id, name) VALUES ('acme', 'a'), ('globex', 'g') ON CONFLICT DO NOTHING`)
  await database.query(
    `INSERT INTO patients (id, clinic_id, number, city, name, email, phone)
     SELECT gen_random_uuid(), CASE WHEN n % 3 = 0 THEN 'globex' ELSE 'acme' END, n, 'city', 'Name of patient ' || n,
       'Patient.' || n || '@Example.com', '+86 20 ' || n
     FROM generate_series(1, $1::int) n`,
    [rows],
  )
  await database.query('ANALYZE patients')
}

/** Those that the app works on, the hot ones first: from all over the table. */
async function someRows(database: pg.Client): Promise<{ id: string; clinicId: string }[]> {
  const { rows } = await database.query(
    'SELECT id, clinic_id AS "clinicId" FROM patients ORDER BY md5(number::text) LIMIT 500',
  )
  return rows
}

function environment({ url, emulator }: MigrationOptions): NodeJS.ProcessEnv {
  const { endpoint, credential, keyId } = emulator
  return {
    ...process.env,
    DATABASE_URL: url,
    KMS_ENDPOINT: endpoint,
    KMS_KEY_ID: keyId,
    KMS_SECRET_ID: credential.secretId,
    KMS_SECRET_KEY: credential.secretKey,
  }
}

async function startApp(options: MigrationOptions, rows: readonly object[]) {
  const child = fork(app, [JSON.stringify(rows)], {
    execArgv: ['--import', 'tsx'],
    env: environment(options),
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const ended = once(child, 'exit')
  const [ready] = await Promise.race([once(child, 'message'), ended])
  if (ready !== 'ready') throw new Error('the app process ended before it began')
  return {
    async stop(): Promise<{ updates: number; rows: Acknowledged[] }> {
      const answer = once(child, 'message')
      child.send('stop')
      const [written] = await Promise.race([answer, ended])
      await ended
      if (typeof written !== 'object') throw new Error('the app process failed')
      return written
    },
  }
}

/** Runs an operation to its end, by commands that are killed on the way. */
async function inPieces(options: MigrationOptions, operation: string): Promise<{ seconds: number; killed: number }> {
  const started = performance.now()
  let killed = 0
  while (killed < options.kills) {
    const commands = Array.from({ length: options.commands }, () => start(options, operation))
    const kills = (await Promise.all(commands.map(killSoon))).reduce((sum, count) => sum + count)
    killed += kills
    // Too fast to be killed: there is nothing left to be killed in.
    if (kills === 0) break
  }
  const last = await Promise.all(Array.from({ length: options.commands }, () => run(options, operation)))
  for (const { code, output } of last)
    if (code !== 0 && !isLate(operation, output)) throw new Error(`${operation} ended with ${code}\n${output}`)
  return { seconds: (performance.now() - started) / 1000, killed }
}

/**
 * The app writes under the DEK before until its time in memory is over. A run that went on with an earlier one, as all
 * but the first do here, tells of such rows.
 */
function isLate(operation: string, output: string): boolean {
  return operation === 're-encrypt' && /"outcome":"done".*"missed":[1-9]/.test(output) && /"skipped":0/.test(output)
}

/** At random moments after the first batch: a worker, maybe, and then the command. Answers how many were. */
async function killSoon({ child, ended, workers, begun }: Started): Promise<number> {
  await Promise.race([begun, ended])
  let kills = 0
  if (Math.random() < 0.5) {
    await soon(ended)
    const victim = workers.at(Math.floor(Math.random() * workers.length))
    if (victim !== undefined && kill(victim)) kills += 1
  }
  await soon(ended)
  child.kill('SIGKILL')
  return (await ended).code === null ? kills + 1 : kills
}

async function soon(ended: Promise<unknown>): Promise<void> {
  await Promise.race([delay(Math.random() * 1_000), ended])
}

/** `false` for a process that has ended. */
function kill(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL')
  } catch {
    return false
  }
}

interface Started {
  readonly child: ChildProcess
  readonly ended: Promise<{ code: number | null; output: string }>
  /** Process ids. */
  readonly workers: readonly number[]
  /** Some rows were looked at. */
  readonly begun: Promise<void>
}

function start(options: MigrationOptions, operation: string): Started {
  const rate =
    options.rowsPerSecond && operation !== 'verify' && operation !== 'rotate'
      ? ['--rate', String(options.rowsPerSecond)]
      : []
  const shared = options.workers > 0 && operation !== 'rotate' ? ['--workers', String(options.workers)] : []
  const args = operation === 'rotate' ? [] : ['--model', 'Patient', ...shared]
  const child = spawn(process.execPath, [command, operation, '--json', ...args, ...rate], {
    cwd: dirname(app),
    env: environment(options),
  })
  const workers: number[] = []
  let output = ''
  const begun = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output = (output + String(chunk)).slice(-5_000)
        for (const [, pid] of String(chunk).matchAll(/"event":"worker","pid":(\d+)/g)) workers.push(Number(pid))
        if (/"scanned":[1-9]/.test(String(chunk))) resolve()
      })
    }
  })
  return { child, workers, begun, ended: once(child, 'exit').then(([code]) => ({ code, output })) }
}

function run(options: MigrationOptions, operation: string): Started['ended'] {
  return start(options, operation).ended
}

/** Reads every row that the app wrote, as the app would. */
async function lostUpdates(options: MigrationOptions, written: readonly Acknowledged[]): Promise<number> {
  const prisma = openPrisma(environment(options))
  try {
    const stored = await prisma
      .$acrossTenants()
      .patient.findMany({ where: { id: { in: written.map(({ id }) => id) } } })
    const byId = new Map(stored.map((row) => [row.id, row as unknown as Record<string, unknown>]))
    const differs = (row: Acknowledged) =>
      Object.entries(row).some(([field, value]) => byId.get(row.id)?.[field] !== value)
    return written.filter(differs).length
  } finally {
    await prisma.$disconnect()
  }
}
