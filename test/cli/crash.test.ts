import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../scripts/lib/embeddedPostgres.js'
import { empty, type Migration, openMigration, plainCustomer } from '../maintenance/migration.js'
import { until } from '../support/until.js'
import { type Guests, openGuests } from './guests.js'
import { configure, type Ended, type RunningCommand, runCommand, startCommand } from './runCommand.js'

const MINUTES = 60_000
const ROWS = 4_000

let server: EmbeddedPostgres
let migration: Migration
let guests: Guests
beforeAll(async () => {
  // Of its own, as all of its connections die.
  server = await startEmbeddedPostgres()
  migration = await openMigration(server.url)
  configure(migration)
  guests = await openGuests(ROWS, server.url)
}, MINUTES)
beforeEach(async () => {
  await recovered()
  await empty(migration)
  await migration.plain.customer!.createMany({ data: Array.from({ length: ROWS }, (_, i) => plainCustomer(i)) })
})
afterAll(async () => {
  await guests?.close()
  await migration?.close()
  await server?.stop()
}, MINUTES)

/** A process of PostgreSQL is killed, whereupon PostgreSQL ends all others, and recovers. */
async function crash(): Promise<void> {
  const client = new pg.Client({ connectionString: server.url }).on('error', () => {})
  await client.connect()
  await client.query(`COPY (SELECT 1) TO PROGRAM 'kill -9 $PPID'`).catch(() => {})
  await client.end().catch(() => {})
}

async function scanned(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query(`SELECT to_regclass('fieldseal.ranges') IS NOT NULL AS there`)
  if (!rows[0].there) return 0
  const { rows: done } = await pool.query(
    'SELECT (SELECT coalesce(sum(scanned), 0) FROM fieldseal.ranges) + (SELECT coalesce(sum(scanned), 0) FROM fieldseal.progress) AS n',
  )
  return Number(done[0].n)
}

/** PostgreSQL crashes in the middle of its work, again and again until it ends. */
async function crashed({ child, ended }: RunningCommand, pool: pg.Pool): Promise<Ended> {
  await until('some rows are done', async () => {
    if (child.exitCode !== null) throw new Error(`it ended before: ${JSON.stringify(await ended)}`)
    return (await scanned(pool)) > 0
  })
  while (child.exitCode === null) await crash().catch(() => {})
  return ended
}

async function recovered(): Promise<void> {
  await until('the database can be used again', async () => {
    const client = new pg.Client({ connectionString: server.url }).on('error', () => {})
    return client.connect().then(
      () => client.end().then(() => true),
      () => false,
    )
  })
}

const ONE_MESSAGE =
  /^fieldseal: DATABASE_UNAVAILABLE: [^\n]*\. Run the command again once it can: it goes on where it stopped\n$/

describe('a database that crashes', () => {
  it.each([
    ['--workers', ['--workers', '2']],
    ['one process', []],
  ])(
    'during a command of %s is told of in one message, and the same command goes on',
    async (_, args) => {
      const encrypt = ['encrypt', '--model', 'Customer', ...args]
      const { code, errors } = await crashed(startCommand(migration, ...encrypt, '--rate', '500'), migration.pool)
      expect({ code, errors }).toEqual({ code: 1, errors: expect.stringMatching(ONE_MESSAGE) })
      await recovered()
      expect(await runCommand(migration, ...encrypt)).toMatchObject({ code: 0, errors: '' })
      expect(await migration.runOne('verify')).toMatchObject({ scanned: ROWS, skipped: 0 })
    },
    4 * MINUTES,
  )

  it.each([
    ['--workers', ['--workers', '2']],
    ['one process', []],
  ])(
    'during a command of %s with TypeORM is told of in one message, and the same command goes on',
    async (_, args) => {
      await guests.pool.query(
        `DROP SCHEMA IF EXISTS fieldseal CASCADE; UPDATE guest SET email = 'g' || id || '@x.org', "emailIndex" = NULL`,
      )
      const { code, errors } = await crashed(guests.start({}, 'encrypt', ...args, '--rate', '500'), guests.pool)
      expect({ code, errors }).toEqual({ code: 1, errors: expect.stringMatching(ONE_MESSAGE) })
      await recovered()
      expect(await guests.run('encrypt', ...args)).toMatchObject({ code: 0, errors: '' })
      expect(await guests.encrypted()).toBe(ROWS)
    },
    4 * MINUTES,
  )

  it(
    'has a worker elsewhere go on, or end with one message',
    async () => {
      const worker = startCommand(migration, 'worker')
      // Before it says so, it has nothing to end in order.
      await once(worker.child.stdout!, 'data')
      const command = startCommand(migration, 'encrypt', '--model', 'Customer', '--workers', '1', '--rate', '500')
      await crashed(command, migration.pool)
      await recovered()
      // For as long as this takes, the worker may take part, or come to its own end: to stop one that ends tells nothing.
      expect(await runCommand(migration, 'encrypt', '--model', 'Customer', '--workers', '1')).toMatchObject({ code: 0 })
      await Promise.race([worker.ended, delay(5_000)])
      worker.child.kill('SIGTERM')
      const { code, errors } = await worker.ended
      if (code === 0) expect(errors).toBe('')
      else expect({ code, errors }).toEqual({ code: 1, errors: expect.stringMatching(ONE_MESSAGE) })
    },
    4 * MINUTES,
  )
})
