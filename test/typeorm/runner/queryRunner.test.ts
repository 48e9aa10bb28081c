import { AsyncLocalStorage } from 'node:async_hooks'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { withTenant } from 'fieldseal'
import type { DataSource, QueryRunner } from 'typeorm'
import { eventually } from '../../support/eventually.js'
import { refusal, refusalCode } from '../../support/refusal.js'
import { events, fetched, prepared, trouble } from '../fakeEncryption.js'
import { Author, Book, borrowed, type FakeSource, fieldseal, openFake, Town } from '../fakeSource.js'

let source: FakeSource
let dataSource: DataSource
let acme: DataSource
beforeAll(async () => {
  source = await openFake()
  dataSource = source.dataSource
  acme = fieldseal.forTenant(dataSource, 'acme')
})
beforeEach(async () => {
  await dataSource.query('TRUNCATE author, book, town RESTART IDENTITY CASCADE')
  await acme.getRepository(Author).insert(Array.from({ length: 1_000 }, (_, n) => ({ name: `a${n}` })))
  trouble.refuse = undefined
  for (const list of [events, fetched, prepared]) list.length = 0
})
afterAll(() => source?.close())

const stored = async (text: string) => {
  const { master } = dataSource.driver as unknown as { master: { query(text: string): Promise<{ rows: object[] }> } }
  return (await master.query(text)).rows
}

async function rowsOf(stream: unknown): Promise<unknown[]> {
  const rows: unknown[] = []
  for await (const row of stream as AsyncIterable<unknown>) rows.push(row)
  return rows
}

const streamOf = async (of: DataSource) =>
  (await of.createQueryBuilder(Author, 'a').orderBy('a.id').stream()) as unknown as Readable

describe('a runner', () => {
  it('sends ciphertexts and gives values, in every form of result', async () => {
    const runner = acme.createQueryRunner()
    expect(await stored('SELECT name FROM author WHERE id = 1')).toEqual([{ name: 'enc:acme:"a0"' }])
    expect(await runner.query('SELECT id, name FROM author WHERE id = 1')).toEqual([{ id: 1, name: 'a0' }])
    const text = 'UPDATE author SET id = id WHERE id <= 2 RETURNING name'
    expect(await runner.query(text)).toEqual([[{ name: 'a0' }, { name: 'a1' }], 2])
    expect(await runner.query(text, [], true)).toMatchObject({
      records: [{ name: 'a0' }, { name: 'a1' }],
      raw: [[{ name: 'a0' }, { name: 'a1' }], 2],
      affected: 2,
    })
    expect(await runner.query('SELECT name FROM author WHERE id = 1', undefined, true)).toMatchObject({
      records: [{ name: 'a0' }],
      raw: [{ name: 'a0' }],
    })
    await runner.release()
  })

  it('stores values of JSON columns in their ciphertexts', async () => {
    await acme.getRepository(Book).save({ text: { once: ['upon'] } })
    expect(await stored('SELECT text FROM book')).toEqual([{ text: 'enc:acme:{"once":["upon"]}' }])
    expect(await acme.getRepository(Book).find()).toMatchObject([{ text: { once: ['upon'] } }])
  })

  it('changes nothing that subscribers hold', async () => {
    const seen: { rows: object[] }[] = []
    dataSource.subscribers.push({ afterQuery: ({ rawResults }) => void seen.push(rawResults) })
    await acme.query('SELECT name FROM author WHERE id = 1')
    dataSource.subscribers.pop()
    expect(seen.at(-1)?.rows).toEqual([{ name: 'enc:acme:"a0"' }])
  })

  it('leaves to TypeORM what it refuses itself: one that was released, values that are no list', async () => {
    const runner = acme.createQueryRunner()
    await expect(runner.query('SELECT 1', { id: 1 } as never)).rejects.not.toMatchObject({ name: 'FieldsealError' })
    await runner.release()
    const released = { name: 'QueryRunnerAlreadyReleasedError' }
    prepared.length = 0
    await expect(runner.query('SELECT name FROM author')).rejects.toMatchObject(released)
    await expect(runner.stream('SELECT name FROM author')).rejects.toMatchObject(released)
    await expect(runner.startTransaction()).rejects.toMatchObject(released)
    expect(prepared.filter(({ text }) => text.includes('author'))).toEqual([])
  })

  it('takes texts alone', async () => {
    const config = { text: 'SELECT name FROM author', values: [] }
    expect(await refusalCode(() => acme.query(config as never))).toBe('QUERY_UNSUPPORTED')
  })

  it('has refusals told, with what they were for', async () => {
    trouble.refuse = /lower/
    const support = fieldseal.forTenant(dataSource, 'acme', { purpose: 'support' })
    await refusal(() => support.query('SELECT lower(name) FROM author'))
    await refusal(() => support.createQueryBuilder(Author, 'a').where("lower(a.name) = 'x'").stream())
    await refusal(() => fieldseal.forTenant(dataSource, 'globex').getRepository(Author).find())
    const refused = { type: 'refused', model: '', code: 'QUERY_UNSUPPORTED', purpose: 'support' }
    expect(events).toEqual([
      { ...refused, operation: 'query' },
      { ...refused, operation: 'stream' },
      { ...refused, operation: 'query', code: 'TENANT_MISMATCH', purpose: undefined },
    ])
    trouble.because = 'the view v.w shows Author.name, which is encrypted; see typeorm.md'
    await refusal(() => acme.query('SELECT lower(name) FROM author'))
    trouble.because = undefined
    expect(events.at(-1)).toMatchObject({ model: 'Author', operation: 'query' })
  })

  it('that the driver made itself is as one of the data source', async () => {
    const runner = dataSource.driver.createQueryRunner('master')
    expect(await refusalCode(() => runner.query('SELECT name FROM author'))).toBe('TENANT_MISSING')
    expect(await withTenant('acme', () => runner.query('SELECT name FROM author WHERE id = 1'))).toEqual([
      { name: 'a0' },
    ])
    const authors = dataSource.createEntityManager(runner).getRepository(Author)
    await withTenant('globex', () => authors.insert({ name: 'Bob' }))
    expect(await stored(`SELECT name FROM author WHERE name NOT LIKE 'enc:acme:%'`)).toEqual([
      { name: 'enc:globex:"Bob"' },
    ])
    trouble.refuse = /lower/
    expect(await refusalCode(() => runner.query('SELECT lower(name) FROM author'))).toBe('QUERY_UNSUPPORTED')
    await runner.release()
  })

  it('that the driver made itself keeps what others have put around it, and is encrypted once', async () => {
    const own = source.another()
    const seen: string[] = []
    const wrap = (holder: Runners, name: string) => {
      const create = holder.createQueryRunner.bind(holder)
      holder.createQueryRunner = (mode) => {
        const runner = create(mode)
        const query = runner.query.bind(runner) as (...args: unknown[]) => Promise<never>
        runner.query = (...args: unknown[]) => {
          if (String(args[0]).startsWith('INSERT')) seen.push(`${name} ${JSON.stringify(args[1])}`)
          return query(...args)
        }
        return runner
      }
    }
    wrap(own.driver, 'under the driver')
    wrap(own, 'under')
    encryptingOf(own)
    wrap(own.driver, 'over the driver')
    wrap(own, 'over')
    await own.initialize()
    const send = async (runner: QueryRunner) => {
      await withTenant('acme', () => runner.query('INSERT INTO town(label) VALUES ($1)', ['Bonn']))
      await withTenant('acme', () => own.createEntityManager(runner).insert(Author, { name: 'Ada' }))
      await runner.release()
      return seen.splice(0).map((line) => line.replace(/\d+/g, 'n'))
    }
    const sent = (...names: string[]) => [
      ...names.map((name) => `${name} ["Bonn"]`),
      ...names.map((name) => `${name} ["${name.startsWith('over') ? '[sealed]' : 'enc:acme:\\"Ada\\"'}"]`),
    ]
    expect(await send(own.driver.createQueryRunner('master'))).toEqual(sent('over the driver', 'under the driver'))
    // What was put around the driver later stands under the data source’s own encryption.
    const inOrder = ['over', 'under', 'over the driver', 'under the driver']
    expect((await send(own.createQueryRunner())).map((line) => line.split(' [')[0])).toEqual([...inOrder, ...inOrder])
    expect(await stored(`SELECT DISTINCT name FROM author WHERE name LIKE '%Ada%'`)).toEqual([
      { name: 'enc:acme:"Ada"' },
    ])
    await own.destroy()
  })

  it('of the driver encrypts also where something happens on a connection that was opened with the pool', async () => {
    const own = source.another()
    const connect = own.driver.connect.bind(own.driver)
    let onConnection: ReturnType<typeof AsyncLocalStorage.snapshot> | undefined
    own.driver.connect = async () => {
      onConnection = AsyncLocalStorage.snapshot()
      await connect()
    }
    encryptingOf(own)
    await own.initialize()
    const runner = onConnection!(() => own.driver.createQueryRunner('master'))
    expect(await refusalCode(() => runner.query('SELECT name FROM author'))).toBe('TENANT_MISSING')
    await runner.release()
    await own.destroy()
  })

  it('of the driver that is used before the data source is initialised sends nothing', async () => {
    const own = encryptingOf(source.another())
    const early = own.driver.createQueryRunner('master')
    const connecting = own.initialize()
    await eventually(() => expect(own.driver).toMatchObject({ master: expect.anything() }))
    const code = await refusalCode(() => early.query('SELECT name FROM author'))
    await connecting
    expect(['OPTIONS_INVALID', 'TENANT_MISSING']).toContain(code)
    await early.release()
    await own.destroy()
  })
})

interface Runners {
  createQueryRunner(mode: 'master'): QueryRunner
}

describe('a transaction', () => {
  it('fetches the keys of its tenant before it begins, and not where it is nested', async () => {
    const order: string[] = []
    await acme.transaction(async (manager) => {
      order.push(...fetched, ...prepared.map(({ text }) => text))
      await manager.transaction((inner) => inner.query('SELECT 1'))
    })
    expect(order).toEqual(['acme', 'START TRANSACTION'])
    expect(fetched).toEqual(['acme'])
    await withTenant('globex', () => dataSource.transaction(async () => undefined))
    expect(fetched).toEqual(['acme', 'globex'])
    await dataSource.transaction(async () => undefined)
    expect(fetched).toEqual(['acme', 'globex'])
  })

  it('says of its statements that they are inside of it', async () => {
    await acme.transaction((manager) => manager.query('SELECT 1'))
    await acme.query('SELECT 2')
    const inside = Object.fromEntries(prepared.map(({ text, inTransaction }) => [text, inTransaction]))
    expect(inside).toMatchObject({ 'SELECT 1': true, 'SELECT 2': false })
  })

  it('that is begun in SQL is one too, until it ends', async () => {
    const runner = acme.createQueryRunner()
    const texts = ['SELECT 1', 'BEGIN', 'SELECT 2', 'SAVEPOINT s', 'SELECT 3', 'ROLLBACK', 'SELECT 4']
    for (const text of texts) await runner.query(text)
    const inside = prepared.filter(({ inTransaction }) => inTransaction).map(({ text }) => text)
    expect(inside).toEqual(['SELECT 2', 'SAVEPOINT s', 'SELECT 3', 'ROLLBACK'])
    await runner.release()
  })

  it('goes on after a refusal, and can be rolled back', async () => {
    trouble.refuse = /lower/
    const runner = acme.createQueryRunner()
    await runner.startTransaction()
    await runner.manager.update(Author, { id: 1 }, { name: 'changed' })
    await refusal(() => runner.query('SELECT lower(name) FROM author'))
    expect(await runner.manager.findOneBy(Author, { id: 1 })).toMatchObject({ name: 'changed' })
    await runner.rollbackTransaction()
    await runner.release()
    expect(await acme.getRepository(Author).findOneBy({ id: 1 })).toMatchObject({ name: 'a0' })
  })
})

describe('a stream', () => {
  it('gives all rows in order, of the tenant in whose context it was begun', async () => {
    const stream = await withTenant('acme', () => streamOf(dataSource))
    const rows = await withTenant('globex', () => rowsOf(stream))
    expect(rows).toEqual(Array.from({ length: 1_000 }, (_, n) => ({ a_id: n + 1, a_name: `a${n}` })))
    await eventually(() => expect(borrowed(dataSource)).toBe(0))
  })

  it.each<[how: string, leave: (stream: Readable) => unknown]>([
    ['destroyed', (stream) => stream.destroy()],
    ['destroyed half way', (stream) => stream.on('data', () => stream.destroy())],
    [
      'left by break',
      async (stream) => {
        for await (const _ of stream) break
      },
    ],
  ])('that is %s gives back its connection, which serves on', async (_, leave) => {
    const narrow = encryptingOf(source.another({ poolSize: 1 }))
    await narrow.initialize()
    const bound = fieldseal.forTenant(narrow, 'acme')
    for (let times = 0; times < 3; times += 1) await leave(await streamOf(bound))
    await eventually(() => expect(borrowed(narrow)).toBe(0))
    expect(await bound.getRepository(Author).count()).toBe(1_000)
    await narrow.destroy()
  })

  it('that fails half way says why, and gives back its connection', async () => {
    await fieldseal.forTenant(dataSource, 'globex').getRepository(Author).insert({ name: 'other' })
    expect(await refusalCode(async () => rowsOf(await streamOf(acme)))).toBe('TENANT_MISMATCH')
    const broken = acme.createQueryBuilder(Author, 'a').select('1 / (a.id - 700)', 'n').stream()
    await expect(broken.then(rowsOf)).rejects.toThrow('division by zero')
    await eventually(() => expect(borrowed(dataSource)).toBe(0))
  })

  it('whose connection is lost ends with that, and gives it back', async () => {
    const runner = acme.createQueryRunner()
    const [{ pid }] = await runner.query('SELECT pg_backend_pid() AS pid')
    const stream = (await runner.stream('SELECT name FROM author, generate_series(1, 1000)')) as unknown as Readable
    // It may fail before anybody reads on.
    stream.on('error', () => {})
    const failed = once(stream, 'data').then(async () => {
      await stored(`SELECT pg_terminate_backend(${pid})`)
      return rowsOf(stream)
    })
    // What is heard first: the connection's end, or that nothing can be written to it.
    await expect(failed).rejects.toThrow(/terminat|EPIPE|ECONNRESET/)
    await eventually(() => expect(borrowed(dataSource)).toBe(0))
  })

  it('that is refused gives back its connection', async () => {
    trouble.refuse = /lower/
    await refusal(() => acme.createQueryBuilder(Author, 'a').select('lower(a.name)').stream())
    expect(borrowed(dataSource)).toBe(0)
  })

  it('that is refused inside of a transaction that TypeORM began for it ends neither the process nor that too early', async () => {
    trouble.refuse = /lower/
    const own = encryptingOf(source.another())
    await own.initialize()
    const builder = fieldseal.forTenant(own, 'acme').createQueryBuilder(Author, 'a').select('lower(a.name)')
    expect(await refusalCode(() => builder.useTransaction(true).stream())).toBe('QUERY_UNSUPPORTED')
    expect(prepared.map(({ text }) => text)).toContain('COMMIT')
    await own.destroy()
  })

  it('tells its end once, or what it ended with', async () => {
    const told: unknown[] = []
    const begin = (runner: QueryRunner, text: string) =>
      runner.stream(
        text,
        [],
        () => void told.push('end'),
        (error: Error) => void told.push(error.message),
      )
    const runner = acme.createQueryRunner()
    await rowsOf(await begin(runner, 'SELECT name FROM author'))
    await eventually(() => expect(told).toEqual(['end']))
    await rowsOf(await begin(runner, 'SELECT 1 / (id - 5) FROM author')).catch(() => undefined)
    await eventually(() => expect(told).toEqual(['end', 'division by zero']))
    trouble.refuse = /lower/
    await refusal(() => begin(runner, 'SELECT lower(name) FROM author'))
    expect(told).toEqual(['end', 'division by zero', 'it has no right answer'])
    await runner.release()
  })

  it('of other rows streams as ever', async () => {
    await dataSource.getRepository(Town).insert({ label: 'Bonn' })
    const runner = dataSource.createQueryRunner()
    expect(await rowsOf(await runner.stream('SELECT label FROM town'))).toEqual([{ label: 'Bonn' }])
    await runner.release()
  })
})

function encryptingOf(plain: DataSource): DataSource {
  return fieldseal.fieldEncryption(plain, { kms: { generate: () => undefined, unwrap: () => undefined } as never })
}
