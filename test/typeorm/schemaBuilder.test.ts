import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { openSource, type SourceUnderTest } from './openSource.js'

let source: SourceUnderTest
beforeAll(async () => {
  source = await openSource()
})
afterAll(() => source?.close())

describe('the schema builder', () => {
  it('finds no difference after a synchronisation', async () => {
    const { upQueries } = await source.dataSource.driver.createSchemaBuilder().log()
    expect(upQueries.map(({ query }) => query)).toEqual([])
  })

  it('makes ordinary columns', async () => {
    const columns = await source.stored(
      `SELECT column_name AS name, data_type AS type, is_nullable AS nullable FROM information_schema.columns
       WHERE table_name = 'user' AND column_name LIKE 'email%' ORDER BY 1`,
    )
    expect(columns).toEqual([
      { name: 'email', type: 'text', nullable: 'YES' },
      { name: 'emailIndex', type: 'text', nullable: 'YES' },
    ])
  })

  it('makes the keys table as Prisma makes it', async () => {
    const columns = await source.stored(
      `SELECT column_name AS name, udt_name AS type, is_nullable AS nullable, datetime_precision AS precision
       FROM information_schema.columns WHERE table_name = 'encryption_keys' ORDER BY ordinal_position`,
    )
    const of = (name: string, type: string, nullable = 'NO', precision: number | null = null) => ({
      name,
      type,
      nullable,
      precision,
    })
    expect(columns).toEqual([
      of('id', 'uuid'),
      of('tenant', 'text'),
      of('purpose', 'text'),
      of('version', 'int4'),
      of('state', 'text'),
      of('wrapped', 'text', 'YES'),
      of('kms', 'text'),
      of('kekId', 'text'),
      of('messages', 'int8'),
      of('createdAt', 'timestamp', 'NO', 3),
      of('retiredAt', 'timestamp', 'YES', 3),
      of('destroyedAt', 'timestamp', 'YES', 3),
    ])
  })

  it('runs again, and migrations beside it', async () => {
    await source.dataSource.synchronize()
    expect(await source.dataSource.showMigrations()).toBe(false)
    expect(await source.dataSource.runMigrations()).toEqual([])
  })
})
