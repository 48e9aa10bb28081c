import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { addPlaintext, dump, empty, type Migration, openMigration } from '../maintenance/migration.js'
import { ejecting } from '../support/ejecting.js'
import { configure, type Ended, startCommandWith } from './runCommand.js'
import { runHere } from './runHere.js'

const MINUTES = 60_000

let migration: Migration
/** A user with the rights of docs/existing-data.md, and none on the database. */
let url: string
const user = `app_${randomBytes(6).toString('hex')}`
/** What docs/existing-data.md has an administrator run, for the tables of this fixture. */
const [, block] = /```sql\n([^`]*GRANT USAGE[^`]*)```/.exec(readFileSync('docs/existing-data.md', 'utf8'))!
const documented = block!
  .replaceAll(/^--.*\n/gm, '')
  .replaceAll(/\bapp\b/g, user)
  .replace('"Customer", "Invoice"', 'customers, invoices, "Event", "Word"')
  .replace('encryption_keys', '"EncryptionKey"')
  .split(/;\s*/)
  .filter(Boolean)
beforeAll(async () => {
  migration = await openMigration()
  configure(migration)
  const address = new URL(migration.database.url)
  Object.assign(address, { username: user, password: 'pw' })
  url = address.href
  await migration.sql(`CREATE ROLE ${user} LOGIN PASSWORD 'pw' NOSUPERUSER NOCREATEDB NOCREATEROLE`)
  await migration.sql(documented.filter((statement) => statement.startsWith('GRANT')).join(';'))
})
beforeEach(async () => {
  await migration.sql('DROP SCHEMA IF EXISTS fieldseal_queue CASCADE')
  await empty(migration)
  await addPlaintext(migration.plain)
})
afterAll(async () => {
  await migration?.sql('DROP SCHEMA IF EXISTS fieldseal, fieldseal_queue CASCADE')
  await migration?.sql(`DROP OWNED BY ${user}; DROP ROLE ${user}`)
  await migration?.close()
})

const run = (...args: string[]): Promise<Ended> => startCommandWith(migration, { DATABASE_URL: url }, ...args).ended
/** The same without the second or two that a process takes to begin; not for workers, which are processes. */
const here = (...args: string[]): Promise<Ended> => runHere(migration, { url }, ...args)
/** The SQL that a message asks an administrator to run. */
const wanted = ({ errors }: Ended) =>
  / this once, in this database: (.+?)(?: \(while [^)]*\))?; all rights /.exec(errors)?.[1] ?? errors
const made = async () =>
  (await migration.sql(`SELECT nspname FROM pg_namespace WHERE nspname LIKE 'fieldseal%' ORDER BY 1`)).map(
    ({ nspname }) => nspname,
  )
const stored = async () => [...(await dump(migration)), ...(await migration.sql('SELECT * FROM "EncryptionKey"'))]

describe('a database user who may create no schema', () => {
  it.each(['encrypt', 'encrypt --workers 2', 'verify'])(
    'is told by `fieldseal %s` what an administrator has to run, and nothing is changed',
    async (command) => {
      const before = await stored()
      const ended = await (command.includes('--workers') ? run : here)(...command.split(' '))
      expect(ended).toMatchObject({ code: 1, errors: expect.stringContaining(`DATABASE_UNAVAILABLE`) })
      expect(ended.errors).toContain(
        `the database's user ${user} may not make or use the tables for the progress of runs`,
      )
      expect(wanted(ended)).toBe(`CREATE SCHEMA fieldseal AUTHORIZATION ${user}`)
      expect(ended.errors).toContain('docs/existing-data.md')
      expect(await stored()).toEqual(before)
      expect(await made()).toEqual([])
    },
  )

  it('is told about the schema of the queue by `worker`, and by `--workers` once it has the other one', async () => {
    const before = await stored()
    expect(wanted(await run('worker', '--drain'))).toBe(`CREATE SCHEMA fieldseal_queue AUTHORIZATION ${user}`)
    await migration.sql(`CREATE SCHEMA fieldseal AUTHORIZATION ${user}`)
    const ended = await run('encrypt', '--workers', '2')
    expect(ended.code).toBe(1)
    expect(wanted(ended)).toBe(`CREATE SCHEMA fieldseal_queue AUTHORIZATION ${user}`)
    expect(await stored()).toEqual(before)
    expect(await made()).toEqual(['fieldseal'])
  })

  it(
    'can do everything alone once that was run, with no more rights than these',
    async () => {
      await migration.sql(wanted(await here('encrypt')))
      for (const args of [
        ['encrypt'],
        ['verify'],
        ['rotate'],
        ['re-encrypt'],
        ['reindex'],
        ['verify'],
        ['status'],
        ['doctor'],
      ]) {
        expect(await here(...args)).toMatchObject({ code: 0, errors: '' })
      }
      const leaving = { url, client: { schema: ejecting(migration.schema) } }
      expect(await runHere(migration, leaving, 'decrypt', '--yes')).toMatchObject({ code: 0, errors: '' })
      expect(await made()).toEqual(['fieldseal'])
    },
    3 * MINUTES,
  )

  it(
    'can share the work among processes and machines once both were run, beginning with several at once',
    async () => {
      await migration.sql(documented.join(';'))
      const [encrypted, ...workers] = await Promise.all([
        run('encrypt', '--workers', '2'),
        ...[1, 2].map(() => run('worker', '--drain')),
      ])
      expect([encrypted, ...workers].map(({ code, errors }) => ({ code, errors }))).toEqual(
        Array(3).fill({ code: 0, errors: '' }),
      )
      expect(await here('verify')).toMatchObject({ code: 0, errors: '' })
      const [{ others }] = (await migration.sql(`SELECT count(*)::int AS others FROM pg_class c
      JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname LIKE 'fieldseal%' AND pg_get_userbyid(relowner) <> '${user}'`)) as [
        { others: number },
      ]
      expect(others).toBe(0)
    },
    3 * MINUTES,
  )

  it('works in schemas of somebody else with the rights that it is told of', async () => {
    await migration.sql('CREATE SCHEMA fieldseal; CREATE SCHEMA fieldseal_queue')
    const told = wanted(await here('encrypt'))
    expect(told).toBe(`GRANT USAGE, CREATE ON SCHEMA fieldseal TO ${user}`)
    await migration.sql(told)
    const remade = wanted(await run('encrypt', '--workers', '2'))
    expect(remade).toBe(`DROP SCHEMA fieldseal_queue CASCADE; CREATE SCHEMA fieldseal_queue AUTHORIZATION ${user}`)
    await migration.sql(remade)
    expect(await run('encrypt', '--workers', '2')).toMatchObject({ code: 0, errors: '' })
  })

  it('works with tables of somebody else with the rights that it is told of', async () => {
    await migration.run('encrypt')
    const told = wanted(await here('verify'))
    expect(told).toBe(
      `GRANT USAGE ON SCHEMA fieldseal TO ${user}; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA fieldseal TO ${user}`,
    )
    await migration.sql(told)
    expect(await here('verify')).toMatchObject({ code: 0, errors: '' })
  })

  it('needs no more than SELECT to look', async () => {
    const written = `customers, invoices, "Event", "Word", "EncryptionKey"`
    await migration.run('encrypt')
    await migration.sql(`REVOKE INSERT, UPDATE ON ${written} FROM ${user}`)
    for (const command of ['status', 'doctor', 're-encrypt --dry-run'])
      expect(await here(...command.split(' '))).toMatchObject({ code: 0, errors: '' })
    await migration.sql(documented.filter((statement) => statement.startsWith('GRANT')).join(';'))
  })

  it('is told of the table that it may not write, and nothing is changed', async () => {
    await migration.sql(`CREATE SCHEMA fieldseal AUTHORIZATION ${user}; REVOKE UPDATE ON customers FROM ${user}`)
    const before = await dump(migration)
    const ended = await here('encrypt', '--model', 'Customer')
    expect(ended).toMatchObject({ code: 1, errors: expect.stringContaining('permission denied for table customers') })
    expect(ended.errors).toContain('blob/main/docs/existing-data.md')
    expect(await dump(migration)).toEqual(before)
    await migration.sql(`GRANT UPDATE ON customers TO ${user}`)
    expect(await here('encrypt', '--model', 'Customer')).toMatchObject({ code: 0, errors: '' })
  })
})
