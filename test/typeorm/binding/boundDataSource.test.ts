import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { withTenant } from 'fieldseal'
import type { DataSource, EntityManager, EntitySubscriberInterface, InsertEvent, QueryRunner } from 'typeorm'
import { refusal, refusalCode } from '../../support/refusal.js'
import { prepared } from '../fakeEncryption.js'
import { Author, encrypting, type FakeSource, fieldseal, openFake, Shelf, typeorm } from '../fakeSource.js'

const { acrossTenants, encryptionOf, forTenant } = fieldseal

let source: FakeSource
let dataSource: DataSource
let acme: DataSource
beforeAll(async () => {
  source = await openFake()
  dataSource = source.dataSource
  acme = forTenant(dataSource, 'acme')
})
beforeEach(async () => {
  await dataSource.query('TRUNCATE author, book, shelf, shelf_closure RESTART IDENTITY CASCADE')
  await acme.getRepository(Author).save({ name: 'Ada' })
})
afterAll(() => source?.close())

const MISSING = 'TENANT_MISSING'
/** Ways to Ada, who is read for whom they are bound to. */
const WAYS: [way: string, read: (of: DataSource) => Promise<unknown>][] = [
  ['its manager', (of) => of.manager.find(Author)],
  ['a repository', (of) => of.getRepository(Author).find()],
  ['a repository of its manager', (of) => of.manager.getRepository(Author).find()],
  ['a query builder', (of) => of.createQueryBuilder(Author, 'a').getMany()],
  ['a query builder of its own', (of) => of.createQueryBuilder().select('a').from(Author, 'a').getMany()],
  ['query()', (of) => of.query('SELECT id, name FROM author')],
  ['sql``', (of) => of.sql`SELECT id, name FROM author`],
  ['transaction()', (of) => of.transaction((manager) => manager.find(Author))],
  [
    'a transaction in a transaction',
    (of) => of.transaction((outer) => outer.transaction((inner) => inner.find(Author))),
  ],
  ['its runner', (of) => withRunner(of, (runner) => runner.query('SELECT id, name FROM author'))],
  ['the manager of its runner', (of) => withRunner(of, (runner) => runner.manager.find(Author))],
  ['the data source of its runner', (of) => withRunner(of, (runner) => sourceOf(runner).getRepository(Author).find())],
  ['a runner of its driver', (of) => withRunner(of.driver, (runner) => runner.query('SELECT id, name FROM author'))],
  [
    'a manager on a runner of its driver',
    (of) => withRunner(of.driver, (runner) => managerOn(of, runner).find(Author)),
  ],
  ['the data source of its driver', (of) => sourceOf(of.driver).getRepository(Author).find()],
  [
    'the driver of its runner',
    (of) => withRunner(of, (runner) => withRunner(driverOf(runner), (own) => own.query('SELECT id, name FROM author'))),
  ],
  ['the data source of its manager', (of) => sourceOf(of.manager).getRepository(Author).find()],
  [
    'a repository that was extended',
    (of) => {
      const authors = of.getRepository(Author).extend({
        all() {
          return this.createQueryBuilder('a').getMany()
        },
      })
      return authors.all()
    },
  ],
  [
    'an extended repository in a transaction',
    (of) => {
      const authors = of.getRepository(Author).extend({})
      return of.transaction((manager) => manager.withRepository(authors).find())
    },
  ],
  [
    'setOptions()',
    (of) =>
      of
        .setOptions({ maxQueryExecutionTime: 60_000 } as never)
        .getRepository(Author)
        .find(),
  ],
]

/** Where they lead: `dataSource` in TypeORM 1, `connection` in 0.3. */
function sourceOf(holder: EntityManager | QueryRunner | DataSource['driver']): DataSource {
  const { dataSource, connection } = holder as { dataSource?: DataSource; connection?: DataSource }
  return (dataSource ?? connection)!
}

function driverOf(runner: QueryRunner): DataSource['driver'] {
  return (runner as unknown as { driver: DataSource['driver'] }).driver
}

function managerOn(of: DataSource, runner: QueryRunner): EntityManager {
  return of.createEntityManager(runner)
}

interface Runners {
  createQueryRunner(mode: 'master'): QueryRunner
}

async function withRunner<T>(of: Runners, work: (runner: QueryRunner) => Promise<T>): Promise<T> {
  const runner = of.createQueryRunner('master')
  try {
    return await work(runner)
  } finally {
    await runner.release()
  }
}

describe.each(WAYS)('what is reached by %s', (_, read) => {
  it('is of the tenant that the data source is bound to', async () => {
    expect(await read(acme)).toEqual([expect.objectContaining({ name: 'Ada' })])
    expect(await refusalCode(() => read(forTenant(dataSource, 'globex')))).toBe('TENANT_MISMATCH')
  })

  it('is of none where it is not bound, also beside one that is', async () => {
    await read(acme)
    expect(await refusalCode(() => read(dataSource))).toBe(MISSING)
    expect(await withTenant('acme', () => read(dataSource))).toEqual([expect.objectContaining({ name: 'Ada' })])
  })

  it('is of the inner tenant where it is bound again', async () => {
    expect(await read(forTenant(forTenant(dataSource, 'globex'), 'acme'))).toHaveLength(1)
    expect(await read(acrossTenants(forTenant(dataSource, 'globex')))).toHaveLength(1)
  })
})

describe('a bound data source', () => {
  it('has trees of its tenant', async () => {
    const shelves = acme.getTreeRepository(Shelf)
    const root = await shelves.save({ name: 'all' } as Shelf)
    await shelves.save({ name: 'old', parent: root } as Shelf)
    expect(await shelves.findTrees()).toMatchObject([{ name: 'all', children: [{ name: 'old' }] }])
    expect(await refusalCode(() => dataSource.getTreeRepository(Shelf).findTrees())).toBe(MISSING)
  })

  it('streams for its tenant', async () => {
    const stream = await acme.createQueryBuilder(Author, 'a').stream()
    const rows: unknown[] = []
    for await (const row of stream as unknown as AsyncIterable<unknown>) rows.push(row)
    expect(rows).toEqual([{ a_id: 1, a_name: 'Ada' }])
  })

  it('lets what is not bound inside of its transaction stay so', async () => {
    await acme.transaction(async (manager) => {
      await manager.save(Author, { name: 'Bob' })
      expect(await refusalCode(() => dataSource.manager.find(Author))).toBe(MISSING)
    })
  })

  it('gives subscribers what is bound as it is', async () => {
    const seen: unknown[] = []
    const subscriber: EntitySubscriberInterface<Author> = {
      listenTo: () => Author,
      async afterInsert({ manager, queryRunner }: InsertEvent<Author>) {
        seen.push(await manager.count(Author), sourceOf(queryRunner) === acme, sourceOf(manager) === acme)
        await manager.query('SELECT name FROM author')
      },
    }
    dataSource.subscribers.push(subscriber)
    await acme.getRepository(Author).insert({ name: 'Bob' })
    dataSource.subscribers.pop()
    expect(seen).toEqual([2, true, true])
  })

  it('is no more than its base in all else', async () => {
    expect(acme).toBeInstanceOf(typeorm.DataSource)
    expect([acme.options, acme.getMetadata(Author)]).toEqual([dataSource.options, dataSource.getMetadata(Author)])
    expect(Object.getPrototypeOf(acme.driver)).toBe(dataSource.driver)
    const { upQueries } = await acme.driver.createSchemaBuilder().log()
    expect(upQueries).toEqual([])
    expect(Object.keys(dataSource)).not.toContain('fieldseal')
  })

  it('can be made before its base is initialised, and lives as it does', async () => {
    const later = encrypting(source.another())
    const bound = forTenant(later, 'acme')
    expect(bound.isInitialized).toBe(false)
    expect(await bound.initialize()).toBe(bound)
    expect([bound.isInitialized, later.isInitialized]).toEqual([true, true])
    expect(await bound.getRepository(Author).find()).toHaveLength(1)
    await bound.synchronize()
    await bound.destroy()
    expect([bound.isInitialized, later.isInitialized]).toEqual([false, false])
    await later.initialize()
    expect(await bound.getRepository(Author).find()).toHaveLength(1)
    await later.destroy()
  })

  it('narrows what may be read, never widens', async () => {
    const support = forTenant(dataSource, 'acme', { purpose: 'support', allow: ['Author.name'] })
    for (const bound of [forTenant(support, 'acme'), forTenant(support, 'globex', { allow: ['Book.text'] })]) {
      expect(() => bound.createQueryRunner()).not.toThrow()
    }
    expect(await refusalCode(() => forTenant(dataSource, 'acme', { allow: ['No.field'] }))).toBe('OPTIONS_INVALID')
    expect(await refusalCode(() => forTenant(dataSource, 'acme', { alow: [] } as never))).toBe('OPTIONS_INVALID')
    expect(await refusalCode(() => forTenant(dataSource, ''))).toBe('TENANT_INVALID')
  })

  it('asks for its runners where everybody does, whatever wraps that', async () => {
    const wrapped = encrypting(source.another())
    await wrapped.initialize()
    const seen: string[] = []
    const create = wrapped.createQueryRunner.bind(wrapped)
    wrapped.createQueryRunner = (mode) => {
      const runner = create(mode)
      return new Proxy(runner, {
        get(target, name) {
          if (name === 'query') seen.push('query')
          const member: unknown = Reflect.get(target, name, target)
          return typeof member === 'function' ? member.bind(target) : member
        },
      })
    }
    expect(await forTenant(wrapped, 'acme').getRepository(Author).find()).toHaveLength(1)
    expect(seen.length).toBeGreaterThan(0)
    await wrapped.destroy()
  })

  it('takes no runner of which it cannot tell whose it is', async () => {
    const reusing = encrypting(source.another())
    await reusing.initialize()
    const kept = reusing.createQueryRunner()
    reusing.createQueryRunner = () => kept
    const { message } = await refusal(() => forTenant(reusing, 'acme').createQueryRunner())
    expect(message).toContain('its tenant is not known')
    reusing.driver.createQueryRunner = () => kept
    expect((await refusal(() => forTenant(reusing, 'acme').driver.createQueryRunner('master'))).message).toBe(message)
    await kept.release()
    await reusing.destroy()
  })

  it('does not follow methods that somebody put on its base, which would lead to the base', async () => {
    const patched = encrypting(source.another())
    await patched.initialize()
    const { manager } = patched
    patched.transaction = ((work: (manager: EntityManager) => Promise<unknown>) => manager.transaction(work)) as never
    expect(await forTenant(patched, 'acme').transaction((own) => own.find(Author))).toHaveLength(1)
    await patched.destroy()
  })

  it('is made of what encrypts alone', async () => {
    const plain = source.another()
    for (const make of [
      () => forTenant(plain, 'acme'),
      () => acrossTenants(plain),
      () => encryptionOf(plain),
      () => forTenant(null as never, 'acme'),
    ]) {
      expect(await refusalCode(make)).toBe('NOT_EXTENDED')
    }
  })

  it('leaves no trace of its tenant on what is sent later', async () => {
    await acme.query('SELECT 1')
    await dataSource.query('SELECT 2')
    expect(prepared.slice(-2).map(({ tenant, text }) => [tenant, text])).toEqual([
      ['acme', 'SELECT 1'],
      [undefined, 'SELECT 2'],
    ])
  })
})
