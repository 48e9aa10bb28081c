import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { until } from '../support/until.js'
import { type Guests, openGuests } from './guests.js'

const MINUTES = 60_000
const ROWS = 4_000

let guests: Guests
beforeAll(async () => {
  guests = await openGuests(ROWS)
})
afterEach(() => open())
afterAll(() => guests?.close())

let open = async () => {}
/** Lets nobody write to the table until it is opened, so that workers are at work for as long as a test wants. */
async function lockTable(): Promise<void> {
  const client = await guests.pool.connect()
  await client.query('BEGIN; LOCK TABLE guest IN SHARE MODE')
  open = async () => {
    open = async () => {}
    await client.query('ROLLBACK')
    client.release()
  }
}

const untilAtWork = (workers: number) =>
  until(`${workers} workers have begun`, async () => {
    const { rows } = await guests.pool.query(
      `SELECT count(*)::int AS n FROM pg_locks WHERE locktype = 'advisory' AND classid::bigint = ${0x66730003} AND granted
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    )
    return rows[0].n >= workers
  })

describe('workers with a data source of TypeORM', () => {
  it(
    'encrypt, several at once',
    async () => {
      await lockTable()
      const command = guests.start({}, 'encrypt', '--workers', '2')
      await untilAtWork(2)
      await open()
      expect(await command.ended).toMatchObject({ code: 0, errors: '' })
      expect(await guests.encrypted()).toBe(ROWS)
      expect(await guests.run('verify', '--workers', '2')).toMatchObject({ code: 0, errors: '' })
    },
    4 * MINUTES,
  )

  it(
    'take part in what a command does elsewhere',
    async () => {
      await guests.run('rotate')
      const worker = guests.start({}, 'worker', '--json')
      let told = ''
      worker.child.stdout!.on('data', (chunk) => {
        told += String(chunk)
      })
      await until('it is ready for work', () => told.includes('"ready"'))
      await lockTable()
      const command = guests.start({}, 're-encrypt', '--workers', '1')
      await untilAtWork(2)
      await open()
      expect(await command.ended).toMatchObject({ code: 0, errors: '' })
      worker.child.kill('SIGTERM')
      expect(await worker.ended).toMatchObject({ code: 0, output: expect.stringContaining('"range"') })
      expect(await guests.run('status')).toMatchObject({ code: 0, output: expect.stringMatching(/v2 active: 4,?000/) })
    },
    4 * MINUTES,
  )

  it(
    'put plaintext back, of one worker and of several',
    async () => {
      const ejecting = { GUESTS_STATE: 'ejecting' }
      const ritz = guests.start(ejecting, 'decrypt', '--yes', '--tenant', 'ritz')
      expect(await ritz.ended).toMatchObject({ code: 0, errors: '' })
      expect(await guests.encrypted()).toBe(ROWS / 2)
      const all = guests.start(ejecting, 'decrypt', '--yes', '--workers', '2')
      expect(await all.ended).toMatchObject({ code: 0, errors: '' })
      const { rows } = await guests.pool.query(
        `SELECT count(*)::int AS n, count(DISTINCT email)::int AS emails, count("emailIndex")::int AS indexes FROM guest
         WHERE email ~ '^g[0-9]+@x[.]org$'`,
      )
      expect(rows).toEqual([{ n: ROWS, emails: ROWS, indexes: 0 }])
    },
    4 * MINUTES,
  )
})
