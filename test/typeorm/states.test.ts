import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { BlindIndex, Encrypted, EncryptionKeyColumns, EncryptionKeys, encryptionOf, forTenant } from 'fieldseal/typeorm'
import { Entity, In, IsNull, Not, PrimaryGeneratedColumn, type Repository } from 'typeorm'
import { openPool } from '../support/pool.js'
import { refusal } from '../support/refusal.js'
import { openEntities, type SourceUnderTest } from './openSource.js'
import { CIPHERTEXT, emptyTables } from './people.js'
import { refusedBeforeSql } from './refusedBeforeSql.js'

/** Its rows are on the way in. */
@Entity()
class Incoming {
  @PrimaryGeneratedColumn()
  declare id: number

  @Encrypted({ state: 'migrating', nullable: true })
  declare name: string | null

  @BlindIndex<Incoming>('name', { normalize: ['lowercase'] })
  declare nameIndex?: string

  @Encrypted({ state: 'migrating', type: 'Int', nullable: true })
  declare age: number | null

  @Encrypted({ state: 'migrating', column: 'jsonb', nullable: true })
  declare notes: unknown

  @Encrypted({ state: 'migrating', array: true, nullable: true })
  declare tags: string[] | null
}

/** Its rows are on the way out. */
@Entity()
class Outgoing {
  @PrimaryGeneratedColumn()
  declare id: number

  @Encrypted({ state: 'ejecting', nullable: true })
  declare name: string | null

  @BlindIndex<Outgoing>('name')
  declare nameIndex?: string

  @Encrypted({ state: 'ejecting', type: 'Int', nullable: true })
  declare age: number | null

  @Encrypted({ state: 'ejecting', column: 'jsonb', nullable: true })
  declare notes: unknown
}

@EncryptionKeys()
class Keys extends EncryptionKeyColumns {}

let source: SourceUnderTest
let incoming: Repository<Incoming>
let outgoing: Repository<Outgoing>
beforeAll(async () => {
  source = await openEntities([Incoming, Outgoing, Keys])
  incoming = source.dataSource.getRepository(Incoming)
  outgoing = source.dataSource.getRepository(Outgoing)
})
beforeEach(() => emptyTables(source))
afterAll(() => source?.close())

describe('a migrating column', () => {
  beforeEach(async () => {
    await source.stored(
      `INSERT INTO incoming(name, age, notes, tags) VALUES ('Ada', '36', '{"a":1}', '{x,y}'), ('Bob', null, null, null)`,
    )
    await incoming.insert([
      { name: 'Ada', age: 37, notes: { b: 2 }, tags: ['z'] },
      { name: null },
      { name: 'Cleo', age: 38 },
    ])
  })

  it('reads plaintext and ciphertexts side by side', async () => {
    const found = await incoming.find({ order: { id: 'ASC' } })
    expect(found.map(({ name, age, notes, tags }) => [name, age, notes, tags])).toEqual([
      ['Ada', 36, { a: 1 }, ['x', 'y']],
      ['Bob', null, null, null],
      ['Ada', 37, { b: 2 }, ['z']],
      [null, null, null, null],
      ['Cleo', 38, null, null],
    ])
  })

  it('is written as ciphertext', async () => {
    await incoming.update({ id: 1 }, { name: 'Eve' })
    const [row] = await source.stored('SELECT * FROM incoming WHERE id = 1')
    expect(row).toMatchObject({ name: expect.stringMatching(CIPHERTEXT), nameIndex: expect.any(String), age: '36' })
  })

  it('finds both, by every filter that a column with an index has', async () => {
    const ids = async (where: object) => (await incoming.find({ where, order: { id: 'ASC' } })).map(({ id }) => id)
    expect(await ids({ name: 'Ada' })).toEqual([1, 3])
    expect(await ids({ name: In(['Ada', 'Bob']) })).toEqual([1, 2, 3])
    expect(await ids({ name: Not('Ada') })).toEqual([2, 5])
    expect(await ids({ name: Not(In(['Ada', 'Cleo'])) })).toEqual([2])
    expect(await ids({ name: IsNull() })).toEqual([4])
    expect(await ids({ name: Not(IsNull()) })).toEqual([1, 2, 3, 5])
    expect(await incoming.countBy({ name: 'Bob' })).toBe(1)
  })

  it('is not written by an entity that is saved unchanged', async () => {
    const [first] = await incoming.find({ order: { id: 'ASC' } })
    await incoming.save(first!)
    expect(await source.stored('SELECT name, age FROM incoming WHERE id = 1')).toEqual([{ name: 'Ada', age: '36' }])
  })

  it('refuses what is neither', async () => {
    await source.stored(`UPDATE incoming SET name = 'fs1.4711' WHERE id = 1`)
    const error = await refusal(() => incoming.find())
    expect(error).toMatchObject({ code: 'CIPHERTEXT_INVALID', message: expect.stringContaining('Incoming.name') })
    expect(error.message).not.toContain('4711')
  })

  it('is encrypted by maintenance', async () => {
    const pool = openPool(source.url)
    await encryptionOf(forTenant(source.dataSource, 'acme')).maintain({
      operation: 'encrypt',
      database: pool,
      models: ['Incoming'],
    } as never)
    await pool.end()
    for (const { name } of await source.stored('SELECT name FROM incoming WHERE name IS NOT NULL'))
      expect(name).toMatch(CIPHERTEXT)
    expect((await incoming.find({ order: { id: 'ASC' } })).map(({ age }) => age)).toEqual([36, null, 37, null, 38])
  })
})

describe('an ejecting column', () => {
  it('is written as plaintext, without an index, and reads both', async () => {
    const acme = encryptionOf(forTenant(source.dataSource, 'acme'))
    const sealed = await acme.encrypt('Outgoing.name', 'Grace')
    await source.stored('INSERT INTO outgoing(name, "nameIndex") VALUES ($1, $2)', [sealed, 'old'])
    await outgoing.insert({ name: 'Ada', age: 42, notes: { a: 1 } })
    expect(await source.stored('SELECT * FROM outgoing WHERE id = 2')).toMatchObject([
      { name: 'Ada', nameIndex: null, age: '42', notes: { a: 1 } },
    ])
    expect(await outgoing.find({ order: { id: 'ASC' } })).toMatchObject([
      { name: 'Grace' },
      { name: 'Ada', age: 42, notes: { a: 1 } },
    ])
  })

  it('refuses a text that would read as a torn ciphertext', async () => {
    await refusedBeforeSql(source, () => outgoing.insert({ name: 'fs1.4711' }), {
      code: 'VALUE_INVALID',
      names: 'Outgoing.name',
    })
  })
})
