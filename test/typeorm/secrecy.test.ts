import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { forTenant } from 'fieldseal/typeorm'
import { type DataSource, EntityManager, EventSubscriber, In, QueryFailedError, type QueryRunner } from 'typeorm'
import { Card, Post, User } from './entities.js'
import { openSource, type SourceUnderTest } from './openSource.js'
import { usersOf } from './people.js'

const SECRET = 'PLAINTEXT-7c1f'
const FORMS = [Buffer.from(SECRET).toString('base64').slice(0, -2), Buffer.from(SECRET).toString('hex'), SECRET]

/** What subscribers are told of statements. */
const told: unknown[] = []

@EventSubscriber()
class Listening {
  beforeQuery(event: object) {
    told.push({ ...event, dataSource: undefined, connection: undefined, queryRunner: undefined, manager: undefined })
  }

  afterQuery(event: object) {
    told.push({ ...event, dataSource: undefined, connection: undefined, queryRunner: undefined, manager: undefined })
  }
}

let source: SourceUnderTest
beforeAll(async () => {
  source = await openSource({ source: { subscribers: [Listening], maxQueryExecutionTime: 0.000001 } })
})
afterAll(() => source?.close())

const user = (n: number) => ({
  email: `${SECRET}${n}@x.org`,
  notes: { likes: [SECRET] },
  profile: { phone: SECRET },
  posts: [{ body: SECRET }],
})

function shown(value: unknown): string {
  const error = value as Partial<Error> | undefined
  const seen = new Set<unknown>()
  const circles = (_: string, part: unknown) => {
    if (typeof part !== 'object' || part === null) return part
    if (seen.has(part)) return '[seen]'
    seen.add(part)
    return part
  }
  return [
    inspect(value, { depth: 8, showHidden: true, maxArrayLength: null, maxStringLength: null }),
    String(error?.message),
    String(error?.stack),
    JSON.stringify(value, circles),
  ].join('\n')
}

function expectSilent(text: string): void {
  expect(FORMS.filter((form) => text.includes(form))).toEqual([])
}

describe('no plaintext', () => {
  it('is in what loggers and subscribers are told, whatever is done', async () => {
    const users = usersOf(source.dataSource)
    const saved = await users.save(user(1))
    await users.insert({ email: `${SECRET}2@x.org`, profile: {} })
    await users.update({ email: `${SECRET}2@x.org` }, { email: `${SECRET}3@x.org` })
    await users.upsert({ email: `${SECRET}3@x.org`, plain: 'p' }, ['email'])
    await users.find({ where: { email: In([`${SECRET}1@x.org`]) }, relations: { posts: true } })
    await users.createQueryBuilder('u').where('u.email = :e', { e: SECRET }).getRawMany()
    await source.dataSource.query('SELECT * FROM "user" WHERE email = ANY($1)', [[SECRET]])
    await source.dataSource.getRepository(Card).save({ id: '7b1c8a5e-0000-4000-8000-000000000001', pan: SECRET })
    await users.softDelete({ email: `${SECRET}3@x.org` })
    for await (const _ of (await users.createQueryBuilder('u').stream()) as never as AsyncIterable<unknown>);
    await users.remove(saved).catch(() => undefined)
    expect(source.logged()).toContain('fs1.')
    expectSilent(source.logged())
    expect(told.length).toBeGreaterThan(20)
    expectSilent(shown(told))
    expectSilent(JSON.stringify(source.events))
  })

  it('is in an error of the database', async () => {
    const users = usersOf(source.dataSource)
    await users.insert({ email: `${SECRET}u@x.org`, profile: {} })
    const taken = await users.insert({ email: `${SECRET}u@x.org`, profile: {} }).catch((error) => error)
    expect(taken).toBeInstanceOf(QueryFailedError)
    expectSilent(shown(taken))
    const orphan = await source.dataSource
      .query('INSERT INTO post(body, "userId") VALUES ($1, 4711)', [SECRET])
      .catch((error) => error)
    expect(orphan).toBeInstanceOf(QueryFailedError)
    expectSilent(shown(orphan))
  })

  it('is in a refusal', async () => {
    const users = usersOf(source.dataSource)
    const works = [
      () => users.findBy({ notes: { likes: [SECRET] } }),
      () => users.createQueryBuilder('u').where(`u.email LIKE '${SECRET}%'`).getMany(),
      () => source.dataSource.query(`SELECT * FROM "user" WHERE email = '${SECRET}'`),
      () => source.dataSource.query(`SELECT ${SECRET} FROM (("user"`),
      () => users.insert({ email: [SECRET] as never, profile: {} }),
      () => users.insert({ email: `${SECRET}\ud800`, profile: {} }),
      () => users.find({ where: { email: SECRET }, cache: 1 }),
      () => forTenant(source.dataSource, 'globex').getRepository(Post).find(),
    ]
    for (const work of works) {
      const error = await work().then(
        () => undefined,
        (thrown: unknown) => thrown,
      )
      if (error !== undefined) expectSilent(shown(error))
    }
  })

  it('is in what an application can hold of a statement', async () => {
    const query = usersOf(source.dataSource).createQueryBuilder('u').where({ email: SECRET })
    expectSilent(shown(query.getParameters()))
    expectSilent(shown(query.getQueryAndParameters()))
    expectSilent(shown(source.dataSource.createQueryBuilder().insert().into(User).values(user(9)).getParameters()))
  })
})

describe('a runner that is made of TypeORM’s class, past the encryption', () => {
  it.each<[string, (manager: EntityManager) => Promise<unknown>]>([
    ['reads', (manager) => manager.find(User)],
    ['saves', (manager) => manager.save(User, user(7))],
    ['updates', (manager) => manager.update(User, { n: 0 }, { email: SECRET })],
    ['searches', (manager) => manager.findBy(User, { email: SECRET })],
  ])('fails when it %s', async (_, work) => {
    const known = source.dataSource.createQueryRunner()
    const Runner = known.constructor as new (driver: DataSource['driver'], mode: 'master') => QueryRunner
    const rogue = new Runner(source.dataSource.driver, 'master')
    await known.release()
    const error = await work(new EntityManager(source.dataSource, rogue)).then(
      (answer) => answer,
      (thrown: unknown) => thrown,
    )
    await rogue.release()
    expect(error).toBeInstanceOf(Error)
    expectSilent(shown(error))
    expect(JSON.stringify(await source.stored('SELECT * FROM "user"'))).not.toContain(SECRET)
  })
})
