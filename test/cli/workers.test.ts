import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { empty, type Migration, openMigration, plainCustomer } from '../maintenance/migration.js'
import { until } from '../support/until.js'
import { configure, type RunningCommand, runCommand, startCommand, startCommandWith } from './runCommand.js'

const MINUTES = 60_000
/** Some ranges for each worker; no more, as every row costs every test some time. */
const ROWS = 2_020
/** Ranges of so many are larger than the first batch, so that workers die in the middle of one. */
const MORE_ROWS = 6_060

let migration: Migration
beforeAll(async () => {
  migration = await openMigration()
  configure(migration)
  await migration.plain.customer!.createMany({ data: Array.from({ length: MORE_ROWS }, (_, i) => plainCustomer(i)) })
  await migration.sql('CREATE TABLE plaintext AS SELECT * FROM customers')
  await migration.sql('CREATE SCHEMA fieldseal_queue')
})
beforeEach(async () => {
  await empty(migration)
  await migration.sql(`INSERT INTO customers SELECT * FROM plaintext WHERE number < ${ROWS}`)
})
afterEach(() => open())
afterAll(() => migration?.close())

type Event = { readonly event: string; readonly [name: string]: unknown }

const ENCRYPT = ['encrypt', '--model', 'Customer', '--json']
const run = (...args: string[]) => runCommand(migration, ...args)

/** A command whose events can be waited for while it runs. */
function start(...args: string[]) {
  return followed(startCommand(migration, ...args))
}

function followed(running: RunningCommand) {
  const seen: Event[] = []
  let rest = ''
  running.child.stdout!.on('data', (chunk) => {
    const lines = (rest + String(chunk)).split('\n')
    rest = lines.pop()!
    seen.push(...lines.map((line) => JSON.parse(line)))
  })
  let over = false
  const ended = running.ended.then((end) => {
    over = true
    return { ...end, events: seen, report: of('report')[0] }
  })
  const of = (name: string) => seen.filter(({ event }) => event === name)
  return {
    ...running,
    ended,
    of,
    until: (what: string, holds: () => boolean) =>
      until(what, async () => {
        if (!holds() && over) throw new Error(`it ended before this: ${what}: ${JSON.stringify(await ended)}`)
        return holds()
      }),
    workers: () => of('worker').map(({ pid }) => pid as number),
    scanned: () => Number(of('progress').at(-1)?.scanned ?? 0),
  }
}

type Followed = ReturnType<typeof followed>

/** A worker that waits for work. */
async function startWorker(env: NodeJS.ProcessEnv = {}): Promise<Followed> {
  const worker = followed(startCommandWith(migration, env, 'worker', '--json'))
  await worker.until('it is ready for work', () => worker.of('ready').length > 0)
  return worker
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

const untilGone = (pids: readonly number[]) => until('the workers are gone', () => !pids.some(isAlive))

let open = async () => {}
/** Lets nobody write to the table until it is opened, so that workers are at work for as long as a test wants. */
async function lockTable(): Promise<void> {
  const client = await migration.pool.connect()
  await client.query('BEGIN; LOCK TABLE customers IN SHARE MODE')
  open = async () => {
    open = async () => {}
    await client.query('ROLLBACK')
    client.release()
  }
}

const ciphertexts = async () =>
  Number((await migration.sql(`SELECT count(*) FROM customers WHERE name LIKE 'fs1.%'`))[0]!.count)
const jobs = () => migration.sql('SELECT * FROM fieldseal_queue.jobs')
const untilAtWork = (workers: number) =>
  until(`${workers} workers have begun`, async () => {
    const [row] = await migration.sql(
      `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid::bigint = ${0x66730003} AND granted
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    )
    return Number(row!.count) >= workers
  })

/**
 * Everything is encrypted, readable and indexed, and each row was looked at once. What was written just before a kill -9
 * may not be counted as changed.
 */
async function expectDone({ scanned, changed }: Partial<Event> = {}, killed = false, rows = ROWS): Promise<void> {
  expect(scanned).toBe(rows)
  if (!killed) expect(changed).toBe(rows)
  expect(await ciphertexts()).toBe(rows)
  expect(await migration.runOne('verify')).toMatchObject({ scanned: rows, skipped: 0, missed: 0 })
  expect(await jobs()).toEqual([])
}

describe('a command with --workers', () => {
  it(
    'has several processes do the work at once, and shows what they did together',
    async () => {
      await lockTable()
      const command = start(...ENCRYPT, '--workers', '2')
      await untilAtWork(2)
      await open()
      const { code, report, errors } = await command.ended
      expect({ code, errors }).toEqual({ code: 0, errors: '' })
      expect(new Set(command.workers()).size).toBe(2)
      await expectDone(report)
      expect(await run('verify', '--model', 'Customer', '--workers', '2', '--json')).toMatchObject({
        code: 0,
        output: expect.stringMatching(/"report".*"model":"Customer"[^}]*"scanned":2020/),
      })
    },
    MINUTES,
  )

  it(
    'keeps to the rate with all of them together',
    async () => {
      await lockTable()
      const command = start(...ENCRYPT, '--workers', '3', '--rate', '500')
      await untilAtWork(3)
      await open()
      await command.until('the first rows are done', () => command.scanned() > 0)
      const [started, first] = [performance.now(), command.scanned()]
      await command.ended
      expect(((ROWS - first) / (performance.now() - started)) * 1000).toBeLessThan(1_000)
    },
    MINUTES,
  )

  it('refuses to count only, to have no workers, and a lag that is none', async () => {
    expect(await run('encrypt', '--workers', '2', '--dry-run')).toMatchObject({
      code: 2,
      errors: expect.stringContaining('leave "workers" out'),
    })
    expect(await run('encrypt', '--workers', '0')).toMatchObject({ code: 2 })
    expect(await run('encrypt', '--max-lag', 'soon')).toMatchObject({
      code: 2,
      errors: expect.stringContaining('such as 5s or 64MB'),
    })
  })

  it('says what to install when the queue is not there', async () => {
    const hook = `export const resolve = (name, context, next) => {
      if (name === 'graphile-worker') throw Object.assign(new Error('not found'), { code: 'ERR_MODULE_NOT_FOUND' })
      return next(name, context)
    }`
    const register = `import { register } from 'node:module'; register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(hook)}`)})`
    const NODE_OPTIONS = `--import data:text/javascript,${encodeURIComponent(register)}`
    const { ended } = startCommandWith(migration, { NODE_OPTIONS }, 'encrypt', '--workers', '2')
    expect(await ended).toMatchObject({
      code: 2,
      errors: expect.stringContaining('npm install --save-dev graphile-worker'),
    })
    expect(await ciphertexts()).toBe(0)
  })
})

describe('workers that die', () => {
  it(
    'by kill -9 lose nothing: others take over within seconds, and one takes their place',
    async () => {
      const command = start(...ENCRYPT, '--workers', '2', '--rate', '1000')
      await command.until('the first rows are done', () => command.scanned() > 0)
      await lockTable()
      const [victim] = command.workers()
      process.kill(victim!, 'SIGKILL')
      await command.until('another takes its place', () => command.workers().length === 3)
      await open()
      const { code, report, events } = await command.ended
      expect({ code, failures: events.filter(({ event }) => event === 'failure') }).toEqual({ code: 0, failures: [] })
      await expectDone(report, true)
    },
    4 * MINUTES,
  )

  it(
    'all of them, again and again, do not end the command',
    async () => {
      await migration.sql(`INSERT INTO customers SELECT * FROM plaintext WHERE number >= ${ROWS}`)
      const command = start(...ENCRYPT, '--workers', '2', '--rate', '2000')
      for (const seen of [0, 1_500, 3_000]) {
        await command.until(`more than ${seen} rows are done`, () => command.scanned() > seen)
        for (const pid of command.workers().filter(isAlive)) process.kill(pid, 'SIGKILL')
      }
      const { code, report } = await command.ended
      expect(code).toBe(0)
      await expectDone(report, true, MORE_ROWS)
    },
    4 * MINUTES,
  )

  it(
    'end with their command also when that is killed -9 before they have begun',
    async () => {
      const killed = start(...ENCRYPT, '--workers', '2')
      await killed.until('two workers are started', () => killed.workers().length === 2)
      killed.child.kill('SIGKILL')
      await killed.ended
      await untilGone(killed.workers())
      expect(await ciphertexts()).toBe(0)
    },
    MINUTES,
  )

  it(
    'end with their command when that is killed -9, and the same command goes on',
    async () => {
      const killed = start(...ENCRYPT, '--workers', '2', '--rate', '1000')
      await killed.until('some rows are done', () => killed.scanned() > 300)
      killed.child.kill('SIGKILL')
      await killed.ended
      await untilGone(killed.workers())
      const before = await ciphertexts()
      expect(before).toBeGreaterThan(300)
      expect(before).toBeLessThan(ROWS)
      const again = start(...ENCRYPT, '--workers', '2')
      const { code, report } = await again.ended
      expect(code).toBe(0)
      expect(Number(again.of('progress')[0]!.scanned)).toBeGreaterThanOrEqual(before)
      await expectDone(report)
    },
    4 * MINUTES,
  )

  it(
    'end after their batch at Ctrl-C, and one process alone may do the rest',
    async () => {
      const stopped = start(...ENCRYPT, '--workers', '2', '--rate', '1000')
      await stopped.until('some rows are done', () => stopped.scanned() > 300)
      stopped.child.kill('SIGINT')
      const { code, report } = await stopped.ended
      expect(code).toBe(130)
      expect(report).toMatchObject({ outcome: 'interrupted', changed: await ciphertexts() })
      expect(stopped.workers().filter(isAlive)).toEqual([])
      expect(await jobs()).toEqual([])
      const rest = await start(...ENCRYPT).ended
      expect(rest).toMatchObject({ code: 0, report: { resumed: true } })
      await expectDone(rest.report)
    },
    4 * MINUTES,
  )
})

describe('fieldseal worker', () => {
  it(
    'takes part in the work of a command elsewhere, and ends when there is none left',
    async () => {
      const worker = await startWorker()
      const drained = start('worker', '--drain', '--workers', '2', '--json')
      const { code, report } = await start(...ENCRYPT, '--workers', '1', '--rate', '1000').ended
      expect(code).toBe(0)
      expect(await drained.ended).toMatchObject({ code: 0 })
      expect(worker.of('range')).toContainEqual(
        expect.objectContaining({ model: 'Customer', operation: 'encrypt', outcome: 'done' }),
      )
      worker.child.kill('SIGTERM')
      expect(await worker.ended).toMatchObject({ code: 0, errors: '' })
      await expectDone(report)
    },
    4 * MINUTES,
  )

  it(
    'that is killed -9 loses nothing',
    async () => {
      const worker = await startWorker()
      await lockTable()
      const command = start(...ENCRYPT, '--workers', '1')
      await untilAtWork(2)
      worker.child.kill('SIGKILL')
      await worker.ended
      await open()
      const { code, report } = await command.ended
      expect(code).toBe(0)
      await expectDone(report, true)
    },
    4 * MINUTES,
  )

  it(
    'leaves a table alone when nobody wants it done any more',
    async () => {
      const worker = await startWorker()
      await lockTable()
      const command = start(...ENCRYPT, '--workers', '1')
      await untilAtWork(2)
      command.child.kill('SIGKILL')
      await worker.until('it gives its range back', () =>
        worker.of('range').some(({ outcome }) => outcome === 'interrupted'),
      )
      await untilGone(command.workers())
      await open()
      // It takes one after the other, and finds that nobody wants it.
      await until('there are no jobs left', async () => (await jobs()).length === 0)
      expect(await ciphertexts()).toBe(0)
      const { report } = await start(...ENCRYPT, '--workers', '1').ended
      worker.child.kill('SIGTERM')
      expect(await worker.ended).toMatchObject({ code: 0 })
      await expectDone(report)
    },
    4 * MINUTES,
  )

  it(
    'whose KMS is down gives its range to others, and says so',
    async () => {
      const broken = await startWorker({ KMS_SECRET_KEY: 'another' })
      const command = start(...ENCRYPT, '--workers', '1')
      const { code, report, events } = await command.ended
      broken.child.kill('SIGTERM')
      await broken.ended
      expect(code).toBe(0)
      expect(broken.of('failure')).toContainEqual(expect.objectContaining({ code: 'KMS_DENIED', last: false }))
      expect(events).toContainEqual(expect.objectContaining({ event: 'failure', code: 'KMS_DENIED' }))
      await expectDone(report)
    },
    4 * MINUTES,
  )
})

describe('two commands at once', () => {
  it(
    'share one run of the same table, each with workers of its own',
    async () => {
      await lockTable()
      const commands = [1, 2].map(() => start(...ENCRYPT, '--workers', '1'))
      await untilAtWork(2)
      await open()
      const ended = await Promise.all(commands.map((command) => command.ended))
      expect(ended.map(({ code }) => code)).toEqual([0, 0])
      for (const { report } of ended) await expectDone(report)
      const states = await migration.sql('SELECT state FROM fieldseal.progress WHERE operation = $1', ['encrypt'])
      expect(states).toEqual([{ state: 'done' }])
    },
    4 * MINUTES,
  )

  it(
    'go on, the one with the other’s work, when one of them is killed -9',
    async () => {
      await lockTable()
      const [killed, other] = [1, 2].map(() => start(...ENCRYPT, '--workers', '1'))
      await untilAtWork(2)
      killed!.child.kill('SIGKILL')
      await open()
      const { code, report } = await other!.ended
      expect(code).toBe(0)
      await untilGone(killed!.workers())
      await expectDone(report)
    },
    4 * MINUTES,
  )
})

describe('a row that cannot be done by workers', () => {
  beforeEach(() => migration.sql(`UPDATE customers SET notes = '12345678901234567890' WHERE number = 1000`))

  it(
    'is shown and left, and the rest is done',
    async () => {
      const { code, report, events } = await start(...ENCRYPT, '--workers', '2').ended
      expect({ code, report }).toMatchObject({ code: 3, report: { changed: ROWS - 1, skipped: 1, outcome: 'done' } })
      const problems = events.filter(({ event }) => event === 'problem')
      expect(problems).toEqual([expect.objectContaining({ code: 'VALUE_INVALID', model: 'Customer' })])
      expect(JSON.stringify(events)).not.toContain('12345678901234567890')
    },
    MINUTES,
  )

  it(
    'stops them all with --on-error stop, and the same command goes on once it is seen to',
    async () => {
      const stopped = start(...ENCRYPT, '--workers', '2', '--on-error', 'stop', '--rate', '1000')
      const { code, report } = await stopped.ended
      expect({ code, report }).toMatchObject({ code: 3, report: { outcome: 'stopped' } })
      expect(stopped.workers().filter(isAlive)).toEqual([])
      expect(await ciphertexts()).toBeLessThan(ROWS)
      await migration.sql(`UPDATE customers SET notes = '1' WHERE number = 1000`)
      const rest = await start(...ENCRYPT, '--workers', '2', '--on-error', 'stop').ended
      expect(rest.code).toBe(0)
      await expectDone(rest.report)
    },
    4 * MINUTES,
  )
})

describe('a KMS that is down for all workers', () => {
  it(
    'is tried again later, reported at last, and the same command goes on',
    async () => {
      const command = start(...ENCRYPT, '--workers', '2', '--attempts', '2')
      // The command itself needs it to begin.
      await command.until('a worker is started', () => command.workers().length > 0)
      migration.emulator.faults.add({ kind: 'error', code: 'UnauthorizedOperation', times: 10_000 })
      const failed = await command.ended
      migration.emulator.faults.clear()
      expect(failed).toMatchObject({
        code: 1,
        errors: expect.stringMatching(/KMS_DENIED: a range of Customer could not be done, tried again and again/),
      })
      expect(failed.events).toContainEqual(expect.objectContaining({ event: 'failure', code: 'KMS_DENIED' }))
      expect(await ciphertexts()).toBe(0)
      const { code, report } = await start(...ENCRYPT, '--workers', '2').ended
      expect(code).toBe(0)
      await expectDone(report)
    },
    4 * MINUTES,
  )
})
