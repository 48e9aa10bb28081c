import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import {
  type EmbeddedPostgres,
  type PostgresServer,
  startEmbeddedPostgres,
} from '../../../scripts/lib/embeddedPostgres.js'
import { eventually } from '../../support/eventually.js'
import { refusalCode } from '../../support/refusal.js'
import { until } from '../../support/until.js'
import { type Hotel, openHotel } from './hotel.js'
import { blocksOf, commandsOf } from './runbook.js'
import { openVirtualAddress, type VirtualAddress } from './virtualAddress.js'

const PAGE = 'database-failover.md'

let primary: EmbeddedPostgres
let replica: PostgresServer
/** Under which the app knows its database. */
let address: VirtualAddress
let hotel: Hotel
beforeAll(async () => {
  primary = await startEmbeddedPostgres()
  replica = await primary.standby('heir')
  address = await openVirtualAddress(primary.url)
  hotel = await openHotel(8, address.url)
}, 180_000)
afterAll(async () => {
  await hotel?.close()
  await address?.close()
  await replica?.stop()
  await primary?.stop()
})

async function ask(server: string, ...statements: string[]): Promise<unknown> {
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  try {
    let answer: unknown
    for (const text of statements) answer = Object.values((await client.query(text)).rows[0] ?? {})[0]
    return answer
  } finally {
    await client.end()
  }
}

/** The replica gets nothing of what is written from now on. */
async function leaveReplicaBehind(): Promise<void> {
  const here = await ask(primary.url, 'SELECT pg_current_wal_insert_lsn()')
  const hasCaughtUp = () => ask(replica.url, `SELECT pg_last_wal_replay_lsn() >= '${here}'::pg_lsn`)
  await until('the replica has caught up', async () => (await hasCaughtUp()) === true)
  await ask(replica.url, `ALTER SYSTEM SET primary_conninfo = ''`, 'SELECT pg_reload_conf()')
  const followers = () => ask(primary.url, 'SELECT count(*)::int FROM pg_stat_replication')
  await until('nobody follows the primary', async () => (await followers()) === 0)
}

async function failOver(): Promise<void> {
  await ask(replica.url, 'SELECT pg_promote()')
  address.moveTo(replica.url)
}

describe(`docs/runbooks/${PAGE}`, () => {
  it('saves what was written under keys that the replica did not have, and what broke off goes on', async () => {
    const { add, command, found, keys, pool } = hotel
    expect(await command(['encrypt'])).toMatchObject({ code: 0, errors: '' })
    await pool.query(
      `INSERT INTO guest (email, hotel) SELECT 'p' || n || '@x.org', 'adlon' FROM generate_series(1, 160) n`,
    )
    const running = await hotel.process()
    const notified = await hotel.process({ keys: { notify: () => new pg.Client({ connectionString: hotel.url }) } })
    await leaveReplicaBehind()

    for (const tenant of ['young', 'younger']) await running.add(tenant, 'lost@x.org')
    await notified.add('younger', 'lost@x.org')
    await running.encryption.rotate({ tenants: ['ritz'] })
    await running.add('ritz', 'lost@x.org')
    const soFar = await hotel.encrypted()
    // Slow enough that it has not come to its end when the servers are exchanged, however busy the machine.
    const encrypting = hotel.start({}, 'encrypt', '--rate', '4')
    await until('some rows are encrypted', async () => (await hotel.encrypted()) > soFar)

    await failOver()
    const broken = await encrypting.ended
    expect(`${broken.code} ${broken.output}${broken.errors}`).toMatch(
      /^1 [\s\S]*DATABASE_UNAVAILABLE|^3 [\s\S]*rows? still to do that are counted as done/,
    )
    const fewer = ['adlon encrypt 1 active', 'adlon index 1 active', 'ritz encrypt 1 active', 'ritz index 1 active']
    await eventually(async () => expect(await keys()).toEqual(fewer))
    for (const tenant of ['ritz', 'young']) await running.add(tenant, 'late@x.org')
    expect(await refusalCode(() => found('young', 'late@x.org'))).toBe('KEY_MISSING')
    expect(await refusalCode(() => found('ritz', 'late@x.org'))).toBe('KEY_NOT_FOUND')
    await eventually(() => notified.add('younger', 'late@x.org'))
    await add('younger', 'latest@x.org')
    expect(await found('younger', 'late@x.org')).toBe(1)

    const old = new URL(primary.url)
    old.pathname = new URL(hotel.url).pathname
    const [exporting, ...onNewPrimary] = blocksOf(PAGE)
    const [exported] = commandsOf(exporting!)
    expect(await command(exported!, { GUESTS_URL: old.href })).toMatchObject({ code: 0, errors: '' })
    const outputs: string[] = []
    for (const args of onNewPrimary.flatMap(commandsOf)) {
      const { code, output, errors } = await command(args)
      expect([args[0], code, errors]).toEqual([args[0], 0, ''])
      outputs.push(output)
    }
    const [dry, restored, , , verified] = outputs
    expect(dry).toMatch(/^(restore: .*\n)*5 keys would be restored/)
    expect(restored).toMatch(/^(restore: .*\n)*5 keys restored/)
    expect(restored).toContain("fieldseal rotate --purpose index --tenant 'younger'")
    expect(verified).toContain('Everything is encrypted, readable and indexed.')
    for (const tenant of ['ritz', 'young', 'younger']) expect(await found(tenant, 'late@x.org')).toBe(1)
    expect(await found('younger', 'latest@x.org')).toBe(1)
    expect(await found('adlon', 'p1@x.org')).toBe(1)
    expect(await found('young', 'lost@x.org')).toBe(0)
  }, 300_000)
})
