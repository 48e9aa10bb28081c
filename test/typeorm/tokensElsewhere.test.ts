import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import {
  acrossTenants,
  Encrypted,
  EncryptedView,
  EncryptionKeyColumns,
  EncryptionKeys,
  RangeIndex,
  Tenant,
  TextIndex,
  Words,
} from 'fieldseal/typeorm'
import {
  Between,
  Column,
  Entity,
  ILike,
  LessThan,
  Like,
  ManyToOne,
  MoreThan,
  Not,
  OneToMany,
  PrimaryGeneratedColumn,
  type Repository,
  ViewColumn,
  ViewEntity,
} from 'typeorm'
import { openEntities, type SourceUnderTest } from './openSource.js'
import { emptyTables } from './people.js'
import { refusedBeforeSql } from './refusedBeforeSql.js'

class Name {
  @Encrypted({ nullable: true })
  declare last: string | null

  @TextIndex<Name>('last', { prefix: [1, 3], words: true, normalize: ['lowercase'] })
  declare lastTokens?: string[]
}

@Entity()
class Ward {
  @PrimaryGeneratedColumn()
  declare id: number

  @Encrypted({ type: 'Int' })
  declare beds: number

  @RangeIndex<Ward>('beds', { min: 0, max: 100, scope: 'global' })
  declare bedsTokens?: string[]

  @OneToMany(
    () => Patient,
    (patient) => patient.ward,
  )
  declare patients: Patient[]
}

@Entity()
class Patient {
  @PrimaryGeneratedColumn()
  declare id: number

  @Column(() => Name)
  declare name: Name

  /** Half of its rows are plaintext. */
  @Encrypted({ type: 'Int', state: 'migrating', nullable: true })
  declare age: number | null

  @RangeIndex<Patient>('age', { min: 0, max: 150 })
  declare ageTokens?: string[]

  @Encrypted({ state: 'migrating', nullable: true })
  declare city: string | null

  @TextIndex<Patient>('city', { prefix: [1, 3], suffix: [1, 3] })
  declare cityTokens?: string[]

  @TextIndex<Patient>('city', { grams: 2, words: true, normalize: ['lowercase'] })
  declare cityWords?: string[]

  @Encrypted({ type: 'Int', state: 'ejecting', nullable: true })
  declare height: number | null

  @RangeIndex<Patient>('height', { min: 0, max: 300 })
  declare heightTokens?: string[]

  @ManyToOne(
    () => Ward,
    (ward) => ward.patients,
  )
  declare ward: Ward | null
}

@Entity()
class Bill {
  @PrimaryGeneratedColumn()
  declare id: number

  @Tenant()
  @Column('text')
  declare owner: string

  @Encrypted({ type: 'Decimal' })
  declare amount: string

  @RangeIndex<Bill>('amount', { min: 0, max: 1000, scale: 2, scope: 'global' })
  declare amountTokens?: string[]

  @Encrypted({ type: 'Int' })
  declare number: number

  @RangeIndex<Bill>('number', { min: 0, max: 1000 })
  declare numberTokens?: string[]
}

@ViewEntity({ expression: 'SELECT id, beds, "bedsTokens" AS tokens FROM ward' })
class Beds {
  @ViewColumn()
  declare id: number

  @EncryptedView('Ward.beds')
  declare beds: number

  @EncryptedView('Ward.bedsTokens', { select: false })
  declare tokens?: string[]
}

@ViewEntity({ expression: 'SELECT id, beds FROM ward' })
class BedsAlone {
  @ViewColumn()
  declare id: number

  @EncryptedView('Ward.beds')
  declare beds: number
}

@EncryptionKeys()
class Keys extends EncryptionKeyColumns {}

let source: SourceUnderTest
let patients: Repository<Patient>
let wards: Repository<Ward>
beforeAll(async () => {
  source = await openEntities([Ward, Patient, Bill, Beds, BedsAlone, Keys])
  patients = source.dataSource.getRepository(Patient)
  wards = source.dataSource.getRepository(Ward)
})
afterAll(() => source?.close())

const idsOf = (rows: readonly { id: number }[]) => rows.map(({ id }) => id).sort()

describe('tokens of embedded and related entities', () => {
  beforeEach(async () => {
    await emptyTables(source)
    const [small, large] = await wards.save([{ beds: 5 }, { beds: 50 }])
    await patients.save([
      { name: { last: 'Lovelace' }, ward: small! },
      { name: { last: 'lovett of Ipswich' }, ward: large! },
      { name: { last: null }, ward: large! },
    ])
  })

  it('find by a property of an embedded object', async () => {
    expect(idsOf(await patients.findBy({ name: { last: Like('Lov%') } }))).toEqual([1, 2])
    expect(idsOf(await patients.findBy({ name: { last: ILike('LOVEL%') } }))).toEqual([1])
    expect(idsOf(await patients.findBy({ name: { last: Not(Like('x%')) } }))).toEqual([1, 2])
    expect(idsOf(await patients.findBy({ name: { last: Words('ipswich') } }))).toEqual([2])
  })

  it('find through relations, from both sides', async () => {
    expect(idsOf(await patients.find({ where: { ward: { beds: MoreThan(10) } } }))).toEqual([2, 3])
    const found = await wards.find({
      where: { patients: { name: { last: Like('lov%') } } },
      relations: { patients: true },
    })
    expect(idsOf(found)).toEqual([1, 2])
    expect(await wards.count({ where: { patients: { name: { last: Like('lov%') } }, beds: LessThan(50) } })).toBe(1)
    const query = wards
      .createQueryBuilder('w')
      .leftJoinAndSelect('w.patients', 'p', 'p.name.last LIKE :like', { like: 'lo%' })
    const joined = await query.orderBy('w.id').getMany()
    expect(joined.map((ward) => ward.patients.length)).toEqual([1, 1])
  })

  it('find in a stream, without what was found besides', async () => {
    const names: unknown[] = []
    const query = patients.createQueryBuilder('p').where('p.name.last LIKE :like', { like: 'lovel%' })
    for await (const row of await query.stream()) names.push(row)
    expect(names).toMatchObject([{ p_id: 1 }])
  })

  it('find in a view that shows them, and are refused in one that does not', async () => {
    const { dataSource } = source
    expect(await dataSource.getRepository(Beds).findBy({ beds: Between(6, 60) })).toEqual([{ id: 2, beds: 50 }])
    const alone = () => dataSource.getRepository(BedsAlone).findBy({ beds: Between(6, 60) })
    await refusedBeforeSql(source, alone, { names: 'Ward.beds is searched through Ward.bedsTokens' })
  })
})

describe('columns under way', () => {
  beforeEach(async () => {
    await emptyTables(source)
    await patients.insert(
      [30, 40, 50, null].map((age, n) => ({ age, city: ['London', 'Lyon', 'york', null][n]!, height: age })),
    )
    await source.stored(`UPDATE patient SET age = '40', "ageTokens" = NULL WHERE id = 2`)
    await source.stored(`UPDATE patient SET age = '7', "ageTokens" = '{}' WHERE id = 3`)
    await source.stored(`UPDATE patient SET city = 'Lyon', "cityTokens" = NULL, "cityWords" = NULL WHERE id = 2`)
    source.takeSql()
  })

  it('are compared in both kinds of rows', async () => {
    const ages = async (age: never) => (await patients.findBy({ age })).map((each) => each.age).sort()
    expect(await ages(MoreThan(35) as never)).toEqual([40])
    expect(await ages(LessThan(35) as never)).toEqual([30, 7])
    expect(await ages(Between(7, 30) as never)).toEqual([30, 7])
    expect(idsOf(await patients.query('SELECT id FROM patient WHERE age NOT BETWEEN $1 AND $2', [8, 39]))).toEqual([
      2, 3,
    ])
    expect(idsOf(await patients.findBy({ height: MoreThan(35) }))).toEqual([2, 3])
    const stored = await source.stored('SELECT "heightTokens" AS t, height FROM patient ORDER BY id')
    expect(stored.map(({ t, height }) => [t, height])).toEqual([
      [null, '30'],
      [null, '40'],
      [null, '50'],
      [null, null],
    ])
  })

  it('are found by the plaintext that is there, whatever tokens were left beside it', async () => {
    await source.stored(`UPDATE patient SET city = 'Rome', "cityTokens" = o."cityTokens", age = '90', "ageTokens" = o."ageTokens"
      FROM (SELECT "cityTokens", "ageTokens" FROM patient WHERE id = 1) o WHERE id = 2`)
    expect(idsOf(await patients.findBy({ city: Like('Lo%') }))).toEqual([1])
    expect(await patients.countBy({ city: Like('Ro%') })).toBe(1)
    expect(await patients.countBy({ city: Not(Like('Lo%')) })).toBe(2)
    expect(idsOf(await patients.findBy({ age: MoreThan(80) }))).toEqual([2])
    expect(idsOf(await patients.findBy({ age: LessThan(35) }))).toEqual([1, 3])
  })

  it('have beginnings and ends in both kinds of rows, everywhere where the index normalises nothing', async () => {
    expect(idsOf(await patients.findBy({ city: Like('L%') }))).toEqual([1, 2])
    expect(idsOf(await patients.findBy({ city: Not(Like('Lo%')) }))).toEqual([2, 3])
    expect(idsOf(await patients.findBy([{ city: Like('%on') }, { id: 4 }]))).toEqual([1, 2, 4])
    expect(await patients.countBy({ city: Like('%on') })).toBe(2)
    expect(await patients.countBy({ city: Like('f%') })).toBe(0)
    expect(idsOf(await patients.findBy({ city: Like('Lond%') }))).toEqual([1])
    expect(idsOf(await patients.findBy({ city: Like('%yo%') }))).toEqual([2, 3])
    expect(idsOf(await patients.findBy({ city: ILike('%YO%') }))).toEqual([2, 3])
    expect(idsOf(await patients.findBy({ city: Words('LYON') }))).toEqual([2])
    const isNull = 'SELECT id FROM patient WHERE (city LIKE $1) IS NULL'
    expect(await patients.query(isNull, ['L%'])).toEqual([{ id: 4 }])
  })

  it('are refused where rows cannot be looked at afterwards', async () => {
    for (const work of [
      () => patients.countBy({ age: MoreThan(35) }),
      () => patients.findBy({ age: Not(MoreThan(35)) }),
      () => patients.findBy([{ age: MoreThan(35) }, { id: 1 }]),
      () => patients.delete({ age: MoreThan(35) }),
    ])
      await refusedBeforeSql(source, work, { names: 'Patient.age is searched through Patient.ageTokens' })
    const words = () => patients.countBy({ city: Words('Lyon') })
    await refusedBeforeSql(source, words, { names: 'Patient.city is searched through Patient.cityWords' })
  })
})

describe('rows of all tenants', () => {
  it('are compared by an index of all, and by no other', async () => {
    await emptyTables(source)
    const bills = acrossTenants(source.dataSource).getRepository(Bill)
    await bills.insert([
      { owner: 'acme', amount: '10.5', number: 1 },
      { owner: 'globex', amount: '20', number: 2 },
    ])
    const found = await bills.find({ where: { amount: MoreThan('10.25') }, order: { id: 'ASC' } })
    expect(found.map(({ owner, amount }) => [owner, amount])).toEqual([
      ['acme', '10.5'],
      ['globex', '20'],
    ])
    const alone = () => bills.findBy({ number: MoreThan(1) })
    await refusedBeforeSql(source, alone, { code: 'TENANT_MISSING', names: 'Bill.number' })
    expect(await bills.findBy({ owner: 'globex', number: MoreThan(1) })).toMatchObject([{ number: 2 }])
  })
})
