import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Encrypted, EncryptionKeyColumns, EncryptionKeys } from 'fieldseal/typeorm'
import { Check, ChildEntity, Column, type DataSource, Entity, PrimaryGeneratedColumn, TableInheritance } from 'typeorm'
import { refusal } from '../support/refusal.js'
import { entities } from './entities.js'
import { openEntities, openSource, plainSource, type SourceUnderTest } from './openSource.js'

/** Each kind of storage, with a constraint of its own beside them. */
@Entity('guarded rows')
@Check('more than nothing', '"n" > 0')
class Guarded {
  @PrimaryGeneratedColumn()
  declare id: number

  @Column({ type: 'int', default: 1 })
  declare n: number

  @Encrypted({ nullable: true, name: 'theTextInAColumnWithQuiteALongNämeForThis' })
  declare text: string | null

  @Encrypted({ nullable: true, type: 'Bytes', column: 'bytea' })
  declare bytes: Buffer | null

  @Encrypted({ nullable: true, type: 'Json', column: 'jsonb' })
  declare json: unknown

  @Encrypted({ nullable: true, array: true })
  declare names: string[] | null

  @Encrypted({ nullable: true, state: 'migrating' })
  declare coming: string | null

  @Encrypted({ nullable: true, state: 'ejecting' })
  declare going: string | null
}

@Entity()
@TableInheritance({ column: { name: 'kind', type: 'varchar' } })
class Animal {
  @PrimaryGeneratedColumn()
  declare id: number
}

@ChildEntity()
class Cat extends Animal {
  @Encrypted({ nullable: true })
  declare secret: string | null
}

@EncryptionKeys()
class EncryptionKey extends EncryptionKeyColumns {}

const ENTITIES = [Guarded, Animal, Cat, EncryptionKey]

let source: SourceUnderTest
beforeAll(async () => {
  source = await openEntities(ENTITIES, { encryption: { guards: true } })
})
afterAll(() => source?.close())

const PLAIN = [
  ['"theTextInAColumnWithQuiteALongNämeForThis"', "'Ada'"],
  ['bytes', `'\\x00'`],
  ['json', `'{"a":1}'`],
  ['json', `'null'`],
  ['names', `'{Ada}'`],
]

async function difference(dataSource: DataSource): Promise<string[]> {
  const { upQueries } = await dataSource.driver.createSchemaBuilder().log()
  return upQueries.map(({ query }) => query)
}

const constraints = async () => {
  const rows = await source.stored(`SELECT conname AS name FROM pg_constraint WHERE conname LIKE 'fieldseal%'`)
  return rows.map(({ name }) => name).sort()
}

describe('guards', () => {
  it.each(PLAIN)('let no tool put plaintext into %s: %s', async (column, value) => {
    const insert = source.stored(`INSERT INTO "guarded rows" (${column}) VALUES (${value})`)
    await expect(insert).rejects.toMatchObject({ code: '23514' })
  })

  it('let the data source work, and NULL, empty lists and columns on their way be', async () => {
    const repository = source.dataSource.getRepository(Guarded)
    const row = { text: 'Ada', bytes: Buffer.from('x'), json: { a: 1 }, names: ['x', 'y'], coming: 'in', going: 'out' }
    const { id } = await repository.save(row)
    expect(await repository.findOneByOrFail({ id })).toMatchObject(row)
    await repository.update(id, { text: null, bytes: null, json: null, names: null } as never)
    await source.stored(`INSERT INTO "guarded rows" (coming, names) VALUES ('plain', '{}')`)
    const cats = source.dataSource.getRepository(Cat)
    await cats.save({ secret: 'mouse' })
    expect(await cats.find()).toMatchObject([{ secret: 'mouse' }])
    await expect(source.stored(`UPDATE animal SET secret = 'mouse'`)).rejects.toMatchObject({ code: '23514' })
  })

  it('are what the schema builder finds in the database already', async () => {
    expect(await difference(source.dataSource)).toEqual([])
    expect(await constraints()).toEqual([
      'fieldseal_animal_secret',
      'fieldseal_guarded rows_bytes',
      'fieldseal_guarded rows_json',
      'fieldseal_guarded rows_names',
      expect.stringMatching(/^fieldseal_guarded rows_theTextIn.*_[0-9a-f]{12}$/),
    ])
  })

  it('are taken away by a migration where they are not asked for, and come by one where they are', async () => {
    const without = await source.another({ encryption: { guards: false } })
    const dropped = await difference(without)
    expect(dropped).toHaveLength(5)
    expect(dropped).toContain(`ALTER TABLE "animal" DROP CONSTRAINT "fieldseal_animal_secret"`)
    await without.synchronize()
    expect(await constraints()).toEqual([])
    const added = await difference(source.dataSource)
    expect(added).toContain(
      `ALTER TABLE "animal" ADD CONSTRAINT "fieldseal_animal_secret" CHECK ("secret" LIKE 'fs1.%')`,
    )
    await source.dataSource.synchronize()
    expect(await constraints()).toHaveLength(5)
  })

  it('are of no concern to a data source that is not asked for them', async () => {
    const plain = await plainSource(source.url, { entities: ENTITIES }).initialize()
    const { checks } = plain.getMetadata(Guarded)
    expect(checks.map(({ name }) => name)).toEqual(['more than nothing'])
    await plain.destroy()
  })

  it('are asked for by true or false', async () => {
    const { code, message } = await refusal(() => openSource({ encryption: { guards: 'yes' as never } }))
    expect([code, message]).toEqual(['OPTIONS_INVALID', 'fieldEncryption "guards" must be true or false'])
  })

  it('leave no difference behind with relations, embedded classes, views and inheritance of all kinds', async () => {
    const whole = await openSource({ encryption: { guards: true }, source: { entities } })
    expect(await difference(whole.dataSource)).toEqual([])
    await whole.close()
  })
})
