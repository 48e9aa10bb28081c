import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { In } from 'typeorm'
import { City, User } from './entities.js'
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
    other.setOptions({ cache: { type: 'database', alwaysEnabled: true } })
    await other.queryResultCache?.synchronize()
    await refusedBeforeSql(source, () => other.getRepository(User).find(), CACHE)
    expect(await other.getRepository(User).find({ cache: false })).toHaveLength(5)
    await other.destroy()
  })
})
