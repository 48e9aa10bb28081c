import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import type { Advice } from '../../src/cli/advise/advice.js'
import { plaintextCopies } from '../../src/cli/doctor/copies.js'
import { type Migration, openMigration } from '../maintenance/migration.js'
import { type Fixture, openFixture } from '../prisma/fixtureClient.js'
import { openPool } from '../support/pool.js'
import { configure, type Ended, runCommand } from './runCommand.js'
import { type Configured, runHere } from './runHere.js'

let migration: Migration
beforeAll(async () => {
  migration = await openMigration()
  configure(migration)
  await addCustomers()
  await migration.run('encrypt', { models: ['Customer'] })
})
afterAll(() => migration?.close())

const NAMES = ['Maria Smith', 'Anna Jones', 'Peter Garcia', 'Olga Novak', 'Ivan Petrov', 'Li Wei', 'Zoe Okafor']

/** 1,200 customers of acme and 300 of globex: few names, each e-mail address once. */
async function addCustomers(): Promise<void> {
  const data = Array.from({ length: 1_500 }, (_, number) => ({
    tenantId: number % 5 === 0 ? 'globex' : 'acme',
    number,
    // The first is there as often as all others together, and so on.
    name: NAMES[Math.min(NAMES.length - 1, Math.clz32(number % 256) - 24)]!,
    email: number % 3 === 0 ? null : `person${(number * 7919) % 100_003}@example.com`,
    phone: number === 7 ? '+86 7' : null,
  }))
  await migration.plain.customer!.createMany({ data })
}

const advise = (...args: string[]) => adviseWith({}, ...args)

async function adviseWith(configured: Configured, ...args: string[]): Promise<Ended & { advice: Advice }> {
  const ended = await runHere(migration, configured, 'advise', ...args, '--json')
  const advice = ended.output === '' ? undefined : JSON.parse(ended.output)
  return { ...ended, advice }
}

/** What the command says where it gives no advice. */
async function refused(...args: string[]): Promise<string> {
  const { code, output, errors } = await runHere(migration, {}, 'advise', ...args, '--json')
  expect({ code, output }).toEqual({ code: 2, output: '' })
  return errors
}

describe('fieldseal advise', () => {
  it('says what each index over a text would give away, and which to have', async () => {
    const { code, errors, advice } = await advise('Customer.email')
    expect({ code, errors }).toEqual({ code: 0, errors: '' })
    expect(advice).toMatchObject({
      event: 'advice',
      field: 'Customer.email',
      type: 'String',
      rows: { all: 1_500, null: 500, plaintext: 0, unreadable: 0 },
      tenant: { id: 'acme', rows: 800 },
      tenants: 2,
      sample: { known: 500, everyones: 500 },
      near: { kind: 'part' },
    })
    expect(advice.values.distinct).toBe(advice.sample.attacked)
    const names = advice.indexes.map(({ index, options }) => [index, options])
    expect(names).toEqual([
      ['none', {}],
      ['blind', {}],
      ['blind', { bits: 16 }],
      ['blind', { bits: 8 }],
      ['blind', { scope: 'global' }],
      ['text', { words: true }],
      ['text', { prefix: [2, 10] }],
      ['text', { prefix: [2, 4] }],
      ['text', { prefix: [4, 6] }],
    ])
    expect(advice.recommendations[0]).toEqual({
      index: 'blind',
      verdict: 'use',
      annotation: '@blindIndex(email, normalize: [trim, lowercase])',
      why: 'it shows which rows are equal, and that tells little of their values',
    })
  })

  it('advises against an index over few values, which the attack names', async () => {
    const { advice } = await advise('Customer.name')
    expect(advice.values).toMatchObject({ distinct: NAMES.length, single: 0 })
    const [none, blind] = advice.indexes
    expect(none!.exactly).toBeGreaterThan(0.4)
    expect(none!.exactly).toBeLessThan(0.6)
    expect(blind!.exactly).toBeGreaterThan(0.9)
    expect(advice.recommendations[0]).toMatchObject({ index: 'blind', verdict: 'avoid' })
    expect(advice.recommendations[0]!.why).toContain('reads the column')
  })

  it('is confined to a tenant, and says so', async () => {
    const { advice } = await advise('Customer.name', '--tenant', 'globex')
    expect(advice).toMatchObject({
      tenant: { id: 'globex', rows: 300 },
      sample: { known: 150, attacked: 150, everyones: null },
    })
    expect(advice.indexes.some(({ options }) => options.scope === 'global')).toBe(false)
  })

  it('reads no more values than it is told', async () => {
    const { advice } = await advise('Customer.name', '--sample', '100')
    expect(advice.sample).toEqual({ known: 50, attacked: 50, everyones: 50 })
  })

  it('prints a table and advice for people, and no value; and writes a page without one', async () => {
    const { code, output } = await runCommand(migration, 'advise', 'Customer.name', '--html', 'advice.html')
    expect(code).toBe(0)
    expect(output).toContain('7 distinct values in')
    expect(output).toMatch(/│ blind index, bits: 8 +│ 1 +│/)
    expect(output).toContain('Blind index: advised against; there are so few values that')
    expect(output).toContain('of the tenant acme (of 1,200)')
    const page = readFileSync(join(migration.folder, 'advice.html'), 'utf8')
    expect(page).toContain('<h1>What an index gives away</h1>')
    expect(page).toContain('Customer.name, String · tenant acme')
    expect(page.match(/class="row"/g)).toHaveLength(9)
    for (const name of NAMES.flatMap((one) => one.split(' ')).filter((word) => word.length > 3)) {
      expect(output.toLowerCase()).not.toContain(name.toLowerCase())
      expect(page.toLowerCase()).not.toContain(name.toLowerCase())
    }
  })

  it('changes nothing', async () => {
    const before = await migration.sql('SELECT md5(string_agg(t::text, id::text ORDER BY id)) AS sum FROM customers t')
    await advise('Customer.name')
    expect(
      await migration.sql('SELECT md5(string_agg(t::text, id::text ORDER BY id)) AS sum FROM customers t'),
    ).toEqual(before)
  })
})

describe('fieldseal advise refuses, and says what to do instead,', () => {
  it.each([
    ['Customer', 'there is no field Customer; encrypted are Customer.email, Customer.name, Customer.phone'],
    ['Custoner.email', 'there is no field Custoner.email; did you mean `Customer.email`? encrypted are'],
    ['Customer.emial', 'there is no field Customer.emial; did you mean `Customer.email`?'],
    ['Customer.number', 'Customer.number is not encrypted, so the database has indexes for it'],
    ['Customer.emailIndex', 'Customer.emailIndex is an index itself: ask for Customer.email'],
    ['Customer.notes', 'Customer.notes holds Json, which has no equal values to look for'],
    ['Customer.scan', 'Customer.scan holds Bytes, which has no equal values to look for'],
    ['constructor.name', 'there is no field constructor.name'],
    ['Customer.constructor', 'there is no field Customer.constructor'],
    ['Customer.phone', 'Customer.phone has too few values to hold some against others: run this where there are more'],
    ['Invoice.text', 'Invoice.text has no rows yet: write some'],
  ])('%s', async (name, message) => {
    expect(await refused(name)).toContain(`fieldseal: OPTIONS_INVALID: advise: ${message}`)
  })

  it('a field that is null in all rows, or in plaintext still', async () => {
    const [{ id } = {}] = await migration.sql('SELECT id FROM customers WHERE number = 7')
    await migration.sql('INSERT INTO invoices (customer_id, "the text") VALUES ($1, $2)', [id, 'plain'])
    expect(await refused('Invoice.text')).toContain(
      'Invoice.text holds nothing encrypted yet, and 1 value in plaintext: run `fieldseal encrypt --field Invoice.text` first',
    )
    await migration.sql('TRUNCATE invoices')
    const phones = await migration.sql('SELECT id, phone FROM customers WHERE phone IS NOT NULL')
    await migration.sql('UPDATE customers SET phone = NULL')
    expect(await refused('Customer.phone')).toContain(
      'Customer.phone is null in all of its 1,500 rows: write some values',
    )
    for (const { id: key, phone } of phones)
      await migration.sql('UPDATE customers SET phone = $2 WHERE id = $1', [key, phone])
  })

  it('a tenant without values, or whose name is none', async () => {
    expect(await refused('Customer.name', '--tenant', 'initech')).toContain(
      'Customer.name has no readable value of the tenant "initech"; most are of "acme", "globex"',
    )
    expect(await refused('Customer.name', '--tenant', '')).toContain('TENANT_INVALID')
  })

  it.each(['0', '-5', '1e3', 'many', '12345678'])('a sample of %s', async (size) => {
    const { code, errors } = await runHere(migration, {}, 'advise', 'Customer.name', `--sample=${size}`)
    expect(code).toBe(2)
    expect(errors).toContain('It must be a whole number from 10 to 9999999')
  })

  it('no field at all', async () => {
    const { code, errors } = await runHere(migration, {}, 'advise')
    expect(code).toBe(2)
    expect(errors).toContain("missing required argument 'Model.field'")
  })
})

describe('fieldseal advise with keys that do not open', () => {
  afterEach(() => migration.emulator.faults.clear())

  it('says so of a KMS that is down, and what to do', async () => {
    migration.emulator.faults.add({ kind: 'error', code: 'UnauthorizedOperation', action: 'Decrypt', times: 'always' })
    const { code, output, errors } = await runHere(migration, {}, 'advise', 'Customer.name', '--json')
    expect({ code, output }).toEqual({ code: 1, output: '' })
    expect(errors).toMatch(
      /^fieldseal: KMS_DENIED: advise reads values, and the KMS opens no key for that: .*`fieldseal doctor` tells more/,
    )
  })

  it('leaves out ciphertexts that were changed, and counts them', async () => {
    const [{ id, name } = {}] = await migration.sql('SELECT id, name FROM customers WHERE number = 9')
    await migration.sql(`UPDATE customers SET name = left(name, length(name) - 4) || 'AAAA' WHERE id = $1`, [id])
    const { code, advice } = await advise('Customer.name', '--tenant', 'acme')
    await migration.sql('UPDATE customers SET name = $2 WHERE id = $1', [id, name])
    expect(code).toBe(0)
    expect(advice.rows.unreadable).toBe(1)
    expect(advice.sample.known + advice.sample.attacked).toBe(1_199)
  })

  it('says so when nothing at all can be decrypted', async () => {
    const [{ id, phone } = {}] = await migration.sql('SELECT id, phone FROM customers WHERE number = 7')
    await migration.sql(`UPDATE customers SET phone = left(phone, length(phone) - 4) || 'AAAA' WHERE id = $1`, [id])
    const message = await refused('Customer.phone')
    await migration.sql('UPDATE customers SET phone = $2 WHERE id = $1', [id, phone])
    expect(message).toContain(
      'none of 1 value of Customer.phone could be decrypted: `fieldseal verify --field Customer.phone`',
    )
  })

  it('leaves out a tenant whose keys are destroyed', async () => {
    await migration.run('encrypt')
    await migration.prisma.$encryption.shred('globex')
    const { code, advice } = await advise('Customer.name')
    expect(code).toBe(0)
    expect(advice).toMatchObject({
      tenants: 1,
      tenant: { id: 'acme' },
      rows: { unreadable: 300 },
      sample: { everyones: null },
    })
    await migration.prisma.$encryption.shred('acme')
    expect(await refused('Customer.name')).toContain(
      'Customer.name holds 1,500 ciphertexts whose keys are destroyed or unknown: `fieldseal status` shows them',
    )
  })
})

describe('fieldseal advise on other types', () => {
  let typed: Fixture
  beforeAll(async () => {
    typed = await openFixture('typed.prisma', { normalizers: { noVowels: (text) => text }, defaultTenant: 'acme' })
    const rows = Array.from({ length: 3_000 }, (_, i) => ({
      // Far from 0, where 5 % of a value would be less than two samples by lot differ.
      int: 100_000 + ((i * 7919) % 997) * 100,
      big: 10n ** 15n + BigInt((i * 7919) % 997),
      float: 0.5 + (i % 7),
      decimal: `${(i * 31) % 600}.${i % 10}5`,
      flag: i % 9 === 0,
      at: new Date(Date.UTC(1940 + (i % 60), i % 12, 1 + (i % 28))),
      color: i % 4 === 0 ? 'red' : 'green',
      text: 'all the same',
    }))
    await typed.prisma.typed!.createMany({ data: rows })
  })
  afterAll(() => typed?.close())

  const of = async (field: string): Promise<Advice> => {
    const world = { ...migration, url: typed.url, another: typed.another }
    const { code, output, errors } = await runHere(world, { tenants: {} }, 'advise', `Typed.${field}`, '--json')
    expect({ code, errors }).toEqual({ code: 0, errors: '' })
    return JSON.parse(output)
  }
  const range = (advice: Advice) => advice.recommendations.find(({ index }) => index === 'range')

  it('proposes a scale that holds what is there and twice as much, in the coarsest step that tells all apart', async () => {
    expect(range(await of('int'))).toMatchObject({
      annotation: expect.stringMatching(/^@rangeIndex\(int, min: 0, max: 500000, step: 100, sparsity: \d\)$/),
    })
    expect(range(await of('big'))!.annotation).toMatch(
      /^@rangeIndex\(big, min: 999999999999000, max: 1000000000002000, step: 1, sparsity: \d\)$/,
    )
    expect(range(await of('decimal'))!.annotation).toMatch(
      /^@rangeIndex\(decimal, min: 0, max: 2000, step: 0.01, scale: 2, sparsity: \d\)$/,
    )
    expect(range(await of('at'))!.annotation).toMatch(
      /^@rangeIndex\(at, min: "1940-01-01", max: "2020-01-01", step: "1d", sparsity: \d\)$/,
    )
  })

  it('measures times by a distance, and numbers by a share', async () => {
    expect((await of('at')).near).toEqual({ kind: 'distance', distance: expect.any(Number) })
    expect((await of('int')).near).toEqual({ kind: 'share', share: 0.05 })
  })

  it('compares with what keeps the order, which is nearly all', async () => {
    const { indexes } = await of('int')
    expect(indexes.at(-1)).toMatchObject({ index: 'order' })
    expect(indexes.at(-1)!.nearly).toBeGreaterThan(0.7)
  })

  it('has no range index for a Float', async () => {
    const advice = await of('float')
    expect(advice.indexes.some(({ index }) => index === 'range')).toBe(false)
    expect(range(advice)).toMatchObject({
      verdict: 'avoid',
      annotation: null,
      why: expect.stringContaining('make it a Decimal'),
    })
  })

  it.each(['flag', 'color'])('advises against an index over %s', async (field) => {
    const { recommendations, indexes } = await of(field)
    expect(recommendations).toMatchObject([{ index: 'blind', verdict: 'avoid' }])
    expect(indexes.find(({ index }) => index === 'blind')!.exactly).toBe(1)
  })

  it('says of one value that a search would find every row or none', async () => {
    const { recommendations, values } = await of('text')
    expect(values).toMatchObject({ distinct: 1, entropy: 0 })
    expect(recommendations[0]).toMatchObject({
      verdict: 'avoid',
      annotation: null,
      why: 'all values that were read are equal: a search would find every row or none',
    })
  })

  it.each(['names', 'numbers', 'json', 'bytes'])('refuses %s', async (field) => {
    const world = { ...migration, url: typed.url, another: typed.another }
    const { code, errors } = await runHere(world, { tenants: {} }, 'advise', `Typed.${field}`)
    expect(code).toBe(2)
    expect(errors).toMatch(/is a list, and an index is of one value|holds (Json|Bytes), which has no equal values/)
  })
})

describe('fieldseal advise where values are encrypted otherwise', () => {
  let direct: Fixture
  beforeAll(async () => {
    direct = await openFixture('direct.prisma', { defaultTenant: undefined as never })
    const data = Array.from({ length: 40 }, (_, i) => {
      return {
        tenantId: i % 4 === 0 ? 'globex' : 'acme',
        label: 'x',
        secret: `key ${i}`,
        pinned: `pin ${i}`,
        note: `note ${i}`,
      }
    })
    for (const tenant of ['acme', 'globex']) {
      const own = data.filter(({ tenantId }) => tenantId === tenant)
      await direct.prisma.$forTenant(tenant).credential!.createMany({ data: own })
    }
  })
  afterAll(() => direct?.close())

  const of = async (field: string, ...args: string[]): Promise<Advice> => {
    const world = { ...migration, url: direct.url, another: direct.another }
    const { code, output, errors } = await runHere(world, { tenants: {} }, 'advise', field, ...args, '--json')
    expect({ code, errors }).toEqual({ code: 0, errors: '' })
    return JSON.parse(output)
  }

  it.each(['Credential.secret', 'Credential.pinned', 'Credential.note'])('reads %s', async (field) => {
    const advice = await of(field)
    expect(advice).toMatchObject({ tenants: 2, tenant: { id: 'acme', rows: 30 }, rows: { all: 40, unreadable: 0 } })
    expect((await of(field, '--tenant', 'globex')).sample).toEqual({ known: 5, attacked: 5, everyones: null })
  })

  it('calls the KMS no more often than there are values to read', async () => {
    direct.emulator.calls.reset()
    await of('Credential.secret', '--sample', '10')
    expect(direct.emulator.calls.log.length).toBeLessThanOrEqual(16)
  })
})

it('reads what is bound to numbers, and doctor looks for copies of it', async () => {
  const fixture = await openFixture('everything.prisma')
  const cards = Array.from({ length: 40 }, (_, number) => ({ org: 'x', number, card: `card of ${number}` }))
  await fixture.prisma.membership!.createMany({ data: cards })
  const world = { ...migration, url: fixture.url, another: fixture.another }
  const { errors, output } = await runHere(world, { tenants: {} }, 'advise', 'Membership.card', '--json')
  expect(errors).toBe('')
  expect(JSON.parse(output)).toMatchObject({ sample: { known: 20, attacked: 20 }, rows: { unreadable: 0 } })
  const database = openPool(fixture.url)
  await database.query(`CREATE TABLE search_log AS SELECT 'looked for card of 7' AS line`)
  const { schema, prisma } = fixture
  const found = await plaintextCopies({ client: prisma as never, database, schema, survey: undefined as never })
  expect(found).toMatchObject([{ what: 'search_log.line holds values of Membership.card in the clear' }])
  await database.end()
  await fixture.close()
})
