import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { Strain } from 'fieldseal/prisma'
import pg from 'pg'
import {
  type EmbeddedPostgres,
  type PostgresServer,
  startEmbeddedPostgres,
} from '../../scripts/lib/embeddedPostgres.js'
import { configure, startCommand } from '../cli/runCommand.js'
import { until } from '../support/until.js'
import { addPlaintext, empty, type Migration, openMigration, plainCustomer } from './migration.js'

const ROWS = 2_060
const MINUTE = 60_000

let primary: EmbeddedPostgres
let standby: PostgresServer
let migration: Migration
/** The same database as the standby shows it. */
let follower: pg.Pool
beforeAll(async () => {
  primary = await startEmbeddedPostgres()
  standby = await primary.standby('slow')
  migration = await openMigration(primary.url)
  const shown = new URL(standby.url)
  shown.pathname = new URL(migration.database.url).pathname
  follower = new pg.Pool({ connectionString: shown.href, max: 2 })
  // Its connections may be cut while it ends.
  follower.on('error', () => {})
}, MINUTE)
beforeEach(async () => {
  await empty(migration)
  await addPlaintext(migration.plain)
  const customers = Array.from({ length: ROWS - 60 }, (_, i) => plainCustomer(100 + i))
  await migration.plain.customer!.createMany({ data: customers })
  await caughtUp()
})
afterEach(() => resume())
afterAll(async () => {
  await follower?.end()
  await standby?.stop()
  await migration?.close()
  await primary?.stop()
})

const ask = async (sql: string) => Object.values((await follower.query(sql)).rows[0])[0]
const encryptedOnStandby = async () =>
  Number(await ask(`SELECT count(*) FROM customers WHERE name LIKE 'fs1.%' AND notes #>> '{}' LIKE 'fs1.%'`))

/** The standby shows all that is written so far. */
async function caughtUp(): Promise<void> {
  const [row] = await migration.sql('SELECT pg_current_wal_insert_lsn() AS here')
  await until(
    'the standby has caught up',
    async () => (await ask(`SELECT pg_last_wal_replay_lsn() >= '${row!.here}'::pg_lsn`)) === true,
  )
}

async function pause(): Promise<void> {
  await ask('SELECT pg_wal_replay_pause()')
  await until('the standby pauses', async () => (await ask('SELECT pg_get_wal_replay_pause_state()')) === 'paused')
}

const resume = () => ask('SELECT pg_wal_replay_resume()')

describe('a standby that is behind', () => {
  it.each([
    ['bytes', { bytes: 300_000 }],
    ['seconds', { seconds: 0.2 }],
  ])('by more than so many %s has the run wait until it has caught up', async (_, maxLag) => {
    await pause()
    const strains: Strain[] = []
    const meanwhile: Promise<number[]>[] = []
    const rows = async () => {
      const [row] = await migration.sql(`SELECT count(*) FROM customers WHERE name LIKE 'fs1.%'`)
      return [Number(row!.count), await encryptedOnStandby()]
    }
    const report = await migration.runOne('encrypt', {
      maxLag,
      rowsPerSecond: 1_000,
      onWait: (strain) => {
        strains.push(strain)
        if (strains.length === 2 || strains.length === 5) meanwhile.push(rows())
        if (strains.length === 5) void meanwhile[1]!.then(resume)
      },
    })
    expect(report).toMatchObject({ outcome: 'done', changed: ROWS, skipped: 0 })
    expect(strains.length).toBeGreaterThanOrEqual(5)
    expect(strains[0]).toEqual({
      cause: 'lag',
      what: expect.stringMatching(/^the standby slow is \d+ s and \d+ bytes behind$/),
    })
    // It had written some rows, which the standby did not show, and no more of them while it waited.
    const [early, late] = await Promise.all(meanwhile)
    expect(early![0]).toBeGreaterThan(0)
    expect(early![0]).toBeLessThan(ROWS)
    expect(early![1]).toBe(0)
    expect(late).toEqual(early)
    await caughtUp()
    expect(await encryptedOnStandby()).toBe(ROWS)
  })

  it('is told of by the command, which goes on and ends once it has caught up', async () => {
    configure(migration)
    await pause()
    const args = ['encrypt', '--model', 'Customer', '--rate', '1000', '--max-lag', '64kB', '--json']
    const command = startCommand(migration, ...args)
    let printed = ''
    command.child.stdout!.on('data', (chunk) => {
      printed += String(chunk)
      if (printed.includes('"event":"wait"')) void resume()
    })
    const { code, output, errors } = await command.ended
    expect({ code, errors }).toEqual({ code: 0, errors: '' })
    const events = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(events.find(({ event }) => event === 'wait')).toMatchObject({
      cause: 'lag',
      what: expect.stringMatching(/^the standby slow is \d+ s and \d+ bytes behind$/),
    })
    expect(events.find(({ event }) => event === 'report')).toMatchObject({ outcome: 'done', changed: ROWS })
    await caughtUp()
    expect(await encryptedOnStandby()).toBe(ROWS)
  })

  it('is not waited for unless that is asked for, nor one that is near enough', async () => {
    await pause()
    const strains: Strain[] = []
    const onWait = (strain: Strain) => void strains.push(strain)
    expect(await migration.runOne('encrypt', { onWait })).toMatchObject({ changed: ROWS })
    expect(await migration.runOne('decrypt', { onWait, maxLag: { bytes: 2 ** 40 } })).toMatchObject({ changed: ROWS })
    await resume()
    await caughtUp()
    const near = { maxLag: { seconds: 30 }, onWait }
    expect(await migration.runOne('encrypt', { ...near, restart: true })).toMatchObject({ changed: ROWS })
    expect(strains).toEqual([])
  })
})
