import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { empty, type Migration, openMigration, plainCustomer } from '../maintenance/migration.js'
import { askEach, keepBusy, onPgBouncer, startPgBouncer } from '../support/pgBouncer.js'
import { until } from '../support/until.js'
import { type Guests, openGuests } from './guests.js'
import { configure, startCommandWith } from './runCommand.js'

const MINUTES = 60_000
const ROWS = 3_000

let migration: Migration
let guests: Guests
beforeAll(async () => {
  migration = await openMigration()
  configure(migration)
  guests = await openGuests(ROWS)
})
beforeEach(async () => {
  await empty(migration)
  await migration.sql('DROP SCHEMA IF EXISTS fieldseal_queue CASCADE')
  await migration.plain.customer!.createMany({ data: Array.from({ length: ROWS }, (_, i) => plainCustomer(i)) })
  await guests.pool.query('DROP SCHEMA IF EXISTS fieldseal CASCADE')
  await guests.pool.query('DROP SCHEMA IF EXISTS fieldseal_queue CASCADE')
})
afterAll(() => Promise.all([migration?.close(), guests?.close()]))

const ofPrisma = (url: string, ...args: string[]) => startCommandWith(migration, { DATABASE_URL: url }, ...args).ended
const ofTypeorm = (url: string, ...args: string[]) => guests.start({ GUESTS_URL: url }, ...args).ended

/** What sessions that outlive their client would have, and the tables that commands make. */
async function leftIn(database: Pick<Migration['pool'], 'query'>) {
  const { rows } = await database.query(
    `SELECT (SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory'
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS locks,
     (SELECT array_agg(nspname::text) FROM pg_namespace WHERE nspname LIKE 'fieldseal%') AS schemas`,
  )
  return rows[0]
}

const NOTHING = { locks: 0, schemas: null }
const TIMEOUTS = { text: `SELECT current_setting('lock_timeout') AS value`, asBefore: [{ value: '0' }] }
const CHANNELS = 'SELECT pg_listening_channels()'

describe('a pooler that hands connections on after each transaction', () => {
  onPgBouncer('PgBouncer in transaction mode', () => {
    it.each([
      ['a command with --workers', 'encrypt', '--workers', '3'],
      ['fieldseal worker', 'worker'],
    ])('is refused at once by %s, which says what to do and leaves nothing behind', async (_, ...args) => {
      const commands = [
        [ofPrisma, migration.database.url, migration.pool],
        [ofTypeorm, guests.url, guests.pool],
      ] as const
      for (const [run, database, pool] of commands) {
        const url = await startPgBouncer(database, 'transaction')
        const { code, output, errors } = await run(url, ...args)
        expect({ code, output }).toEqual({ code: 2, output: '' })
        expect(errors).toMatch(/^fieldseal: OPTIONS_INVALID: .*pooler.*pool_mode=transaction.*"database".*\n$/)
        expect(await leftIn(pool)).toEqual(NOTHING)
        for (const each of await askEach(url, TIMEOUTS.text)) expect(each).toEqual(TIMEOUTS.asBefore)
        for (const each of await askEach(url, CHANNELS)) expect(each).toEqual([])
      }
    })

    it('is refused also when others use it meanwhile', async () => {
      const url = await startPgBouncer(migration.database.url, 'transaction')
      keepBusy(url, 6)
      expect(await ofPrisma(url, 'encrypt', '--workers', '2')).toMatchObject({ code: 2 })
      expect(await leftIn(migration.pool)).toEqual(NOTHING)
    })

    it(
      'carries a command without workers, which leaves no setting on its connections',
      async () => {
        const url = await startPgBouncer(migration.database.url, 'transaction')
        expect(await ofPrisma(url, 'encrypt', '--model', 'Customer')).toMatchObject({ code: 0, errors: '' })
        expect(await migration.runOne('verify')).toMatchObject({ scanned: ROWS, skipped: 0 })
        for (const each of await askEach(url, TIMEOUTS.text)) expect(each).toEqual(TIMEOUTS.asBefore)
        const other = await startPgBouncer(guests.url, 'transaction')
        expect(await ofTypeorm(other, 'encrypt')).toMatchObject({ code: 0, errors: '' })
        expect(await guests.encrypted()).toBe(ROWS)
        for (const each of await askEach(other, TIMEOUTS.text)) expect(each).toEqual(TIMEOUTS.asBefore)
      },
      4 * MINUTES,
    )

    it(
      'lets whoever wants to lock a table go before a command',
      async () => {
        const url = await startPgBouncer(migration.database.url, 'transaction')
        const locking = await migration.pool.connect()
        await locking.query('BEGIN; LOCK TABLE customers IN SHARE MODE')
        const command = startCommandWith(migration, { DATABASE_URL: url }, 'encrypt', '--model', 'Customer')
        let told = ''
        command.child.stdout!.on('data', (chunk) => {
          told += String(chunk)
        })
        await until('it waits', () => told.includes('the table of Customer is locked'))
        await locking.query('ROLLBACK')
        locking.release()
        expect(await command.ended).toMatchObject({ code: 0 })
      },
      MINUTES,
    )
  })
})

describe('a pooler in session mode', () => {
  onPgBouncer('PgBouncer in session mode', () => {
    it(
      'carries workers',
      async () => {
        const url = await startPgBouncer(migration.database.url, 'session', 60)
        expect(await ofPrisma(url, 'encrypt', '--model', 'Customer', '--workers', '2')).toMatchObject({
          code: 0,
          errors: '',
        })
        expect(await migration.runOne('verify')).toMatchObject({ scanned: ROWS, skipped: 0 })
      },
      4 * MINUTES,
    )
  })
})
