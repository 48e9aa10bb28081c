import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { looksPersonal } from '../../src/cli/doctor/names.js'
import { storedValues } from '../../src/cli/doctor/stored.js'
import { addPlaintext, empty, type Migration, openMigration } from '../maintenance/migration.js'
import { openFixture } from '../prisma/fixtureClient.js'
import { emulatedKms } from '../support/clinic.js'
import { ejecting } from '../support/ejecting.js'
import { openPool } from '../support/pool.js'
import { configure, runCommand, startCommandWith } from './runCommand.js'
import { type Configured, runHere } from './runHere.js'

let migration: Migration
beforeAll(async () => {
  migration = await openMigration()
  await addPlaintext(migration.plain)
  configure(migration)
})
afterAll(() => migration?.close())

interface Finding {
  readonly severity: string
  readonly check: string
  readonly what: string
  readonly next: string
}

const doctor = (...args: string[]) => doctorOf({}, ...args)

async function doctorOf(configured: Configured, ...args: string[]) {
  const { code, output, errors } = await runHere(migration, configured, 'doctor', '--json', ...args)
  const findings = output
    .trim()
    .split('\n')
    .filter(Boolean)
    .map((line): Finding => JSON.parse(line))
  const of = (check: string) => findings.filter((finding) => finding.check === check)
  return { code, errors, of }
}

const kmsCalls = () => migration.emulator.calls.log.map(({ action, result }) => [action, result])

it('warns of unique indexes that do not see plaintext yet', async () => {
  const fixture = await openFixture('search.prisma')
  const database = openPool(fixture.url)
  await database.query(`INSERT INTO "Old" (id, name, age) VALUES (1, 'Ann', '5'), (2, 'Bob', NULL)`)
  const { schema } = fixture
  const client = fixture.prisma as never
  const survey = async () => fixture.prisma.$encryption.survey({ database, models: ['Old'] })
  const found = await storedValues({ client, database, schema, survey: await survey() })
  expect(found.filter(({ what }) => what.includes('is unique'))).toEqual([
    {
      severity: 'risk',
      check: 'stored values',
      what: 'Old.nameIndex is unique, and does not see the 2 rows where Old.name is plaintext: another may get the same value',
      next: 'fieldseal encrypt --field Old.name',
    },
  ])
  await fixture.prisma.$encryption.maintain({ operation: 'encrypt', database, fields: ['Old.name'] })
  const after = await storedValues({ client, database, schema, survey: await survey() })
  expect(after.filter(({ what }) => what.includes('is unique'))).toEqual([])
  await database.end()
  await fixture.close()
})

describe('fieldseal doctor', () => {
  it('tries the KMS for the tenant of a row when there is no key and no default, and says when there is none either', async () => {
    await empty(migration)
    const kms = async () => (await doctorOf({ client: { defaultTenant: undefined as never } })).of('KMS')
    expect(await kms()).toMatchObject([{ severity: 'hint', what: expect.stringContaining('no row of any tenant') }])
    await addPlaintext(migration.plain)
    const denied = { code: 'UnauthorizedOperation', action: 'GenerateDataKey', times: 'always' } as const
    const permit = migration.emulator.faults.add({ kind: 'error', ...denied })
    expect(await kms()).toMatchObject([
      { severity: 'problem', what: expect.stringMatching(/makes no new key for tenant "(acme|globex)"/) },
    ])
    permit()
    migration.emulator.calls.reset()
  })

  it('finds plaintext, whose indexes encrypting makes, and tries the KMS before there is a key', async () => {
    const { code, errors, of } = await doctor()
    expect({ code, errors }).toEqual({ code: 3, errors: '' })
    expect(of('stored values')).toContainEqual(
      expect.objectContaining({
        severity: 'problem',
        what: 'Customer.name holds plaintext in 60 rows',
        next: 'fieldseal encrypt --field Customer.name',
      }),
    )
    expect(of('blind indexes').filter(({ what }) => what.includes('is missing'))).toEqual([])
    expect(of('KMS')).toEqual([])
    expect(kmsCalls()).toEqual([
      ['GenerateDataKey', 'ok'],
      ['Decrypt', 'ok'],
    ])
  })

  it('tells of an addon that does not load in its process, unless it was declined', async () => {
    const printed = async (env: NodeJS.ProcessEnv) =>
      (await startCommandWith(migration, { NODE_OPTIONS: '--no-addons', ...env }, 'doctor').ended).output
    const told =
      'hint     the addon does not load here, so that values are encrypted by node:crypto, which takes longer: '
    expect(await printed({ FIELDSEAL_ENGINE: '' })).toContain(
      `${told}Cannot load native addon because loading addons is disabled`,
    )
    expect(await printed({ FIELDSEAL_ENGINE: 'node' })).not.toContain('addon')
  })

  it('is content once everything is encrypted, but for risks and hints', async () => {
    await migration.run('encrypt')
    const { code, of } = await doctor()
    expect(code).toBe(0)
    expect(of('KMS')).toEqual([])
    // emailIndex is in a unique index; nameIndex in none.
    expect(of('blind indexes')).toMatchObject([
      { severity: 'risk', what: expect.stringContaining('Customer.nameIndex has no index') },
    ])
    expect(of('constraints').map(({ what }) => what)).toContainEqual(expect.stringContaining('into Customer.notes'))
    expect((await doctor('--strict')).code).toBe(3)
  })

  it('finds ciphertext without its index entry, and says an advice once for all findings that it serves', async () => {
    await migration.sql('UPDATE customers SET email_index = NULL, name_index = NULL WHERE number = 1')
    const { output } = await runCommand(migration, 'doctor')
    expect(output).toContain('problem  Customer.emailIndex is missing in 1 row and beside no value in 0')
    expect(output.match(/→ fieldseal reindex --model Customer\n/g)).toHaveLength(1)
    expect(output).toMatch(/\n2 problems, 1 risk, \d+ hints?\n$/)
    await migration.run('reindex')
    expect((await doctor()).code).toBe(0)
  })

  it('advises nothing for what decrypt leaves in fields that are ejecting', async () => {
    await migration.run('decrypt')
    const leaving = { client: { schema: ejecting(migration.schema) } }
    const { code, of } = await doctorOf(leaving)
    expect({ code, values: of('stored values') }).toEqual({ code: 0, values: [] })
    expect(of('blind indexes').filter(({ what }) => what.includes('is missing'))).toEqual([])
    const { code: status } = await runHere(migration, leaving, 'status')
    expect(status).toBe(0)
    await migration.run('encrypt', { restart: true })
  })

  it('gives SQL for a constraint that the database takes, and is content with it', async () => {
    const before = (await doctor()).of('constraints')
    for (const { next } of before) {
      expect(next).toMatch(
        /^put it into a migration \(prisma migrate dev --create-only\), .*: ALTER TABLE .* "fieldseal_/,
      )
      await migration.sql(next.slice(next.indexOf('ALTER TABLE')))
    }
    expect((await doctor()).of('constraints')).toEqual([])
    await expect(migration.sql(`UPDATE customers SET name = 'plain'`)).rejects.toThrow('check constraint')
  })

  it('finds values of an encrypted field in the clear elsewhere, without printing them', async () => {
    expect((await doctor()).of('copies')).toEqual([])
    await migration.sql(`UPDATE customers SET search = 'clinic; name ' || number || ' 🙂; ward 3' WHERE number = 7`)
    const { code, of } = await doctor()
    expect(code).toBe(3)
    expect(of('copies')).toMatchObject([
      { severity: 'problem', what: 'Customer.search holds values of Customer.name in the clear' },
    ])
    expect(JSON.stringify(of('copies'))).not.toContain('name 7')
    await migration.sql('UPDATE customers SET search = NULL')
  })

  it('finds them in tables that the Prisma schema does not know, such as a log', async () => {
    await migration.sql('CREATE TABLE audit_log (id serial PRIMARY KEY, "before" jsonb)')
    await migration.sql(
      `INSERT INTO audit_log ("before") SELECT jsonb_build_object('n', n, 'email', 'Person' || n || '@Example.com') FROM generate_series(1, 50) n`,
    )
    const { code, of } = await doctor()
    expect(code).toBe(3)
    expect(of('copies')).toEqual([
      expect.objectContaining({
        severity: 'problem',
        what: 'audit_log.before holds values of Customer.email in the clear',
        next: 'stop writing it there, and empty it',
      }),
    ])
    await migration.sql('DROP TABLE audit_log')
  })

  it('finds views and parents that show what is encrypted', async () => {
    expect((await doctor()).of('relatives')).toEqual([])
    await migration.sql(`CREATE VIEW shown AS SELECT number, email AS mail FROM customers;
      CREATE VIEW shown_again AS SELECT mail FROM shown WHERE mail IS NOT NULL;
      CREATE VIEW harmless AS SELECT number, email IS NULL AS lacks FROM customers;
      CREATE TABLE parent AS SELECT email FROM customers WHERE false; ALTER TABLE customers INHERIT parent`)
    const { of } = await doctor()
    const found = of('relatives').map(({ severity, what }) => `${severity}: ${what}`)
    await migration.sql(
      'DROP VIEW shown, shown_again, harmless; ALTER TABLE customers NO INHERIT parent; DROP TABLE parent',
    )
    expect(found).toEqual([
      'risk: public.parent.email shows Customer.email, and nothing declares that',
      'risk: public.shown.mail shows Customer.email, and nothing declares that',
      'risk: public.shown_again.mail shows Customer.email, and nothing declares that',
    ])
    expect(of('relatives')[0]!.next).toContain('stored as it is, in plaintext')
  })

  it('finds keys that are old or nearly used up', async () => {
    await migration.sql(`UPDATE "EncryptionKey" SET messages = 4000000000, "createdAt" = now() - interval '2 years'
      WHERE tenant = 'acme' AND purpose = 'encrypt'`)
    expect((await doctor()).of('keys').map(({ what }) => what)).toEqual([
      '1 active key of more than a year',
      'the key of "acme" is near its limit: 4,000,000,000 of 4,294,967,296 encryptions',
    ])
  })
})

describe('fieldseal doctor on the KMS', () => {
  beforeAll(() => migration.run('encrypt'))
  afterEach(() => migration.emulator.faults.clear())

  const deny = (action: string) =>
    migration.emulator.faults.add({ kind: 'error', code: 'UnauthorizedOperation', action, times: 'always' })
  const findings = async () => {
    const { code, of } = await doctor()
    return { code, found: of('KMS') }
  }

  it('is content when it makes and unwraps a key, and keeps nothing of that', async () => {
    const before = await migration.sql('SELECT * FROM "EncryptionKey" ORDER BY id')
    migration.emulator.calls.reset()
    expect((await findings()).found).toEqual([])
    expect(await migration.sql('SELECT * FROM "EncryptionKey" ORDER BY id')).toEqual(before)
    const contexts = migration.emulator.calls.log
      .map(({ encryptionContext }) => JSON.parse(encryptionContext!))
      .filter(({ purpose }) => purpose === 'check')
    expect(contexts).toHaveLength(2)
    expect(before.map(({ id }) => id)).not.toContain(contexts[0].key)
    expect(contexts[1]).toEqual(contexts[0])
  })

  it('says that GenerateDataKey is missing, though all that is stored can be read', async () => {
    deny('GenerateDataKey')
    const { code, found } = await findings()
    expect(code).toBe(3)
    expect(found).toEqual([
      {
        ...{ event: 'finding', severity: 'problem', check: 'KMS' },
        what: expect.stringMatching(
          /^the KMS tencent makes no new key for tenant "\w+": KMS_DENIED: .*UnauthorizedOperation.* allows kms:GenerateDataKey on this key\.$/,
        ),
        next: 'permit it in the KMS: new tenants and rotation need it. The policy is on the page of its vendor: https://github.com/fieldseal/fieldseal/blob/main/docs/kms/README.md',
      },
    ])
  })

  it('says that Decrypt is missing, once, though keys can be made', async () => {
    deny('Decrypt')
    const { code, found } = await findings()
    expect(code).toBe(3)
    expect(found).toMatchObject([
      {
        what: expect.stringMatching(
          /^the KMS tencent does not unwrap a key that it has just made .*KMS_DENIED.* allows kms:Decrypt on this key\.$/,
        ),
        next: 'permit it in the KMS: reading needs it, and writing after each start. The policy is on the page of its vendor: https://github.com/fieldseal/fieldseal/blob/main/docs/kms/README.md',
      },
    ])
  })

  it('says which permissions are missing, when it is both', async () => {
    deny('GenerateDataKey')
    deny('Decrypt')
    const { found } = await findings()
    expect(found.map(({ what }) => /kms:\w+/.exec(what)?.[0])).toEqual(['kms:GenerateDataKey', 'kms:Decrypt'])
  })

  it('says that it cannot be reached, once', async () => {
    migration.emulator.faults.add({ kind: 'hangUp', when: 'before', times: 'always' })
    const kms = emulatedKms(migration.emulator, { maxRetries: 0 })
    const { code, of } = await doctorOf({ client: { kms } })
    const found = of('KMS')
    expect(code).toBe(3)
    expect(found).toMatchObject([
      {
        severity: 'problem',
        what: expect.stringContaining('KMS_UNAVAILABLE'),
        next: 'see KMS_UNAVAILABLE in https://github.com/fieldseal/fieldseal/blob/main/docs/errors.md',
      },
    ])
  })

  it('finds that the key of a tenant has lost its KEK, though new ones are made under another', async () => {
    const { emulator } = migration
    const other = emulator.keys.create({ alias: `other-${process.pid}` })
    expect(other.keyId).not.toBe(emulator.keyId)
    await migration.sql(`UPDATE "EncryptionKey" SET "kekId" = $1 WHERE tenant = 'globex' AND purpose = 'encrypt'`, [
      other.keyId,
    ])
    const { found } = await findings()
    expect(found).toMatchObject([
      { what: expect.stringContaining(`a key under the KEK ${other.keyId} cannot be unwrapped: KMS_KEY_UNUSABLE`) },
    ])
    await migration.sql(`UPDATE "EncryptionKey" SET "kekId" = $1 WHERE tenant = 'globex'`, [emulator.keyId])
  })
})

describe('fieldseal doctor on the indexes for searches', () => {
  /** Rows that were never updated: an index beside older versions of rows has to wait for others' transactions. */
  const fresh = async () => {
    await migration.sql('CREATE TABLE kept AS SELECT * FROM customers')
    await migration.sql('TRUNCATE customers, invoices')
    return () => migration.sql('INSERT INTO customers SELECT * FROM kept; DROP TABLE kept')
  }
  beforeAll(async () => {
    await migration.run('encrypt')
    const restore = await fresh()
    await restore()
  })

  const slow = async () => {
    const { of } = await doctor()
    return of('blind indexes').map(({ severity, what, next }) => `${severity}: ${what} → ${next}`)
  }
  /** What it says with this index in place, and nothing else for nameIndex. */
  const withIndex = async (definition: string) => {
    await migration.sql('DROP INDEX IF EXISTS trial, trial2')
    await migration.sql(definition)
    return slow()
  }
  const advice = 'add @@index([tenantId, nameIndex]) to Customer, and a migration'

  it.each([
    ['of the column', 'CREATE INDEX trial ON customers (name_index)'],
    ['of the tenant and the column', 'CREATE INDEX trial ON customers (tenant_id, name_index)'],
    [
      'of the tenant and the column, of a table with statistics',
      'CREATE INDEX trial ON customers (tenant_id, name_index); ANALYZE customers',
    ],
    [
      'that serves beside one that does not',
      'CREATE INDEX trial ON customers (tenant_id, name_index); CREATE INDEX trial2 ON customers (number, name_index)',
    ],
    ['of the column, then another', 'CREATE INDEX trial ON customers (name_index, number)'],
    ['by hash', 'CREATE INDEX trial ON customers USING hash (name_index)'],
    ['of the rows that have a value', 'CREATE INDEX trial ON customers (name_index) WHERE name_index IS NOT NULL'],
    ['that is unique', 'CREATE UNIQUE INDEX trial ON customers (tenant_id, name_index)'],
  ])('is content with one %s', async (_, definition) => {
    expect(await withIndex(definition)).toEqual([])
  })

  it('is content with those on text columns, of few rows or none', async () => {
    await withIndex('CREATE INDEX trial ON customers (name_index)')
    const restore = await fresh()
    expect(await slow()).toEqual([])
    await restore()
  })

  it('reports one of some rows, of an expression, or behind columns that a search does not give', async () => {
    expect(await withIndex('CREATE INDEX trial ON customers (name_index) WHERE visits > 0')).toEqual([
      `risk: Customer.nameIndex has the index "trial" of some rows only, WHERE (visits > 0), so a search reads the whole table → ${advice}`,
    ])
    expect(await withIndex(`CREATE INDEX trial ON customers (encode(name_index, 'hex'))`)).toEqual([
      `risk: Customer.nameIndex has no index in the database, so each search reads the whole table → ${advice}`,
    ])
    expect(await withIndex('CREATE INDEX trial ON customers (number, name_index)')).toEqual([
      `hint: Customer.nameIndex stands in an index behind number, so only searches that give that too are quick → ${advice}`,
    ])
    expect(await withIndex('CREATE INDEX trial ON customers (number) INCLUDE (name_index)')).toEqual([
      expect.stringContaining('risk: Customer.nameIndex has an index that PostgreSQL cannot use'),
    ])
  })

  it('says that one is not in use yet because of transactions that are older', async () => {
    await migration.sql('DROP INDEX IF EXISTS trial')
    // With room on its page, the new version of a row is beside the old one.
    await migration.sql('ALTER TABLE customers SET (fillfactor = 20)')
    await (await fresh())()
    const older = await migration.pool.connect()
    await older.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
    await older.query('SELECT txid_current()')
    await migration.sql(`UPDATE customers SET name_index = name_index || '\\x00'::bytea`)
    const said = await withIndex('CREATE INDEX trial ON customers (name_index)')
    await older.query('ROLLBACK')
    older.release()
    await migration.sql('DROP INDEX trial')
    await (await fresh())()
    expect(said).toEqual([
      'hint: Customer.nameIndex has the index "trial", which waits for transactions that are older than it → run this again once they have ended; see pg_stat_activity',
    ])
  })

  it('reports one of another collation, and one that was not built to its end', async () => {
    await withIndex('CREATE INDEX trial ON customers (name_index)')
    const [{ indexdef }] = (await migration.sql(
      `SELECT indexdef FROM pg_indexes WHERE indexname LIKE 'customers_tenant_id_email_index%'`,
    )) as [{ indexdef: string }]
    const name = /INDEX (\S+) ON/.exec(indexdef)![1]!
    await migration.sql(`DROP INDEX ${name}`)
    await migration
      .sql('CREATE INDEX other ON customers (email_index COLLATE "C.utf8")')
      .catch(() => migration.sql('CREATE INDEX other ON customers (email_index COLLATE "POSIX")'))
    expect(await slow()).toEqual([
      expect.stringMatching(/^risk: Customer\.emailIndex has an index that PostgreSQL cannot use .*COLLATE/),
    ])
    await migration.sql('DROP INDEX other')
    await migration.sql(indexdef)
    await migration.sql(`UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'trial'::regclass`)
    expect(await slow()).toEqual([
      'risk: Customer.nameIndex has the index "trial", which is invalid: it was not built to its end → REINDEX INDEX CONCURRENTLY "trial"',
    ])
    await migration.sql('REINDEX INDEX trial')
    expect(await slow()).toEqual([])
  })
})

describe('the name of a field', () => {
  it.each(['email', 'homePhone', 'date_of_birth', 'firstName', 'apiKey', 'billing_address', 'ip'])(
    'is suspicious: %s',
    (name) => expect(looksPersonal(name)).toBe(true),
  )
  it.each(['emailVerifiedAt', 'addressId', 'passwordHash', 'description', 'shipped', 'tokenCount', 'title'])(
    'is not suspicious: %s',
    (name) => expect(looksPersonal(name)).toBe(false),
  )
})
