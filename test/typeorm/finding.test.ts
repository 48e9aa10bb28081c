import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import {
  And,
  Any,
  ArrayContains,
  Between,
  Equal,
  type FindOperator,
  ILike,
  In,
  IsNull,
  JsonContains,
  LessThan,
  Like,
  MoreThan,
  Not,
  Or,
  Raw,
  type Repository,
} from 'typeorm'
import { Post, User } from './entities.js'
import { openSource, type SourceUnderTest } from './openSource.js'
import { emailsOf, plantPeople, usersOf } from './people.js'
import { refusedBeforeSql } from './refusedBeforeSql.js'

let source: SourceUnderTest
let users: Repository<User>
let ada: User
beforeAll(async () => {
  source = await openSource()
  users = usersOf(source.dataSource)
  ada = await plantPeople(source)
})
afterAll(() => source?.close())

const ALL = ['Bobby@x.org', 'ada@x.org', 'c1@x.org', 'c3@x.org']

describe('an operator on a column with a blind index', () => {
  it.each<[string, FindOperator<string> | string, (string | null)[]]>([
    ['a value', 'ada@x.org', ['ada@x.org']],
    ['a value that its normalisers make equal', ' ADA@X.org ', ['ada@x.org']],
    ['Equal', Equal('ada@x.org'), ['ada@x.org']],
    ['In', In(['ada@x.org', 'c1@x.org', 'zz']), ['ada@x.org', 'c1@x.org']],
    ['In with nothing', In([]), []],
    ['Not', Not('ada@x.org'), ['Bobby@x.org', 'c1@x.org', 'c3@x.org']],
    ['Not of Not', Not(Not('ada@x.org')), ['ada@x.org']],
    ['Not of Equal', Not(Equal('ada@x.org')), ['Bobby@x.org', 'c1@x.org', 'c3@x.org']],
    ['Not of In', Not(In(['ada@x.org', 'c1@x.org'])), ['Bobby@x.org', 'c3@x.org']],
    ['Not of In with nothing', Not(In([])), [...ALL, null]],
    ['Any', Any(['ada@x.org']), ['ada@x.org']],
    ['Any with nothing', Any([]), []],
    ['Not of IsNull', Not(IsNull()), ALL],
    ['Or', Or(Equal('ada@x.org'), Equal('c3@x.org')), ['ada@x.org', 'c3@x.org']],
    ['And', And(Not('c1@x.org'), Not('c3@x.org'), Not(IsNull())), ['Bobby@x.org', 'ada@x.org']],
    [
      'Or of And',
      Or(Equal('ada@x.org'), And(Not(Equal('c1@x.org')), Not(Equal('c3@x.org')))),
      ['Bobby@x.org', 'ada@x.org'],
    ],
    ['Raw with an equality', Raw((column) => `${column} = :e`, { e: 'ada@x.org' }), ['ada@x.org']],
    ['Raw with IN', Raw((column) => `${column} IN (:...e)`, { e: ['ada@x.org', 'zz'] }), ['ada@x.org']],
  ])('%s finds what it should', async (_, operator, expected) => {
    expect(emailsOf(await users.findBy({ email: operator as string }))).toEqual(expected)
  })

  it('IsNull finds the rows without a value', async () => {
    expect(await users.findBy({ email: IsNull() })).toMatchObject([{ email: null }])
  })

  it('and its value are left as they were, to be used again', async () => {
    const values = ['ada@x.org', 'c1@x.org']
    const operator = In(values)
    const first = await users.findBy({ email: operator })
    expect(emailsOf(await users.findBy({ email: operator }))).toEqual(emailsOf(first))
    expect(values).toEqual(['ada@x.org', 'c1@x.org'])
  })
})

describe('where', () => {
  it('takes a list of alternatives', async () => {
    const where = [{ email: 'ada@x.org' }, { email: 'c1@x.org', n: 0 }, { email: 'c3@x.org', n: 0 }]
    expect(emailsOf(await users.find({ where }))).toEqual(['ada@x.org', 'c1@x.org'])
  })

  it('reaches embedded columns', async () => {
    expect(emailsOf(await users.findBy({ profile: { phone: '7' } }))).toEqual(['ada@x.org'])
    expect(emailsOf(await users.findBy({ profile: { phone: Not(IsNull()) } }))).toHaveLength(3)
  })

  it('reaches columns of relations', async () => {
    const posts = source.dataSource.getRepository(Post)
    expect((await posts.findBy({ user: { email: 'ada@x.org' } })).map(({ body }) => body).sort()).toEqual([
      'hello',
      'wörld 漢',
    ])
    expect(await posts.findBy({ user: { email: 'c1@x.org' } })).toEqual([])
    expect(await posts.findBy({ user: { profile: { phone: '7' } } })).toHaveLength(2)
  })
})

describe('find', () => {
  it('gives the selected columns alone', async () => {
    const found = await users.find({ select: { email: true }, where: { email: 'ada@x.org' } })
    expect(found.map(({ email, id }) => ({ email, id }))).toEqual([{ email: 'ada@x.org', id: undefined }])
  })

  it('gives columns of relations as they are selected', async () => {
    const found = await users.find({
      select: { id: true, posts: { id: true, body: true } },
      where: { id: ada.id },
      relations: { posts: true },
      order: { posts: { id: 'ASC' } },
    })
    expect(found.map(({ email, posts }) => ({ email, posts: posts.map(({ body }) => body) }))).toEqual([
      { email: undefined, posts: ['hello', 'wörld 漢'] },
    ])
  })

  it('counts, and pages over joined rows', async () => {
    const [found, count] = await users.findAndCount({
      where: { email: 'ada@x.org' },
      relations: { posts: true },
      take: 1,
      order: { n: 'DESC', posts: { id: 'ASC' } },
    })
    expect(count).toBe(1)
    expect(found[0]!.posts.map(({ body }) => body)).toEqual(['hello', 'wörld 漢'])
  })

  it('pages in the order of another column', async () => {
    const page = (skip: number) => users.find({ order: { id: 'ASC' }, skip, take: 2 })
    const pages = [await page(0), await page(2), await page(4)]
    expect(pages.map((rows) => rows.map(({ email }) => email))).toEqual([
      ['ada@x.org', 'Bobby@x.org'],
      ['c1@x.org', null],
      ['c3@x.org'],
    ])
  })

  it('loads relations by statements of their own', async () => {
    const found = await users.findOneOrFail({
      where: { email: 'ada@x.org' },
      relations: { posts: true },
      relationLoadStrategy: 'query',
    })
    expect(found.posts.map(({ body }) => body).sort()).toEqual(['hello', 'wörld 漢'])
  })

  it('locks the rows that it finds by a value', async () => {
    await source.dataSource.transaction(async (manager) => {
      const where = { email: 'ada@x.org' }
      const found = await manager.findOne(User, { where, lock: { mode: 'pessimistic_write' } })
      expect(found).toMatchObject({ id: ada.id })
    })
  })
})

describe('count, exists and the rest', () => {
  it('find by a value', async () => {
    expect(await users.countBy({ email: 'ada@x.org' })).toBe(1)
    expect(await users.existsBy({ email: 'no@x.org' })).toBe(false)
    expect(await users.exists({ where: { email: 'ada@x.org' } })).toBe(true)
    expect(await users.findOneBy({ email: 'no@x.org' })).toBeNull()
    await expect(users.findOneByOrFail({ email: 'no@x.org' })).rejects.toMatchObject({ name: 'EntityNotFoundError' })
  })

  it('count rows, and not the different values of an encrypted column, which TypeORM 1 makes of `select`', async () => {
    const runner = source.dataSource.createQueryRunner()
    const isOne = 'dataSource' in runner
    await runner.release()
    const counted = (work: Promise<unknown>) => work.catch(({ code }) => code)
    expect(await counted(users.count({ select: { email: true } }))).toEqual(isOne ? 'QUERY_UNSUPPORTED' : 5)
    const select = { id: true, email: true }
    for (const page of [{}, { take: 2 }, { take: 2, skip: 4 }, { take: 1, relations: { posts: true } }]) {
      const [, rows] = await users.findAndCount({ select, order: { id: 'ASC' }, ...page })
      expect(rows).toBe(5)
    }
    expect(await users.count({ select })).toBe(5)
  })

  it('of other columns work as ever', async () => {
    expect(await users.maximum('n')).toBe(5)
    expect(await users.sum('n', { email: In(['ada@x.org', 'c3@x.org']) })).toBe(8)
    expect(await users.count()).toBe(5)
  })
})

describe('refused, with nothing sent', () => {
  it.each<[string, FindOperator<string>]>([
    ['Like', Like('a%') as FindOperator<string>],
    ['ILike', ILike('a%') as FindOperator<string>],
    ['MoreThan', MoreThan('a')],
    ['LessThan', LessThan('a')],
    ['Between', Between('a', 'b')],
    ['Not of Like', Not(Like('a%')) as FindOperator<string>],
    ['Raw with a function', Raw((column) => `lower(${column}) = :x`, { x: 'a' })],
    ['Raw with a literal', Raw((column) => `${column} = 'ada@x.org'`)],
    ['ArrayContains', ArrayContains(['a']) as unknown as FindOperator<string>],
    ['JsonContains', JsonContains({ a: 1 }) as unknown as FindOperator<string>],
    ['And with Like in it', And(Not('a'), Like('a%')) as FindOperator<string>],
  ])('is refused before SQL: %s', async (_, operator) => {
    await refusedBeforeSql(source, () => users.findBy({ email: operator }))
  })

  it('is a search by a column without an index', async () => {
    await refusedBeforeSql(source, () => users.findBy({ notes: { likes: [] } }), { names: 'User.notes' })
    const posts = source.dataSource.getRepository(Post)
    await refusedBeforeSql(source, () => posts.findBy({ body: 'hello' }), { names: 'Post.body' })
    await refusedBeforeSql(source, () => users.findBy({ posts: { body: 'hello' } }), { names: 'Post.body' })
  })

  it('is an order by an encrypted column, also with pages and joins', async () => {
    await refusedBeforeSql(source, () => users.find({ order: { email: 'ASC' } }))
    await refusedBeforeSql(source, () => users.find({ order: { email: 'DESC' }, take: 1, relations: { posts: true } }))
    const byPost = () => users.find({ relations: { posts: true }, order: { posts: { body: 'ASC' } } })
    await refusedBeforeSql(source, byPost, { names: 'Post.body' })
    const byPhone = () => users.find({ order: { profile: { phone: 'ASC' } } })
    await refusedBeforeSql(source, byPhone, { names: 'User.profile.phone' })
  })

  it('is a minimum, a maximum or a sum of an encrypted column', async () => {
    await refusedBeforeSql(source, () => users.minimum('email' as never))
    await refusedBeforeSql(source, () => users.maximum('email' as never))
    await refusedBeforeSql(source, () => users.sum('email' as never))
  })
})
