import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { refusal, refusalCode } from '../support/refusal.js'
import { ended, prepared, trouble } from './fakeEncryption.js'
import { Author, encrypting, type FakeSource, fieldseal, openFake } from './fakeSource.js'

let source: FakeSource
beforeAll(async () => {
  source = await openFake()
  await fieldseal.forTenant(source.dataSource, 'acme').getRepository(Author).insert({ name: 'Ada' })
})
beforeEach(() => {
  trouble.start = undefined
  ended.count = 0
  prepared.length = 0
})
afterAll(() => source?.close())

const acmes = (dataSource: FakeSource['dataSource']) =>
  fieldseal.forTenant(dataSource, 'acme').getRepository(Author).find()

describe('the encryption of a data source', () => {
  it('begins with initialize(), ends with destroy(), and begins anew', async () => {
    const dataSource = encrypting(source.another())
    expect((await refusal(() => fieldseal.encryptionOf(dataSource))).message).toContain('initialize() first')
    for (let times = 1; times <= 2; times += 1) {
      await dataSource.initialize()
      expect(await acmes(dataSource)).toHaveLength(1)
      await dataSource.destroy()
      expect(ended.count).toBe(times)
      await expect(acmes(dataSource)).rejects.not.toMatchObject({ name: 'FieldsealError' })
      expect(await refusalCode(() => fieldseal.encryptionOf(dataSource))).toBe('OPTIONS_INVALID')
    }
  })

  it('is watched once, by counters that do not fall when it ends or begins anew', async () => {
    const watched: (() => object)[] = []
    const telemetry = { onEvent: () => undefined, watch: (read: () => object) => void watched.push(read) }
    const dataSource = encrypting(source.another(), { telemetry })
    const seen: object[] = []
    for (let times = 1; times <= 2; times += 1) {
      await dataSource.initialize()
      seen.push(watched[0]!())
      await dataSource.destroy()
      seen.push(watched[0]!())
    }
    expect(watched).toHaveLength(1)
    expect(seen).toEqual([
      { cachedDeks: 1, cacheHits: 2, cacheMisses: 3 },
      { cachedDeks: 0, cacheHits: 2, cacheMisses: 3 },
      { cachedDeks: 1, cacheHits: 4, cacheMisses: 6 },
      { cachedDeks: 0, cacheHits: 4, cacheMisses: 6 },
    ])
  })

  it('that cannot begin lets initialize() fail, before any statement, and may begin later', async () => {
    const dataSource = encrypting(source.another({ synchronize: true }))
    trouble.start = new Error('the entities are marked wrongly')
    await expect(dataSource.initialize()).rejects.toBe(trouble.start)
    expect([dataSource.isInitialized, prepared.length]).toEqual([false, 0])
    await expect(dataSource.query('SELECT 1')).rejects.not.toBe(trouble.start)
    trouble.start = undefined
    await dataSource.initialize()
    expect(await acmes(dataSource)).toHaveLength(1)
    await dataSource.destroy()
  })

  it('is there for the first statement: before, none is sent, also of who does not await initialize()', async () => {
    const dataSource = encrypting(source.another())
    const original = dataSource.driver.connect.bind(dataSource.driver)
    let early: Promise<unknown> | undefined
    Object.assign(dataSource.driver, {
      connect: async () => {
        await original()
        queueMicrotask(() => {
          early = dataSource.query('SELECT name FROM author')
          early.catch(() => undefined)
        })
      },
    })
    await dataSource.initialize()
    expect(await refusalCode(() => early)).toBe('OPTIONS_INVALID')
    await dataSource.destroy()
  })

  it('encrypts what TypeORM itself sends at the start, too', async () => {
    const dataSource = encrypting(source.another({ synchronize: true }))
    await dataSource.initialize()
    expect(prepared.some(({ text }) => text.includes('information_schema'))).toBe(true)
    await dataSource.destroy()
  })
})
