import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { type DataSource, In } from 'typeorm'
import { City } from './entities.js'
import { openSource, type SourceUnderTest } from './openSource.js'
import { plantPeople, usersOf } from './people.js'
import { refusedBeforeSql } from './refusedBeforeSql.js'

let source: SourceUnderTest
beforeAll(async () => {
  source = await openSource({ source: { cache: { type: 'database' } } })
  await plantPeople(source)
  await source.dataSource.getRepository(City).insert({ name: 'Bonn' })
})
afterAll(() => source?.close())

const CACHE = { names: 'cache' }

describe('the result cache', () => {
  it('keeps what is not encrypted', async () => {
    const cities = source.dataSource.getRepository(City)
    const find = () => cities.find({ where: { name: 'Bonn' }, cache: 60_000 })
    expect(await find()).toMatchObject([{ name: 'Bonn' }])
    await cities.update({ name: 'Bonn' }, { name: 'Berlin' })
    expect(await find()).toMatchObject([{ name: 'Bonn' }])
  })

  it('keeps other columns of a table that has encrypted ones', async () => {
    const users = usersOf(source.dataSource)
    expect(await users.find({ select: { id: true, n: true }, where: { n: 5 }, cache: true })).toHaveLength(1)
  })

  it('is refused values, as results and as searches, before any SQL', async () => {
    const users = usersOf(source.dataSource)
    await refusedBeforeSql(source, () => users.find({ cache: 1000 }), CACHE)
    await refusedBeforeSql(source, () => users.find({ where: { email: 'ada@x.org' }, cache: 1000 }), CACHE)
    const ids = () => users.find({ select: { id: true }, where: { email: In(['ada@x.org']) }, cache: true })
    await refusedBeforeSql(source, ids, CACHE)
    await refusedBeforeSql(source, () => users.createQueryBuilder('u').cache('mine', 1000).getMany(), CACHE)
    await refusedBeforeSql(source, () => users.findAndCount({ where: { email: 'x' }, cache: 1000 }), CACHE)
  })

  it('holds no value', async () => {
    const rows = await source.stored('SELECT * FROM "query-result-cache"')
    expect(rows.length).toBeGreaterThan(0)
    expect(JSON.stringify(rows)).not.toMatch(/ada@|fs1\./)
  })

  it('is guarded where it is set later', async () => {
    const other = await source.another()
    other.setOptions({ cache: { type: 'database' } })
    await other.queryResultCache?.synchronize()
    await refusedBeforeSql(source, () => usersOf(other).find({ cache: true }), CACHE)
    expect(await usersOf(other).find()).toHaveLength(5)
    await other.destroy()
  })
})

describe('a result cache that is always enabled', () => {
  let always: DataSource
  const cached = () => source.stored('SELECT * FROM "always-cache"')
  beforeAll(async () => {
    const cache = { type: 'database', tableName: 'always-cache', alwaysEnabled: true, duration: 60_000 } as const
    always = await source.another({ source: { cache } })
    await always.queryResultCache?.synchronize()
  })
  beforeEach(() => source.stored('TRUNCATE "always-cache"'))

  it('keeps what is not encrypted', async () => {
    await always.getRepository(City).insert({ name: 'Rome' })
    const find = () => always.getRepository(City).findBy({ name: 'Rome' })
    expect(await find()).toHaveLength(1)
    await always.getRepository(City).delete({ name: 'Rome' })
    expect(await find()).toHaveLength(1)
    expect(await cached()).toHaveLength(1)
  })

  it('is passed by where values are read and searched for, which are those of now', async () => {
    const users = usersOf(always)
    const ada = await users.findOneByOrFail({ email: 'ada@x.org' })
    await users.save(Object.assign(ada, { email: 'ada@y.org' }))
    expect(await users.findOneBy({ email: 'ada@x.org' })).toBeNull()
    expect(
      await users.findAndCount({ where: { email: 'ada@y.org' }, take: 1, relations: { posts: true } }),
    ).toMatchObject([[{ email: 'ada@y.org', posts: [{ body: 'hello' }, {}] }], 1])
    expect(await users.createQueryBuilder('u').select('u.email', 'email').where('u.id = :id', ada).getRawOne()).toEqual(
      {
        email: 'ada@y.org',
      },
    )
    await users.save({ ...ada, email: 'ada@x.org' })
    expect(await cached()).toEqual([])
  })

  it('is refused values where a query asks for it by a name or a time of its own', async () => {
    const users = usersOf(always)
    await refusedBeforeSql(source, () => users.find({ cache: 1_234 }), CACHE)
    await refusedBeforeSql(source, () => users.find({ cache: { id: 'mine', milliseconds: 60_000 } }), CACHE)
    await refusedBeforeSql(source, () => users.createQueryBuilder('u').cache('mine').getMany(), CACHE)
    // Asks for no more than is done with every query.
    expect(await users.find({ cache: true })).toHaveLength(5)
    expect(await users.find({ cache: false })).toHaveLength(5)
    expect(await cached()).toEqual([])
  })
})
