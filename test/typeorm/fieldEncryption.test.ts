import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { localKms } from 'fieldseal/local-kms'
import { fieldEncryption } from 'fieldseal/typeorm'
import type { DataSource, QueryRunner } from 'typeorm'
import { refusal, refusalCode } from '../support/refusal.js'
import { User } from './entities.js'
import { openSource, plainSource, type SourceUnderTest } from './openSource.js'
import { plantPeople, usersOf } from './people.js'

let source: SourceUnderTest
beforeAll(async () => {
  source = await openSource()
  await plantPeople(source)
})
afterAll(() => source?.close())

const kms = localKms({ key: Buffer.alloc(32, 7).toString('base64') })
const plain = () => plainSource(source.url)
const encrypt = (dataSource: DataSource) => fieldEncryption(dataSource, { kms, defaultTenant: 'acme' })

describe('fieldEncryption', () => {
  it('gives the data source that it was given', () => {
    const dataSource = plain()
    expect(encrypt(dataSource)).toBe(dataSource)
  })

  it('refuses a data source that is initialised already', async () => {
    const dataSource = await plain().initialize()
    expect(await refusalCode(() => encrypt(dataSource))).toBe('OPTIONS_INVALID')
    await dataSource.destroy()
  })

  it('refuses one that is encrypted already', async () => {
    const dataSource = encrypt(plain())
    expect(await refusalCode(() => encrypt(dataSource))).toBe('ALREADY_EXTENDED')
  })

  it('refuses one of another database', async () => {
    const other = { options: { type: 'mysql' }, isInitialized: false } as unknown as DataSource
    expect(await refusalCode(() => encrypt(other))).toBe('OPTIONS_INVALID')
  })

  it('refuses what is no data source, and one of another copy of typeorm', async () => {
    class DataSource {
      options = { type: 'postgres' }
      isInitialized = false
    }
    for (const other of [{}, null, undefined, new DataSource()])
      expect(await refusalCode(() => encrypt(other as never))).toBe('OPTIONS_INVALID')
  })

  it('refuses options that cannot work', async () => {
    for (const options of [
      {},
      { kms: 7 },
      { kms, keys: { ttl: 'soon' } },
      { kms, defaultTenat: 'acme' },
      { kms, schema: {} },
    ])
      expect(await refusalCode(() => fieldEncryption(plain(), options as never))).toBe('OPTIONS_INVALID')
  })

  it('may be ended and begun again', async () => {
    const dataSource = await encrypt(plain()).initialize()
    expect(await usersOf(dataSource).countBy({ email: 'ada@x.org' })).toBe(1)
    await dataSource.destroy()
    await expect(usersOf(dataSource).find()).rejects.toThrow()
    await dataSource.initialize()
    expect(await usersOf(dataSource).findOneBy({ email: 'ada@x.org' })).toMatchObject({ email: 'ada@x.org' })
    await dataSource.destroy()
  })
})

describe('a query runner', () => {
  it('that was released is refused, with nothing sent', async () => {
    const runner = source.dataSource.createQueryRunner()
    await runner.release()
    source.takeSql()
    await expect(runner.query('SELECT email FROM "user"')).rejects.toThrow()
    await expect(runner.manager.find(User)).rejects.toThrow()
    expect(source.takeSql()).toEqual([])
  })

  it('takes a text alone', async () => {
    const runner = source.dataSource.createQueryRunner()
    const config = { text: 'SELECT email FROM "user"', values: [] }
    expect((await refusal(() => runner.query(config as never))).code).toBe('QUERY_UNSUPPORTED')
    await runner.release()
  })

  it('keeps what others have put around it, before and after', async () => {
    const seen: string[] = []
    const dataSource = plain()
    const wrap = (name: string) => {
      const create = dataSource.createQueryRunner.bind(dataSource)
      dataSource.createQueryRunner = (mode) => {
        const runner: QueryRunner = create(mode)
        const query = runner.query.bind(runner) as (...args: unknown[]) => Promise<never>
        runner.query = (...args: unknown[]) => {
          seen.push(`${name} ${args[0]} ${JSON.stringify(args[1])}`)
          return query(...args)
        }
        return runner
      }
    }
    wrap('under')
    encrypt(dataSource)
    await dataSource.initialize()
    wrap('over')
    expect(await usersOf(dataSource).findOneByOrFail({ email: 'ada@x.org' })).toMatchObject({ email: 'ada@x.org' })
    const under = seen.filter((line) => line.startsWith('under') && line.includes('"user"'))
    expect(under).toHaveLength(1)
    expect(under[0]).not.toContain('ada@')
    const over = seen.filter((line) => line.startsWith('over') && line.includes('"user"'))
    expect(over).toHaveLength(1)
    expect(over[0]).not.toContain('ada@')
    await dataSource.destroy()
  })

  it('of many at once gives each its own', async () => {
    const users = usersOf(source.dataSource)
    const emails = ['ada@x.org', 'Bobby@x.org', 'c1@x.org', 'c3@x.org']
    const asked = Array.from({ length: 100 }, (_, n) => emails[n % 4]!)
    const found = await Promise.all(asked.map((email) => users.findOneByOrFail({ email })))
    expect(found.map(({ email }) => email)).toEqual(asked)
  })
})
