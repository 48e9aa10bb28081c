import { describe, expect, it } from '@jest/globals'
import type { PgConnection } from '../../src/maintenance/postgres/sql.js'
import { ejecting } from '../support/ejecting.js'
import { refusal } from '../support/refusal.js'
import { dump, type Migration, plainCustomer, TENANTS, tenantOf } from './migration.js'
import { migration, plaintextFirst } from './plaintextFirst.js'

plaintextFirst()

const keyCount = async () => Number((await migration.sql('SELECT count(*) FROM "EncryptionKey"'))[0]!.count)
const progressTable = async () => (await migration.sql(`SELECT to_regclass('fieldseal.progress') AS name`))[0]!.name
const summary = (reports: Awaited<ReturnType<Migration['run']>>) =>
  reports.map(({ model, outcome, scanned, changed, skipped }) => [model, outcome, scanned, changed, skipped])

const ALL = (changed: number, words = changed && 12) => [
  ['Customer', 'done', 60, changed, 0],
  ['Event', 'done', 60, changed, 0],
  ['Invoice', 'done', 60, changed, 0],
  ['Word', 'done', 12, words, 0],
]

describe('encrypt', () => {
  it('makes ciphertext of every plaintext of every model, readable by its tenant as it was', async () => {
    expect(summary(await migration.run('encrypt'))).toEqual(ALL(60))
    for (const row of await migration.sql('SELECT name, email, phone, notes::text, scan FROM customers')) {
      for (const cell of Object.values(row).filter((value) => value !== null)) {
        expect(Buffer.from(cell as string).toString()).toMatch(/^"?fs1\./)
      }
    }
    const customers = await migration
      .another()
      .$acrossTenants()
      .customer!.findMany({ orderBy: { number: 'asc' } })
    for (const { id, updatedAt, visits, search, emailIndex, nameIndex, ...customer } of customers) {
      const { scan = null, ...expected } = plainCustomer(customer.number as number)
      expect(customer).toEqual({ ...expected, scan: scan && new Uint8Array(scan as Buffer) })
    }
    const invoices = await migration
      .another()
      .$acrossTenants()
      .invoice!.findMany({ include: { customer: true } })
    for (const { text, customer } of invoices)
      expect(text).toBe(`invoice of ${(customer as { number: number }).number}`)
    const words = await migration.another().word!.findMany()
    for (const { text, note } of words) expect(note).toBe(`note on ${text}`)
  })

  it('encrypts each row under the key of its own tenant, also where only a related row names it', async () => {
    await migration.run('encrypt')
    for (const tenant of ['acme', 'globex']) {
      const where = { customer: { is: { tenantId: tenant } } }
      const own = await migration.another().$forTenant(tenant).invoice!.findMany({ where })
      expect(own.length).toBe(tenant === 'globex' ? 20 : 40)
      const other = tenant === 'acme' ? 'globex' : 'acme'
      const foreign = () => migration.another({ defaultTenant: other }).$forTenant(other).invoice!.findMany({ where })
      expect((await refusal(foreign)).code).toBe('TENANT_MISMATCH')
    }
  })

  it('looks at its end for rows that another database server, which has taken the place of the first, does not have encrypted', async () => {
    const starts = ['2026-01-01 00:00:00+00', '2026-01-01 08:00:00+00']
    const database: PgConnection = {
      async query(config) {
        if (!config.text.includes('pg_postmaster_start_time')) return migration.pool.query(config)
        if (starts.length === 1) await migration.sql(`UPDATE customers SET name = 'as it was' WHERE number < 3`)
        return { rows: [{ started: starts.shift() }], rowCount: 1 }
      },
    }
    const report = await migration.runOne('encrypt', { database })
    expect(report).toMatchObject({ outcome: 'done', resumed: false, changed: 60, missed: 3 })
    expect(await migration.runOne('encrypt')).toMatchObject({ changed: 3, missed: 0 })
  })

  it('fills the blind indexes with what the client makes of the same values', async () => {
    await migration.run('encrypt')
    for (const number of [1, 3, 59]) {
      const client = migration.another().$forTenant(tenantOf(number))
      const emailIndex = await client.$encryption.blindIndex('Customer.emailIndex', `person${number}@example.com`)
      const nameIndex = await client.$encryption.blindIndex('Customer.nameIndex', `name ${number} 🙂`)
      const [row] = await migration.sql('SELECT email_index, name_index FROM customers WHERE number = $1', [number])
      expect(row).toEqual({ email_index: emailIndex, name_index: Buffer.from(nameIndex as Uint8Array) })
    }
    const [empty] = await migration.sql(
      'SELECT count(*) FROM customers WHERE email IS NULL AND email_index IS NOT NULL',
    )
    expect(empty).toEqual({ count: '0' })
  })

  it('leaves @updatedAt and every other column as they are', async () => {
    const others = () => migration.sql('SELECT id, tenant_id, number, visits, updated_at FROM customers ORDER BY id')
    const before = await others()
    await migration.run('encrypt')
    expect(await others()).toEqual(before)
  })

  it('changes nothing the second time, and says so', async () => {
    await migration.run('encrypt')
    const before = await dump(migration)
    expect(summary(await migration.run('encrypt'))).toEqual(ALL(0))
    expect(await dump(migration)).toEqual(before)
  })

  it('counts in a dry run what it would do, and makes no key, no table and no change', async () => {
    const before = await dump(migration)
    const reports = await migration.run('encrypt', { dryRun: true })
    expect(reports.map(({ model, wanted, changed }) => [model, wanted, changed])).toEqual([
      ['Customer', 60, 0],
      ['Event', 60, 0],
      ['Invoice', 60, 0],
      ['Word', 12, 0],
    ])
    expect([await dump(migration), await keyCount(), await progressTable()]).toEqual([before, 0, null])
  })

  it('works on the chosen fields, models and tenant alone', async () => {
    await migration.runOne('encrypt', { fields: ['Customer.phone'], tenant: 'globex' })
    const rows = await migration.sql(
      `SELECT tenant_id, name LIKE 'fs1.%' AS name, phone LIKE 'fs1.%' AS phone FROM customers`,
    )
    for (const { tenant_id, name, phone } of rows) {
      expect(name).toBe(false)
      if (phone !== null) expect(phone).toBe(tenant_id === 'globex')
    }
    await migration.run('encrypt', { models: ['Invoice'], tenant: 'acme' })
    const [invoices] = await migration.sql(`SELECT count(*) FROM invoices WHERE "the text" LIKE 'fs1.%'`)
    expect(invoices).toEqual({ count: '40' })
  })

  it('fills an index that was added after its field was encrypted', async () => {
    await migration.run('encrypt')
    const before = await dump(migration)
    await migration.sql('UPDATE customers SET email_index = NULL, name_index = NULL WHERE number < 10')
    expect(await migration.runOne('encrypt')).toMatchObject({ changed: 10, skipped: 0 })
    expect(await dump(migration)).toEqual(before)
  })
})

describe('what encrypt cannot do right', () => {
  const problemsOf = async () => {
    const { problems, changed, skipped, outcome } = await migration.runOne('encrypt')
    const rows = await migration.sql('SELECT id, number FROM customers')
    const numbers = new Map(rows.map(({ id, number }) => [id, number]))
    const found = problems.map(({ key, code, message }) => [numbers.get(key[0]), code, message])
    return { found, changed, skipped, outcome }
  }

  it('is reported by row and left alone: plaintext that looks like a ciphertext', async () => {
    await migration.sql(`UPDATE customers SET name = 'fs1.hello' WHERE number = 4`)
    await migration.sql(`UPDATE customers SET notes = ('"fs1.' || repeat('!', 30) || '"')::jsonb WHERE number = 5`)
    const { found, changed } = await problemsOf()
    expect(new Set(found)).toEqual(
      new Set([
        [4, 'CIPHERTEXT_INVALID', expect.stringContaining('Customer.name begins like a ciphertext')],
        [5, 'CIPHERTEXT_INVALID', expect.stringContaining('Customer.notes begins like a ciphertext')],
      ]),
    )
    expect(changed).toBe(58)
    expect(await migration.sql('SELECT name, phone FROM customers WHERE number = 4')).toEqual([
      { name: 'fs1.hello', phone: null },
    ])
  })

  it('a number in JSON that JavaScript would round', async () => {
    await migration.sql(`UPDATE customers SET notes = '{"id": 12345678901234567890, "half": 0.1}' WHERE number = 5`)
    await migration.sql(`UPDATE customers SET notes = '{"id": 0.30000000000000004, "e": 1e21}' WHERE number = 6`)
    const { found, skipped } = await problemsOf()
    expect(found).toEqual([[5, 'VALUE_INVALID', expect.stringContaining('Customer.notes holds a number')]])
    expect(skipped).toBe(1)
  })

  it('a row whose tenant column is NULL, or holds no tenant id', async () => {
    await migration.sql(`UPDATE customers SET tenant_id = NULL WHERE number = 7`)
    await migration.sql(`UPDATE customers SET tenant_id = '*' WHERE number = 8`)
    const { found } = await problemsOf()
    expect(new Map(found.map(([number, code]) => [number, code]))).toEqual(
      new Map([
        [7, 'TENANT_MISSING'],
        [8, 'TENANT_INVALID'],
      ]),
    )
  })

  it('two rows that a unique index cannot tell apart, without their values in the message', async () => {
    await migration.sql(`UPDATE customers SET email = 'PERSON1@example.com' WHERE number = 2`)
    const { found, changed } = await problemsOf()
    expect(found).toEqual([
      [expect.any(Number), 'ROW_REFUSED', expect.stringContaining('23505, customers_tenant_id_email_index_key')],
    ])
    expect(JSON.stringify(found).toLowerCase()).not.toContain('person1')
    expect(changed).toBe(59)
  })

  it('a tenant whose keys are destroyed', async () => {
    await migration.run('encrypt', { tenant: 'globex', models: ['Customer'] })
    await migration.sql(`UPDATE "EncryptionKey" SET state = 'destroyed', wrapped = NULL`)
    await migration.plain.customer!.createMany({ data: [plainCustomer(99)] })
    const { found } = await problemsOf()
    expect(found).toEqual([[99, 'KEY_DESTROYED', expect.any(String)]])
  })

  it('stops at the first problem with onError: stop, writes the rest of the batch, and meets it again', async () => {
    await migration.sql(`UPDATE customers SET notes = '12345678901234567890' WHERE number = 30`)
    const stopped = await migration.runOne('encrypt', { onError: 'stop' })
    expect(stopped).toMatchObject({ outcome: 'stopped', skipped: 1 })
    expect(await migration.runOne('encrypt', { onError: 'stop' })).toMatchObject({
      outcome: 'stopped',
      skipped: 1,
      resumed: true,
    })
    await migration.sql(`UPDATE customers SET notes = '"12345678901234567890"' WHERE number = 30`)
    expect(await migration.runOne('encrypt')).toMatchObject({ outcome: 'done', skipped: 0, resumed: true })
    expect((await migration.runOne('verify')).problems).toEqual([])
  })

  it('is refused before anything is touched where nothing says whose the rows are, with what to write', async () => {
    const error = await refusal(() =>
      migration.another({ defaultTenant: undefined as never }).$encryption.maintain({
        operation: 'encrypt',
        database: migration.pool,
      }),
    )
    expect(error).toMatchObject({ code: 'TENANT_MISSING' })
    expect(error.message).toContain(`tenants: { Invoice: 'customer.tenantId' }`)
    expect(await keyCount()).toBe(0)
  })

  it.each([
    [{ models: ['Nobody'] }, 'Nobody is no model with encrypted fields; there are Customer, Event, Invoice, Word'],
    [{ fields: ['Customer.visits'] }, 'Customer.visits is not an encrypted field'],
    [{ models: ['Word'], fields: ['Customer.name'] }, 'which "models" leaves out'],
    [{ tenants: { Invoice: 'customer.nothing' } }, 'Customer has no column nothing'],
    [{ tenants: { Invoice: 'orders.tenantId' } }, 'Invoice.orders is no relation with a foreign key'],
    [{ tenants: { ...TENANTS, Event: 'tenantId' } }, 'Event.tenantId is marked @tenant'],
    [{ rowsPerSecond: 0 }, '"rowsPerSecond" must be'],
    [{ operation: 'shuffle' as never }, 'must be one of encrypt'],
  ])('options that mean nothing are refused: %j', async (options, message) => {
    const error = await refusal(() => migration.run('encrypt', options))
    expect(error).toMatchObject({ code: 'OPTIONS_INVALID', message: expect.stringContaining(message) })
  })
})

describe('decrypt', () => {
  it('gives the tables back exactly as they were before encryption', async () => {
    const before = await dump(migration)
    await migration.run('encrypt')
    expect(summary(await migration.run('decrypt'))).toEqual(ALL(60))
    expect(await dump(migration)).toEqual(before)
  })

  it.each([
    [{}, ['Customer.email', 'Customer.scan', 'Event.payload', 'Invoice.text', 'Word.note']],
    [{ models: ['Event', 'Word'] }, ['Event.payload', 'Word.note']],
    [{ fields: ['Customer.name'], tenant: 'acme' }, ['Customer.name']],
    [{ fields: ['Word.note'], dryRun: true }, ['Word.note']],
    [
      { fields: ['Word.note'], workers: { queue: { keep: async () => {}, remove: async () => {} }, count: 1 } },
      ['Word.note'],
    ],
  ])('is refused for fields that the schema keeps encrypted, before any row is touched: %j', async (options, names) => {
    await migration.run('encrypt')
    const before = await dump(migration)
    const client = migration.another({ schema: migration.schema }).$encryption
    const decrypt = { operation: 'decrypt', database: migration.pool, tenants: TENANTS, ...options } as const
    const { code, message } = await refusal(() => client.maintain(decrypt))
    expect(code).toBe('OPTIONS_INVALID')
    for (const name of names) expect(message).toContain(name)
    expect(message).toMatch(/mark what is to be plaintext as ejecting there and deploy that first/)
    expect(await dump(migration)).toEqual(before)
  })

  it('of fields that are marked is refused if one more is chosen that is not', async () => {
    await migration.run('encrypt')
    const { Word, ...models } = migration.schema.models
    const schema = { ...migration.schema, models: { ...models, Word: ejecting(migration.schema).models.Word! } }
    const { $encryption } = migration.another({ schema })
    const decrypt = (names: string[]) =>
      $encryption.maintain({ operation: 'decrypt', database: migration.pool, tenants: TENANTS, models: names })
    expect((await refusal(() => decrypt(['Word', 'Event']))).message).toContain('into Event.payload, which')
    expect(await decrypt(['Word'])).toMatchObject([{ outcome: 'done', changed: 12 }])
  })

  it('leaves a ciphertext that it cannot read, and says which', async () => {
    await migration.run('encrypt')
    await migration.sql(`UPDATE customers a SET phone = b.phone FROM customers b WHERE a.number = 1 AND b.number = 2`)
    const { problems, changed } = await migration.runOne('decrypt')
    expect(problems).toMatchObject([{ code: 'DECRYPTION_FAILED', message: expect.stringContaining('Customer.phone') }])
    expect(changed).toBe(59)
    expect(await migration.sql(`SELECT phone LIKE 'fs1.%' AS left FROM customers WHERE number = 1`)).toEqual([
      { left: true },
    ])
  })
})

describe('re-encrypt', () => {
  const retire = () => migration.sql(`UPDATE "EncryptionKey" SET state = 'retired' WHERE purpose = 'encrypt'`)
  const versions = () =>
    migration.sql(`SELECT tenant, version, state FROM "EncryptionKey" WHERE purpose = 'encrypt' ORDER BY 1, 2`)

  it('brings every ciphertext under the active key, changes no index, and then finds nothing to do', async () => {
    await migration.run('encrypt')
    const indexes = () => migration.sql('SELECT email_index, name_index FROM customers ORDER BY id')
    const before = await indexes()
    await retire()
    expect(summary(await migration.run('re-encrypt'))).toEqual(ALL(60))
    expect(await versions()).toEqual([
      { tenant: 'acme', version: 1, state: 'retired' },
      { tenant: 'acme', version: 2, state: 'active' },
      { tenant: 'globex', version: 1, state: 'retired' },
      { tenant: 'globex', version: 2, state: 'active' },
    ])
    expect(await indexes()).toEqual(before)
    await migration.sql(
      `UPDATE "EncryptionKey" SET state = 'destroyed', wrapped = NULL WHERE state = 'retired' AND purpose = 'encrypt'`,
    )
    expect((await migration.run('verify')).map(({ skipped }) => skipped)).toEqual([0, 0, 0, 0])
    expect(summary(await migration.run('re-encrypt'))).toEqual(ALL(0))
  })

  it('does the same beside the active keys of very many tenants', async () => {
    await migration.run('encrypt')
    await retire()
    await migration.sql(`
      INSERT INTO "EncryptionKey" (id, tenant, purpose, version, state, kms, "kekId", wrapped, messages)
      SELECT gen_random_uuid(), 't' || n, 'encrypt', 1, 'active', 'local', 'kek', 'x', 0 FROM generate_series(1, 1001) n`)
    expect(summary(await migration.run('re-encrypt'))).toEqual(ALL(60))
    expect(summary(await migration.run('re-encrypt'))).toEqual(ALL(0))
  })

  it('follows a rotation that the process has not heard of', async () => {
    const lasting = migration.another().$encryption
    const maintain = (operation: 'encrypt' | 're-encrypt') =>
      lasting.maintain({ operation, database: migration.pool, tenants: TENANTS })
    await maintain('encrypt')
    await migration.another().$encryption.rotate()
    expect(summary(await maintain('re-encrypt'))).toEqual(ALL(60))
    expect(summary(await migration.run('re-encrypt'))).toEqual(ALL(0))
  })

  it('does one tenant alone, and leaves plaintext to encrypt', async () => {
    await migration.run('encrypt')
    await retire()
    await migration.sql(`UPDATE customers SET name = 'plain' WHERE number = 3`)
    expect(await migration.runOne('re-encrypt', { tenant: 'globex' })).toMatchObject({ changed: 20, skipped: 0 })
    expect(await migration.sql('SELECT name FROM customers WHERE number = 3')).toEqual([{ name: 'plain' }])
    expect((await versions()).filter(({ state }) => state === 'active')).toEqual([
      { tenant: 'globex', version: 2, state: 'active' },
    ])
  })

  it('reports a ciphertext of a key that is gone, and goes on', async () => {
    await migration.run('encrypt')
    await migration.sql(
      `UPDATE "EncryptionKey" SET state = 'destroyed', wrapped = NULL WHERE purpose = 'encrypt' AND tenant = 'acme'`,
    )
    await migration.sql(`UPDATE "EncryptionKey" SET state = 'retired' WHERE purpose = 'encrypt' AND tenant = 'globex'`)
    const report = await migration.runOne('re-encrypt')
    expect(report).toMatchObject({ outcome: 'done', changed: 20, skipped: 40 })
    expect(new Set(report.problems.map(({ code }) => code))).toEqual(new Set(['KEY_DESTROYED']))
  })
})

describe('reindex', () => {
  it('repairs indexes that are wrong, missing, or beside no value, and nothing else', async () => {
    await migration.run('encrypt')
    const before = await dump(migration)
    await migration.sql(`UPDATE customers SET email_index = 'wrong' || number WHERE number IN (1, 5)`)
    await migration.sql('UPDATE customers SET name_index = NULL WHERE number = 2')
    expect(await migration.runOne('reindex')).toMatchObject({ changed: 3, skipped: 0 })
    expect(await dump(migration)).toEqual(before)
  })
})

describe('verify', () => {
  it('finds plaintext, damage, a foreign tenant and wrong indexes, row by row, and changes nothing', async () => {
    await migration.run('encrypt')
    expect(summary(await migration.run('verify'))).toEqual(ALL(0))
    await migration.sql(`UPDATE customers SET name = 'plain' WHERE number = 1`)
    await migration.sql(`UPDATE customers SET notes = '{"plain": true}' WHERE number = 2`)
    await migration.sql(`UPDATE customers SET tenant_id = 'globex' WHERE number = 4`)
    await migration.sql(`UPDATE customers SET email_index = 'AAAA' WHERE number = 7`)
    await migration.sql(`UPDATE customers SET scan = set_byte(scan, 50, get_byte(scan, 50) # 1) WHERE number = 8`)
    const before = await dump(migration)
    const { problems, skipped, changed, verified } = await migration.runOne('verify')
    const rows = new Map(
      (await migration.sql('SELECT id, number FROM customers')).map(({ id, number }) => [id, number]),
    )
    const found = problems.map(({ key, code, message }) => [rows.get(key[0]), code, message.split(' ')[0]])
    expect(found.sort()).toEqual([
      [1, 'CIPHERTEXT_INVALID', 'Customer.name'],
      [2, 'CIPHERTEXT_INVALID', 'Customer.notes'],
      [4, 'TENANT_MISMATCH', 'Customer.email'],
      [7, 'INDEX_MISMATCH', 'Customer.emailIndex'],
      [8, 'DECRYPTION_FAILED', 'Customer.scan'],
    ])
    expect({ skipped, changed, verified }).toEqual({ skipped: 5, changed: 0, verified: 55 })
    expect(await dump(migration)).toEqual(before)
  })
})
