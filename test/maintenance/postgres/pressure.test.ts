import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { Strain } from 'fieldseal/prisma'
import pg from 'pg'
import { openPool } from '../../support/pool.js'
import { until } from '../../support/until.js'
import { plainCustomer } from '../migration.js'
import { migration, plaintextFirst } from '../plaintextFirst.js'

plaintextFirst()
/** As the command's: a statement does not wait long for the lock of a table. */
let impatient: pg.Pool
beforeAll(async () => {
  const onConnect = async (client: pg.ClientBase) => void (await client.query('SET lock_timeout = 200'))
  impatient = openPool(migration.database.url, { max: 4, onConnect })
})
beforeEach(async () => {
  await migration.plain.customer!.createMany({ data: Array.from({ length: 2_000 }, (_, i) => plainCustomer(100 + i)) })
})
afterAll(() => impatient?.end())

/** Sessions of the app, which end with the test. */
async function withSessions(count: number, work: (...sessions: pg.Client[]) => Promise<void>): Promise<void> {
  const sessions = Array.from({ length: count }, () => new pg.Client({ connectionString: migration.database.url }))
  try {
    await Promise.all(sessions.map((session) => session.connect()))
    await work(...sessions)
  } finally {
    await Promise.all(sessions.map((session) => session.end()))
  }
}

const waiters = async () => {
  const [row] = await migration.sql(`
    SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database()`)
  return Number(row!.count)
}

describe('a migration of the schema that waits for the table', () => {
  it('is let through, and the run goes on after it', async () => {
    await withSessions(2, async (reader, migrator) => {
      await reader!.query('BEGIN; SELECT FROM customers LIMIT 1')
      const altered = migrator!.query('ALTER TABLE customers ADD COLUMN added int')
      await until('one session waits', async () => (await waiters()) === 1)
      const strains: Strain[] = []
      const running = migration.runOne('encrypt', { database: impatient, onWait: (strain) => strains.push(strain) })
      await until('the run has waited twice', () => strains.length > 1)
      // Between tries the run stands in nobody's way: only the migration waits.
      await until('one session waits', async () => (await waiters()) === 1)
      await reader!.query('COMMIT')
      await altered
      expect(await running).toMatchObject({ outcome: 'done', changed: 2_060, skipped: 0 })
      expect(strains[0]).toEqual({ cause: 'locks', what: 'the table of Customer is locked' })
      await migration.sql('ALTER TABLE customers DROP COLUMN added')
    })
  })

  it('holds the table for long, and Ctrl-C ends the run that waits for it', async () => {
    await withSessions(1, async (migrator) => {
      await migrator!.query('BEGIN; LOCK TABLE customers')
      const controller = new AbortController()
      const options = { database: impatient, signal: controller.signal, onWait: () => controller.abort() }
      const stopped = migration.runOne('encrypt', { ...options, restart: true })
      // The catalogue is read before; counting the rows would wait for the lock.
      expect(await stopped).toMatchObject({ outcome: 'interrupted', changed: 0 })
      await migrator!.query('ROLLBACK')
      expect(await migration.runOne('encrypt')).toMatchObject({ outcome: 'done', changed: 2_060 })
    })
  })
})

describe('sessions that wait for rows of the table', () => {
  it('have the run hold back, with smaller batches, until they have what they want', async () => {
    await withSessions(2, async (holder, waiter) => {
      const last = 'WHERE id = (SELECT id FROM customers ORDER BY id DESC LIMIT 1)'
      await holder!.query(`BEGIN; UPDATE customers SET visits = 1 ${last}`)
      const waiting = waiter!.query(`UPDATE customers SET visits = visits + 10 ${last}`)
      await until('a session waits', async () => (await waiters()) > 0)
      const strains: Strain[] = []
      const report = await migration.runOne('encrypt', {
        onWait: async (strain) => {
          strains.push(strain)
          if (strains.length === 3) await holder!.query('COMMIT')
        },
      })
      await waiting
      expect(report).toMatchObject({ outcome: 'done', changed: 2_060, skipped: 0 })
      expect(strains.length).toBeGreaterThanOrEqual(3)
      expect(strains[0]).toEqual({ cause: 'locks', what: '1 session waits for locks on "customers"' })
      expect(await migration.sql(`SELECT visits FROM customers ${last}`)).toEqual([{ visits: 11 }])
    })
  })

  it('do not hold it up for ever', async () => {
    await withSessions(2, async (holder, waiter) => {
      await holder!.query('BEGIN; SELECT FROM customers WHERE number = 7 FOR UPDATE')
      const waiting = waiter!.query('UPDATE customers SET visits = 5 WHERE number = 7')
      await until('a session waits', async () => (await waiters()) > 0)
      const times: number[] = []
      const report = await migration.runOne('encrypt', { onProgress: () => times.push(performance.now()) })
      expect(report).toMatchObject({ outcome: 'done', changed: 2_059, skipped: 1 })
      expect(Math.max(...times.slice(1).map((time, i) => time - times[i]!))).toBeGreaterThan(1_500)
      await holder!.query('COMMIT')
      await waiting
    })
  })

  it('of other tables are none of its business', async () => {
    await withSessions(2, async (holder, waiter) => {
      await holder!.query('BEGIN; UPDATE invoices SET "the text" = "the text"')
      const waiting = waiter!.query('UPDATE invoices SET "the text" = "the text"')
      await until('a session waits', async () => (await waiters()) > 0)
      const strains: Strain[] = []
      await migration.runOne('encrypt', { onWait: (strain) => strains.push(strain) })
      expect(strains).toEqual([])
      await holder!.query('COMMIT')
      await waiting
    })
  })
})

describe('a standby that is behind', () => {
  it('cannot be seen by a user without the right to, which is an error', async () => {
    const url = new URL(migration.database.url)
    const name = `blind_${process.pid}`
    await migration.sql(`CREATE ROLE ${name} LOGIN PASSWORD 'pw'`)
    await migration.sql(
      `GRANT ALL ON ALL TABLES IN SCHEMA public TO ${name}; GRANT CREATE ON DATABASE ${url.pathname.slice(1)} TO ${name}`,
    )
    url.username = name
    url.password = 'pw'
    await migration.sql('DROP SCHEMA IF EXISTS fieldseal CASCADE')
    const blind = new pg.Pool({ connectionString: url.href, max: 4 })
    const run = migration.runOne('encrypt', { database: blind, maxLag: { seconds: 1 } })
    await expect(run).rejects.toMatchObject({
      code: 'OPTIONS_INVALID',
      message: expect.stringContaining('GRANT pg_read_all_stats'),
    })
    await blind.end()
    await migration.sql(`DROP OWNED BY ${name}; DROP ROLE ${name}`)
  })
})
