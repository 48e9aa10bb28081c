import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { type AuditLog, auditLog } from 'fieldseal/audit-log'
import { forTenant } from 'fieldseal/typeorm'
import type pg from 'pg'
import { runIn } from '../cli/runHere.js'
import { type ClinicUnderTest, openClinic } from '../support/clinic.js'
import { openPool } from '../support/pool.js'
import { Account, Keys } from '../typeorm/account.js'
import { openEntities, type SourceUnderTest } from '../typeorm/openSource.js'

const KEY = randomBytes(32)

let clinic: ClinicUnderTest
let pool: pg.Pool
let log: AuditLog
beforeAll(async () => {
  clinic = await openClinic()
  pool = openPool(clinic.database.url, { max: 2 })
})
beforeEach(async () => {
  await pool.query('DROP SCHEMA IF EXISTS fieldseal CASCADE')
  log = auditLog({ database: pool, key: KEY })
  await log.init()
})
afterAll(async () => {
  await pool?.end()
  await clinic?.close()
})

const stored = async () => (await pool.query('SELECT * FROM fieldseal.audit_log ORDER BY sequence')).rows
const audited = (by: Pick<AuditLog, 'record'> = log) =>
  clinic
    .another({ audit: { actor: () => 'dr. house', record: by.record } })
    .$forTenant('acme', { purpose: 'treatment' })
let number = 0
function row() {
  number += 1
  return { clinicId: 'acme', number, name: `Ada ${number}`, email: `${number}@example.com` }
}

describe('the audit log of a Prisma client', () => {
  it('has stored who did what before anything is handed out', async () => {
    const client = audited()
    const { id } = await client.patient.create({ data: row(), select: { id: true } })
    const written = await stored()
    expect(written.map(({ field, mode }) => `${field} ${mode}`)).toEqual(
      expect.arrayContaining(['Patient.name encrypt', 'Patient.email encrypt', 'Patient.email index']),
    )
    await client.patient.findUnique({ where: { id }, select: { name: true } })
    const [read] = (await stored()).slice(written.length)
    expect(read).toMatchObject({
      ...{ tenant: 'acme', actor: 'dr. house', purpose: 'treatment', operation: 'findUnique' },
      ...{ field: 'Patient.name', mode: 'decrypt', rows: 1 },
    })
    expect(await log.verify()).toMatchObject({ findings: [] })
  })

  it('keeps what a transaction did that was rolled back', async () => {
    const client = audited()
    const undone = client.$transaction(async (transaction) => {
      await transaction.patient.create({ data: row() })
      throw new Error('undone')
    })
    await expect(undone).rejects.toThrow('undone')
    expect((await stored()).length).toBeGreaterThan(0)
  })

  it('is one chain of many operations at once, in a batch too', async () => {
    const client = audited()
    await Promise.all(Array.from({ length: 40 }, () => client.patient.create({ data: row() })))
    await client.$transaction([client.patient.count({ where: { email: 'x' } }), client.patient.findMany()])
    const { entries, findings } = await log.verify()
    expect(findings).toEqual([])
    expect(entries).toBeGreaterThan(120)
  })

  it('fails closed: without the table no write is sent, and nothing decrypted is handed out', async () => {
    const { id } = await clinic.prisma.patient.create({ data: row() })
    const before = await clinic.plain.patient.count()
    await pool.query('DROP SCHEMA fieldseal CASCADE')
    const client = audited()
    const unavailable = { code: 'DATABASE_UNAVAILABLE', message: expect.stringContaining('npx fieldseal audit init') }
    await expect(client.patient.create({ data: row() })).rejects.toMatchObject(unavailable)
    await expect(client.patient.findUnique({ where: { id } })).rejects.toMatchObject(unavailable)
    await expect(client.patient.findMany({ where: { email: 'x' } })).rejects.toMatchObject(unavailable)
    expect(await clinic.plain.patient.count()).toBe(before)
  })

  it('is waited for by a promise of any kind', async () => {
    let isStored = false
    const record = () => ({
      // biome-ignore lint/suspicious/noThenProperty: as promises of other libraries are
      then: (resolve: (value: undefined) => void) =>
        void setTimeout(() => {
          isStored = true
          resolve(undefined)
        }, 20),
    })
    await audited({ record } as never).patient.findMany({ where: { email: 'x' } })
    expect(isStored).toBe(true)
  })
})

describe('the audit log of a TypeORM data source', () => {
  let source: SourceUnderTest
  beforeAll(async () => {
    source = await openEntities([Account, Keys], { encryption: { audit: { record: (entry) => log.record(entry) } } })
  })
  afterAll(() => source?.close())

  it('has stored what was written, searched and read', async () => {
    const accounts = forTenant(source.dataSource, 'acme', { purpose: 'support' }).getRepository(Account)
    await accounts.insert({ email: 'ada@example.com' })
    expect(await accounts.findOneBy({ email: 'ada@example.com' })).toMatchObject({ email: 'ada@example.com' })
    const seen = (await stored()).map(({ operation, field, mode, purpose }) => [operation, field, mode, purpose])
    expect(seen).toEqual(
      expect.arrayContaining([
        ['INSERT', 'Account.email', 'encrypt', 'support'],
        ['SELECT', 'Account.email', 'index', 'support'],
        ['SELECT', 'Account.email', 'decrypt', 'support'],
      ]),
    )
    expect(await log.verify()).toMatchObject({ findings: [] })
  })

  it('fails closed', async () => {
    await pool.query('DROP SCHEMA fieldseal CASCADE')
    const accounts = forTenant(source.dataSource, 'acme').getRepository(Account)
    await expect(accounts.insert({ email: 'b@example.com' })).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
    await expect(accounts.find()).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
  })
})

describe('fieldseal audit', () => {
  const UNKNOWN = 'Whether the newest entries are there, or any, is not known without --end.\n'
  const context = (configured: AuditLog | undefined) => () =>
    ({ client: clinic.another(), database: pool, tenants: {}, auditLog: configured, close: async () => {} }) as never
  const run = (...args: string[]) => runIn(context(log), 'audit', ...args)
  const entry = { at: new Date(), tenant: 'acme', actor: 'me', purpose: undefined, operation: 'findMany' }
  const write = () => log.record({ ...entry, field: 'Patient.name', mode: 'decrypt', rows: 1 })

  it('makes the table, or prints the SQL that does', async () => {
    await pool.query('DROP SCHEMA fieldseal CASCADE')
    const sql = await run('init', '--sql')
    expect(sql).toMatchObject({ code: 0, errors: '' })
    await expect(write()).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
    await pool.query(sql.output)
    await write()
    expect(await run('init')).toMatchObject({ code: 0, output: expect.stringContaining('SELECT and INSERT') })
    expect(await log.verify()).toMatchObject({ entries: 1 })
  })

  it('says that all is as it was written, and which end to keep', async () => {
    expect(await run('verify')).toMatchObject({ code: 0, output: `0 entries, all as they were written.\n${UNKNOWN}` })
    await write()
    const { output } = await run('verify')
    const [, end] = /--end (1:[0-9a-f]{64})\n/.exec(output)!
    const [all, keep] = ['1 entry, all as they were written.\n', `Keep this end for the next time: --end ${end}\n`]
    expect(output).toBe(`${all}${UNKNOWN}${keep}`)
    expect(await run('verify', '--end', end!)).toMatchObject({ code: 0, output: `${all}${keep}` })
    await pool.query('DELETE FROM fieldseal.audit_log')
    const emptied = { code: 3, output: expect.stringContaining('Not there: entry 1') }
    expect(await run('verify', '--end', end!)).toMatchObject(emptied)
  })

  it('says which entries are not, and ends with 3', async () => {
    for (let i = 0; i < 6; i += 1) await write()
    const { end } = await log.verify()
    await pool.query(`UPDATE fieldseal.audit_log SET actor = 'you' WHERE sequence = 2`)
    await pool.query('DELETE FROM fieldseal.audit_log WHERE sequence IN (4, 6)')
    const { code, output } = await run('verify', '--end', end!)
    expect(code).toBe(3)
    expect(output).toMatch(
      /^Changed, or written without the key: entry 2\.\nNot there: entry 4\.\nNot there: entry 6\.\n4 entries, not all as they were written\.\n/,
    )
    const json = JSON.parse((await run('verify', '--json')).output)
    expect(json).toMatchObject({ event: 'audit', entries: 4, findings: [{ kind: 'changed' }, { kind: 'missing' }] })
  })

  it.each([
    [['verify', '--end', 'nonsense'], /OPTIONS_INVALID: auditLog\.verify "end" must be the end/],
    [['verify', '--unknown'], /unknown option/],
  ])('refuses %j', async (args, message) => {
    expect(await run(...args)).toMatchObject({ code: 2, errors: expect.stringMatching(message) })
  })

  it('says where the log is to be named', async () => {
    const named = { code: 2, errors: expect.stringContaining('"auditLog" in fieldseal.config.ts') }
    expect(await runIn(context(undefined), 'audit', 'verify')).toMatchObject(named)
  })
})
