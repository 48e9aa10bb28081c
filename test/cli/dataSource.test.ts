import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type pg from 'pg'
import { openClient } from '../../src/cli/openClient.js'
import { createDatabase, type TestDatabase } from '../support/database.js'
import { openPool } from '../support/pool.js'
import { refusal, refusalCode } from '../support/refusal.js'
import type { Ended } from './runCommand.js'

const program = fileURLToPath(new URL('../../dist/bin/fieldseal.js', import.meta.url))
const folder = fileURLToPath(new URL('./fixtures/typeorm/', import.meta.url))
const EMPTY = fileURLToPath(new URL('../typeorm/fixtures/empty.prisma', import.meta.url))

let database: TestDatabase
let pool: pg.Pool
beforeAll(async () => {
  database = await createDatabase({ schema: EMPTY })
  pool = openPool(database.url)
  process.env.GUESTS_URL = database.url
  const { dataSource } = await import('./fixtures/typeorm/dataSource.js')
  await dataSource.initialize()
  await dataSource.destroy()
  const plain = `SELECT 'g' || n || '@x.org', CASE WHEN n % 2 = 0 THEN 'ritz' ELSE 'adlon' END FROM generate_series(1, 40) n`
  await pool.query(`INSERT INTO guest (email, hotel) ${plain}`)
})
afterAll(async () => {
  await pool?.end()
  await database?.drop()
})

async function run(...args: string[]): Promise<Ended> {
  // What the data source says counts, not this.
  const env = { ...process.env, DATABASE_URL: 'postgresql://nobody@127.0.0.1:9/nowhere' }
  const child = spawn(process.execPath, [program, ...args], { cwd: folder, env })
  const printed = { output: '', errors: '' }
  child.stdout.on('data', (chunk) => {
    printed.output += String(chunk)
  })
  child.stderr.on('data', (chunk) => {
    printed.errors += String(chunk)
  })
  const [code] = await once(child, 'close')
  return { code, ...printed }
}

const encrypted = async () => {
  const counts = await pool.query(`SELECT count(*)::int AS n FROM guest WHERE email LIKE 'fs1.%'`)
  return counts.rows[0].n
}

describe('fieldseal with a data source of TypeORM', () => {
  it('shows, encrypts, verifies, rotates, re-encrypts, rewraps and shreds, and changes no table', async () => {
    expect(await run('status')).toMatchObject({ code: 3, errors: '', output: expect.stringMatching(/Guest\.email/) })
    expect(await run('encrypt')).toMatchObject({ code: 0, errors: '' })
    expect(await encrypted()).toBe(40)
    expect(await run('verify')).toMatchObject({ code: 0, errors: '' })
    expect(await run('rotate')).toMatchObject({ code: 0, output: expect.stringContaining('2 keys changed') })
    expect(await run('re-encrypt')).toMatchObject({ code: 0, errors: '' })
    expect(await run('reindex')).toMatchObject({ code: 0, errors: '' })
    expect(await run('rewrap')).toMatchObject({ code: 0, errors: '' })
    expect(await run('status')).toMatchObject({ code: 0, output: expect.stringMatching(/v2 active: 40/) })
    expect(await run('doctor')).toMatchObject({ errors: '', output: expect.stringContaining('0 problems') })
    expect(await run('shred', '--tenant', 'ritz', '--yes')).toMatchObject({ code: 0 })
    const { dataSource } = await import('./fixtures/typeorm/dataSource.js')
    const { client } = await openClient({ dataSource })
    const states = await pool.query(`SELECT DISTINCT tenant, state FROM encryption_keys WHERE tenant = 'ritz'`)
    expect(states.rows).toEqual([{ tenant: 'ritz', state: 'destroyed' }])
    await client.$encryption.checkKey('adlon')
    await client.$disconnect()
    expect(dataSource.isInitialized).toBe(false)
  }, 300_000)

  it('takes a function that makes it, and one that is initialised already', async () => {
    const { dataSource } = await import('./fixtures/typeorm/dataSource.js')
    dataSource.setOptions({ dropSchema: false, synchronize: false })
    const opened = await openClient({ dataSource: () => dataSource.initialize() })
    expect(opened.client.$encryption.schema.models).toHaveProperty('Guest')
    expect(opened.connection).toMatchObject({ connectionString: database.url })
    await opened.client.$disconnect()
  })

  it('refuses one that does not encrypt, and tells what keeps one from beginning', async () => {
    const plain = { driver: {}, isInitialized: false } as never
    expect(await refusalCode(() => openClient({ dataSource: plain }))).toBe('OPTIONS_INVALID')
    const { dataSource } = await import('./fixtures/typeorm/dataSource.js')
    const { connect } = dataSource.driver
    dataSource.driver.connect = () => Promise.reject(new Error('no route to host'))
    const { code, message } = await refusal(() => openClient({ dataSource }))
    expect([code, message]).toEqual(['DATABASE_UNAVAILABLE', expect.stringContaining('no route to host')])
    dataSource.driver.connect = connect
  })
})
