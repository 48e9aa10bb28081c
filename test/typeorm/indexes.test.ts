import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import {
  acrossTenants,
  BlindIndex,
  Encrypted,
  EncryptionKeyColumns,
  EncryptionKeys,
  encryptionOf,
  forTenant,
} from 'fieldseal/typeorm'
import { Column, Entity, In, Index, Not, PrimaryGeneratedColumn, type Repository } from 'typeorm'
import { openEntities, type SourceUnderTest } from './openSource.js'
import { emptyTables } from './people.js'
import { refusedBeforeSql } from './refusedBeforeSql.js'

@Entity()
@Index(['group', 'loginIndex'], { unique: true })
class Citizen {
  @PrimaryGeneratedColumn()
  declare id: number

  @Column({ type: 'int', default: 0 })
  declare group: number

  @Encrypted({ nullable: true })
  declare lastName: string | null

  @Encrypted({ type: 'DateTime', nullable: true })
  declare birthDate: Date | null

  /** Of both together. */
  @BlindIndex<Citizen>(['lastName', 'birthDate'], { normalize: ['lowercase'] })
  declare personIndex?: string

  @Encrypted({ nullable: true })
  declare city: string | null

  /** Many cities have the same. */
  @Index('cities')
  @BlindIndex<Citizen>('city', { bits: 8 })
  declare cityIndex?: string

  @Encrypted({ nullable: true })
  declare passport: string | null

  @BlindIndex<Citizen>('passport', { scope: 'global', unique: true, column: 'bytea' })
  declare passportIndex?: Uint8Array

  @Encrypted({ nullable: true })
  declare login: string | null

  @BlindIndex<Citizen>('login', { normalize: ['trim', 'reversed'] })
  declare loginIndex?: string
}

@EncryptionKeys()
class Keys extends EncryptionKeyColumns {}

let source: SourceUnderTest
let citizens: Repository<Citizen>
beforeAll(async () => {
  const normalizers = { reversed: (text: string) => [...text].reverse().join('') }
  source = await openEntities([Citizen, Keys], { encryption: { normalizers } })
  citizens = source.dataSource.getRepository(Citizen)
})
beforeEach(() => emptyTables(source))
afterAll(() => source?.close())

const born = new Date('1815-12-10')

describe('an index over several columns', () => {
  beforeEach(() =>
    citizens.insert([
      { lastName: 'Lovelace', birthDate: born },
      { lastName: 'Lovelace', birthDate: new Date(0) },
      { lastName: 'Byron', birthDate: born },
      { lastName: 'Lovelace', birthDate: null },
    ]),
  )

  it('finds by all of them', async () => {
    expect(await citizens.findBy({ lastName: 'LOVELACE', birthDate: born })).toMatchObject([{ id: 1 }])
    expect(await citizens.countBy({ lastName: 'Byron', birthDate: new Date(0) })).toBe(0)
  })

  it('is null where one of them is', async () => {
    const rows = await source.stored('SELECT "personIndex" AS i FROM citizen ORDER BY id')
    expect(rows.map(({ i }) => i === null)).toEqual([false, false, false, true])
  })

  it('is refused for one of them alone', async () => {
    const alone = () => citizens.findBy({ lastName: 'Lovelace' })
    await refusedBeforeSql(source, alone, { names: 'Citizen.lastName' })
  })

  it('is written when all are, and a write of one alone is refused', async () => {
    await citizens.update(1, { lastName: 'King', birthDate: born })
    expect(await citizens.countBy({ lastName: 'king', birthDate: born })).toBe(1)
    await refusedBeforeSql(source, () => citizens.update(1, { lastName: 'Noel' }), { names: 'Citizen.' })
  })
})

describe('an index of few bits', () => {
  const names = Array.from({ length: 600 }, (_, n) => `city ${n}`)
  beforeEach(() => citizens.insert(names.map((city) => ({ city }))))

  it('finds the rows that are meant, and no others', async () => {
    expect((await citizens.findBy({ city: 'city 7' })).map(({ city }) => city)).toEqual(['city 7'])
    const found = await citizens.findBy({ city: In(['city 1', 'city 2', 'none']) })
    expect(found.map(({ city }) => city).sort()).toEqual(['city 1', 'city 2'])
    const raw = await source.dataSource.query('SELECT id, city FROM citizen WHERE city = $1', ['city 9'])
    expect(raw).toEqual([{ id: expect.any(Number), city: 'city 9' }])
    const ids = await source.dataSource.query('SELECT id FROM citizen WHERE city = $1', ['city 9'])
    expect(ids).toEqual([{ id: raw[0].id }])
  })

  it.each<[string, () => Promise<unknown>]>([
    ['counted', () => citizens.countBy({ city: 'city 7' })],
    ['paged', () => citizens.find({ where: { city: 'city 7' }, take: 1, order: { id: 'ASC' } })],
    ['excluded', () => citizens.findBy({ city: Not('city 7') })],
    ['changed', () => citizens.update({ city: 'city 7' }, { group: 1 })],
    ['deleted', () => citizens.delete({ city: 'city 7' })],
    ['alternatives', () => citizens.find({ where: [{ city: 'city 7' }, { group: 2 }] })],
    [
      'found beneath',
      () => source.dataSource.query('SELECT 1 WHERE EXISTS (SELECT FROM citizen WHERE city = $1)', ['x']),
    ],
  ])('is refused where rows would be %s by mistake', async (_, work) => {
    await refusedBeforeSql(source, work, { names: 'Citizen.city' })
  })
})

describe('a global index', () => {
  it('finds across tenants, and is unique among all', async () => {
    const [acme, globex] = ['acme', 'globex'].map((tenant) => forTenant(source.dataSource, tenant))
    await acme!.getRepository(Citizen).insert({ passport: 'P1' })
    await globex!.getRepository(Citizen).insert({ passport: 'P2' })
    await expect(globex!.getRepository(Citizen).insert({ passport: 'P1' })).rejects.toMatchObject({ code: '23505' })
    const across = acrossTenants(source.dataSource).getRepository(Citizen)
    expect(await across.findBy({ passport: In(['P1', 'P2']) })).toHaveLength(2)
  })
})

describe('an index of the database beside a blind index', () => {
  it('is made as that of any column', async () => {
    const { upQueries } = await source.dataSource.driver.createSchemaBuilder().log()
    expect(upQueries).toEqual([])
    const [made] = await source.stored(`SELECT indexdef FROM pg_indexes WHERE indexname = 'cities'`)
    expect(made!.indexdef).toMatch(/USING btree \("cityIndex"\)$/)
  })
})

describe('an index in a compound unique one', () => {
  it('decides conflicts', async () => {
    await citizens.insert({ group: 1, login: 'ada' })
    await citizens.insert({ group: 2, login: 'ada' })
    await expect(citizens.insert({ group: 1, login: ' ada ' })).rejects.toMatchObject({ code: '23505' })
    await citizens.upsert({ group: 1, login: 'ada', city: 'Rome' }, ['group', 'login'])
    expect(await citizens.findBy({ login: 'ada', group: 1 })).toMatchObject([{ city: 'Rome' }])
    expect(await citizens.count()).toBe(2)
  })

  it('uses normalisers of the application', async () => {
    await citizens.insert({ login: 'abc' })
    const index = await encryptionOf(forTenant(source.dataSource, 'acme')).blindIndex('Citizen.loginIndex', 'abc')
    expect(await source.stored('SELECT "loginIndex" AS i FROM citizen')).toEqual([{ i: index }])
  })
})
