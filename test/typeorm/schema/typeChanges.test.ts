import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { localKms } from 'fieldseal/local-kms'
import { blindIndex, encrypted, encryptionKeys, encryptionOf, fieldEncryption, forTenant } from 'fieldseal/typeorm'
import { type DataSource, EntitySchema, type EntitySchemaColumnOptions, In, Not } from 'typeorm'
import { createDatabase } from '../../support/database.js'
import { openPool } from '../../support/pool.js'
import { refusal } from '../../support/refusal.js'
import { EMPTY, plainSource } from '../openSource.js'
import { CIPHERTEXT } from '../people.js'

const kms = localKms({ key: Buffer.alloc(32, 7).toString('base64') })
const id: EntitySchemaColumnOptions = { type: 'int', primary: true }
const person = (name: EntitySchemaColumnOptions, more: { readonly [name: string]: EntitySchemaColumnOptions } = {}) =>
  new EntitySchema({ name: 'Person', columns: { id, name, ...more } })

let database: Awaited<ReturnType<typeof createDatabase>>
let pool: ReturnType<typeof openPool>
beforeAll(async () => {
  database = await createDatabase({ schema: EMPTY })
  pool = openPool(database.url)
})
beforeEach(() => pool.query('DROP TABLE IF EXISTS person, encryption_keys'))
afterAll(async () => {
  await pool?.end()
  await database?.drop()
})

/** As the app was before, with a row. */
async function plainly(name: EntitySchemaColumnOptions, value: unknown): Promise<void> {
  const source = await plainSource(database.url, { entities: [person(name)], synchronize: true }).initialize()
  await source.getRepository('Person').insert({ id: 1, name: value })
  await source.destroy()
}

const marked = (name: EntitySchemaColumnOptions, synchronize = true, more = {}): DataSource =>
  fieldEncryption(plainSource(database.url, { entities: [person(name, more), encryptionKeys()], synchronize }), {
    kms,
    defaultTenant: 'acme',
  })

const stored = async () => (await pool.query('SELECT name FROM person')).rows.map(({ name }) => name)

describe('a column of texts that `@Column()` made', () => {
  it('needs no other type to be encrypted, and keeps its values', async () => {
    await plainly({ type: String }, 'Ada')
    const before = marked(encrypted({ column: 'varchar', state: 'migrating' }), false)
    await before.initialize()
    const { upQueries } = await before.driver.createSchemaBuilder().log()
    expect(upQueries.filter(({ query }) => query.includes('"person"'))).toEqual([])
    await before.destroy()
    const source = await marked(encrypted({ column: 'varchar', state: 'migrating' })).initialize()
    expect(await stored()).toEqual(['Ada'])
    const people = source.getRepository('Person')
    expect(await people.find()).toEqual([{ id: 1, name: 'Ada' }])
    const acme = encryptionOf(forTenant(source, 'acme'))
    await acme.maintain({ operation: 'encrypt', database: pool, models: ['Person'] } as never)
    expect(await stored()).toEqual([expect.stringMatching(CIPHERTEXT)])
    await people.update({ id: 1 }, { name: 'Grace' })
    expect(await people.find()).toEqual([{ id: 1, name: 'Grace' }])
    await source.destroy()

    const after = await marked(encrypted({ column: 'varchar' })).initialize()
    expect(await after.getRepository('Person').find()).toEqual([{ id: 1, name: 'Grace' }])
    await after.destroy()
  })

  it('also holds lists', async () => {
    await plainly({ type: 'varchar', array: true }, ['x', 'y'])
    const source = await marked(encrypted({ column: 'varchar', array: true, state: 'migrating' })).initialize()
    const people = source.getRepository('Person')
    expect(await people.find()).toEqual([{ id: 1, name: ['x', 'y'] }])
    await encryptionOf(forTenant(source, 'acme')).maintain({
      operation: 'encrypt',
      database: pool,
      models: ['Person'],
    } as never)
    expect(await stored()).toEqual([[expect.stringMatching(CIPHERTEXT)]])
    expect(await people.find()).toEqual([{ id: 1, name: ['x', 'y'] }])
    await source.destroy()
  })
})

describe('a column of texts that becomes searchable', () => {
  it('is found by its plaintext and by its index', async () => {
    await plainly({ type: String }, 'Ada')
    const nameIndex = blindIndex('name')
    const name = encrypted({ column: 'varchar', state: 'migrating' })
    const source = await marked(name, true, { nameIndex }).initialize()
    const people = source.getRepository('Person')
    await people.insert({ id: 2, name: 'Grace' })
    const ids = async (where: object) => (await people.find({ where, order: { id: 'ASC' } })).map((row) => row.id)
    expect(await ids({ name: 'Ada' })).toEqual([1])
    expect(await ids({ name: In(['Ada', 'Grace']) })).toEqual([1, 2])
    expect(await ids({ name: Not(In(['Ada'])) })).toEqual([2])
    await source.destroy()
  })
})

describe('a column of another type', () => {
  const OTHERS: readonly [EntitySchemaColumnOptions, unknown, EntitySchemaColumnOptions, string][] = [
    [{ type: 'varchar' }, 'Ada', encrypted({ state: 'migrating' }), "write `column: 'varchar'`, or have"],
    [{ type: 'varchar' }, 'Ada', encrypted(), 'TYPE text USING "name"::text'],
    [{ type: 'varchar', length: 50 }, 'Ada', encrypted({ state: 'migrating' }), 'TYPE text USING "name"::text'],
    [
      { type: 'varchar', length: 50 },
      'Ada',
      encrypted({ column: 'varchar', state: 'migrating' }),
      'TYPE character varying USING "name"::character varying',
    ],
    [{ type: 'int' }, 42, encrypted({ type: 'Int', state: 'migrating' }), 'TYPE text USING "name"::text'],
    [{ type: 'timestamp' }, new Date(0), encrypted({ type: 'DateTime', state: 'migrating' }), 'TYPE text USING'],
    [{ type: 'json' }, { a: 1 }, encrypted({ column: 'jsonb', state: 'migrating' }), 'TYPE jsonb USING to_jsonb'],
    [{ type: 'text', array: true }, ['x'], encrypted({ state: 'migrating' }), 'TYPE text USING'],
    [{ type: 'text' }, 'fs1.', encrypted({ state: 'ejecting', column: 'varchar' }), 'TYPE character varying USING'],
  ]

  it.each(OTHERS)('is not dropped with its values: %j of %j', async (plain, value, mark, remedy) => {
    await plainly(plain, value)
    const before = await stored()
    const error = await refusal(() => marked(mark).initialize())
    expect(error).toMatchObject({ code: 'SCHEMA_INVALID' })
    expect(error.message).toContain('Person.name: is "name" of the type ')
    expect(error.message).toContain(remedy)
    const source = await marked(mark, false).initialize()
    expect(await refusal(() => source.synchronize())).toMatchObject({ code: 'SCHEMA_INVALID' })
    const generated = await refusal(async () => void (await source.driver.createSchemaBuilder().log()))
    expect(generated).toMatchObject({ code: 'SCHEMA_INVALID' })
    await source.destroy()
    expect(await stored()).toEqual(before)
  })

  it('is encrypted once it was given the type that the error names', async () => {
    await plainly({ type: 'int' }, 42)
    const mark = encrypted({ type: 'Int', state: 'migrating' })
    const error = await refusal(() => marked(mark).initialize())
    await pool.query(/ALTER TABLE .*/.exec(error.message)![0])
    const source = await marked(mark).initialize()
    expect(await source.getRepository('Person').find()).toEqual([{ id: 1, name: 42 }])
    await source.destroy()
  })

  it('may be made anew where it holds nothing', async () => {
    await plainly({ type: 'int', nullable: true }, null)
    const source = await marked(encrypted({ nullable: true })).initialize()
    await source.getRepository('Person').update({ id: 1 }, { name: 'Ada' })
    expect(await stored()).toEqual([expect.stringMatching(CIPHERTEXT)])
    await source.destroy()
  })
})
