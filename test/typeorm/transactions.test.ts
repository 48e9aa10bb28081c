import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { type KmsEmulator, startKmsEmulator } from 'fieldseal/testing'
import { forTenant } from 'fieldseal/typeorm'
import type { DataSource, EntityManager } from 'typeorm'
import { emulatedKms } from '../support/clinic.js'
import { refusal } from '../support/refusal.js'
import { User } from './entities.js'
import { openSource, type SourceUnderTest } from './openSource.js'
import { emptyTables, usersOf } from './people.js'

let source: SourceUnderTest
let emulator: KmsEmulator
let dataSource: DataSource
beforeAll(async () => {
  emulator = await startKmsEmulator()
  source = await openSource({ encryption: { kms: emulatedKms(emulator, { maxRetries: 0, timeout: 500 }) } })
  dataSource = source.dataSource
})
beforeEach(async () => {
  emulator.faults.clear()
  await emptyTables(source)
})
afterAll(async () => {
  await source?.close()
  await emulator.close()
})

const insert = (manager: EntityManager, email: string) => manager.save(User, { email, profile: {} })

describe('a transaction', () => {
  it('reads what it has written', async () => {
    await dataSource.transaction(async (manager) => {
      await insert(manager, 'tx@x.org')
      expect(await manager.findOneByOrFail(User, { email: 'tx@x.org' })).toMatchObject({ email: 'tx@x.org' })
    })
    expect(await usersOf(dataSource).countBy({ email: 'tx@x.org' })).toBe(1)
  })

  it('that is rolled back leaves nothing', async () => {
    await insert(dataSource.manager, 'tx@x.org')
    const runner = dataSource.createQueryRunner()
    await runner.startTransaction()
    await runner.manager.update(User, { email: 'tx@x.org' }, { email: 'tx2@x.org' })
    await runner.rollbackTransaction()
    await runner.release()
    expect(await usersOf(dataSource).existsBy({ email: 'tx@x.org' })).toBe(true)
  })

  it('within another is a savepoint', async () => {
    await dataSource.transaction(async (outer) => {
      await insert(outer, 'outer@x.org')
      const inner = outer.transaction(async (manager) => {
        await insert(manager, 'inner@x.org')
        throw new Error('back')
      })
      await expect(inner).rejects.toThrow('back')
    })
    expect((await usersOf(dataSource).find()).map(({ email }) => email)).toEqual(['outer@x.org'])
  })

  it('that is rolled back keeps the key that it needed first, which others may use by now', async () => {
    const fresh = forTenant(dataSource, 'rolled-back')
    const work = fresh.transaction(async (manager) => {
      await insert(manager, 'r@x.org')
      throw new Error('back')
    })
    await expect(work).rejects.toThrow('back')
    const keys = await source.stored(
      `SELECT purpose FROM encryption_keys WHERE tenant = 'rolled-back' ORDER BY purpose`,
    )
    expect(keys).toEqual([{ purpose: 'encrypt' }, { purpose: 'index' }])
    await insert(fresh.manager, 'r@x.org')
    expect(await usersOf(fresh).find()).toMatchObject([{ email: 'r@x.org' }])
  })

  it('has its keys before it begins, so that a pool of one connection is enough', async () => {
    const narrow = await source.another({ source: { poolSize: 1 } })
    const bound = forTenant(narrow, 'narrow')
    await bound.transaction(async (manager) => {
      await insert(manager, 'n@x.org')
      expect(await manager.countBy(User, { email: 'n@x.org' })).toBe(1)
    })
    await narrow.destroy()
  })

  it('that is begun in SQL gets its keys beside it, and they outlive its end', async () => {
    const narrow = await source.another({ source: { poolSize: 1 } })
    const bound = forTenant(narrow, 'by-hand')
    const runner = bound.createQueryRunner()
    for (const begin of ['BEGIN', 'START TRANSACTION ISOLATION LEVEL SERIALIZABLE', 'BEGIN; SAVEPOINT here']) {
      await runner.query(begin)
      await runner.manager.insert(User, { email: 'h@x.org', profile: {} })
      expect(await runner.manager.countBy(User, { email: 'h@x.org' })).toBe(1)
      await runner.query('ROLLBACK')
    }
    await runner.release()
    await insert(bound.manager, 'h@x.org')
    expect(await usersOf(bound).find()).toMatchObject([{ email: 'h@x.org' }])
    expect(await source.stored(`SELECT FROM encryption_keys WHERE tenant = 'by-hand'`)).toHaveLength(2)
    await narrow.destroy()
  })

  it('of many at once on a narrow pool do not wait for each other for ever', async () => {
    const narrow = await source.another({ source: { poolSize: 2 } })
    const work = (n: number) =>
      forTenant(narrow, `t${n % 5}`).transaction((manager) => insert(manager, `${n}@x.org`).then(() => n))
    expect(await Promise.all(Array.from({ length: 20 }, (_, n) => work(n)))).toHaveLength(20)
    await narrow.destroy()
  })
})

describe('while the KMS is down', () => {
  const down = () => emulator.faults.add({ kind: 'status', status: 500, times: 'always' })

  it('a transaction whose keys are known goes on', async () => {
    await insert(dataSource.manager, 'before@x.org')
    await dataSource.transaction(async (manager) => {
      down()
      await insert(manager, 'during@x.org')
      expect(await manager.countBy(User, { email: 'during@x.org' })).toBe(1)
    })
    expect(await usersOf(dataSource).count()).toBe(2)
  })

  it('a tenant whose key nobody has is refused in mid-transaction, which can still be rolled back', async () => {
    const another = await source.another({ defaultTenant: 'acme' })
    await insert(another.manager, 'warm@x.org')
    const runner = another.createQueryRunner()
    await runner.startTransaction()
    await runner.manager.update(User, { email: 'warm@x.org' }, { n: 7 })
    down()
    const stranger = forTenant(another, 'stranger')
    source.takeSql()
    const error = await refusal(() => stranger.manager.getRepository(User).insert({ email: 's@x.org', profile: {} }))
    expect(error.code).toMatch(/^KMS_/)
    expect(error.message).not.toContain('s@x.org')
    expect(source.takeSql()).toEqual([])
    await runner.rollbackTransaction()
    await runner.release()
    emulator.faults.clear()
    expect(await usersOf(another).findOneBy({ email: 'warm@x.org' })).toMatchObject({ n: 0 })
    await another.destroy()
  })

  it('a transaction that is begun in SQL waits for a key as long as others do, and no longer', async () => {
    const kms = emulatedKms(emulator, { maxRetries: 0, timeout: 10_000 })
    const hasty = await source.another({ encryption: { kms, keys: { transactionWait: 1_000 } } })
    await insert(hasty.manager, 'warm@x.org')
    const runner = forTenant(hasty, 'waiting').createQueryRunner()
    await runner.query('BEGIN')
    emulator.faults.add({ kind: 'delay', ms: 3_000, times: 'always' })
    await expect(runner.manager.insert(User, { email: 'w@x.org', profile: {} })).rejects.toMatchObject({
      code: 'KMS_UNAVAILABLE',
      message: expect.stringContaining('within 1000 ms'),
    })
    await runner.query('ROLLBACK')
    await runner.release()
    emulator.faults.clear()
    await hasty.destroy()
  })

  it('a transaction of a tenant without a key fails before it begins', async () => {
    down()
    source.takeSql()
    const work = forTenant(dataSource, 'unknown').transaction((manager) => insert(manager, 'u@x.org'))
    await expect(work).rejects.toMatchObject({ code: expect.stringMatching(/^KMS_/) })
    expect(source.takeSql()).toEqual([])
  })
})

describe('tenants that have no key in memory', () => {
  it('get theirs though every connection of the application is held by those who wait for one', async () => {
    const narrow = await source.another({ source: { poolSize: 2 }, defaultTenant: null })
    const tenants = Array.from({ length: 20 }, (_, n) => `new ${n % 4}`)
    const saved = await Promise.all(
      tenants.map((tenant, n) =>
        forTenant(narrow, tenant)
          .getRepository(User)
          .save({ id: 1000 + n, email: `${n}@x.org`, profile: {} }),
      ),
    )
    expect(saved.map(({ email }) => email)).toEqual(tenants.map((_, n) => `${n}@x.org`))
  })
})
