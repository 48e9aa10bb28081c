import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { Brackets, In, NotBrackets, type Repository } from 'typeorm'
import { Post, User } from './entities.js'
import { openSource, type SourceUnderTest } from './openSource.js'
import { CIPHERTEXT, emailsOf, emptyTables, plantPeople, usersOf } from './people.js'
import { refusedBeforeSql } from './refusedBeforeSql.js'

let source: SourceUnderTest
let users: Repository<User>
let ada: User
beforeAll(async () => {
  source = await openSource()
  users = usersOf(source.dataSource)
})
beforeEach(async () => {
  await emptyTables(source)
  ada = await plantPeople(source)
})
afterAll(() => source?.close())

const stored = async (email: string) => {
  const { id } = await users.findOneByOrFail({ email })
  return (await source.stored('SELECT * FROM "user" WHERE id = $1', [id]))[0]!
}

describe('a select', () => {
  it('joins, and finds by values in strings', async () => {
    const found = await users
      .createQueryBuilder('u')
      .leftJoinAndSelect('u.posts', 'p')
      .where('u.email = :e OR u.plain = :e', { e: 'ada@x.org' })
      .andWhere('u.profile.phone IN (:...phones)', { phones: ['7', '8'] })
      .orderBy('p.id')
      .getMany()
    expect(found.map(({ email, posts }) => [email, posts[0]!.body])).toEqual([['ada@x.org', 'hello']])
  })

  it('takes objects, brackets and operators as conditions', async () => {
    const found = await users
      .createQueryBuilder('u')
      .where({ email: In(['ada@x.org', 'Bobby@x.org', 'c1@x.org']) })
      .andWhere(new NotBrackets((not) => not.where('u.email = :c', { c: 'c1@x.org' })))
      .andWhere(new Brackets((or) => or.where('u.n > :n', { n: 4 }).orWhere('u.email != :a', { a: 'ada@x.org' })))
      .getMany()
    expect(emailsOf(found)).toEqual(['Bobby@x.org', 'ada@x.org'])
  })

  it('has subqueries that find by a value', async () => {
    const found = await users
      .createQueryBuilder('u')
      .where((query) => {
        const sub = query.subQuery().select('x.id').from(User, 'x').where('x.email = :e')
        return `u.id IN ${sub.getQuery()}`
      })
      .setParameter('e', 'ada@x.org')
      .getMany()
    expect(emailsOf(found)).toEqual(['ada@x.org'])
  })

  it('reads through a common table expression', async () => {
    const known = users.createQueryBuilder('u').select(['u.id', 'u.email']).where('u.email = :e', { e: 'ada@x.org' })
    const rows = await source.dataSource
      .createQueryBuilder()
      .addCommonTableExpression(known, 'known')
      .select('*')
      .from('known', 'k')
      .getRawMany()
    expect(rows).toEqual([{ u_id: ada.id, u_email: 'ada@x.org' }])
  })

  it('reads from a subquery', async () => {
    const rows = await source.dataSource
      .createQueryBuilder()
      .select('s.mail', 'mail')
      .from((query) => query.select('u.email', 'mail').addSelect('u.n', 'n').from(User, 'u'), 's')
      .where('s.n > :n', { n: 2 })
      .orderBy('s.n')
      .getRawMany()
    expect(rows).toEqual([{ mail: 'c3@x.org' }, { mail: 'ada@x.org' }])
  })

  it('gives raw rows with plaintext, under their aliases', async () => {
    const query = users.createQueryBuilder('u').select('u.email', 'mail').where({ email: 'ada@x.org' })
    expect(await query.getRawMany()).toEqual([{ mail: 'ada@x.org' }])
    expect(await query.getRawOne()).toEqual({ mail: 'ada@x.org' })
    const both = await users.createQueryBuilder('u').where('u.id = :id', { id: ada.id }).getRawAndEntities()
    expect(both.raw[0]).toMatchObject({ u_email: 'ada@x.org', u_notes: { likes: ['tea'], at: 1 } })
    expect(both.entities).toMatchObject([{ email: 'ada@x.org' }])
  })

  it('pages, counts, and maps relations', async () => {
    const [found, count] = await users
      .createQueryBuilder('u')
      .leftJoinAndMapMany('u.written', 'u.posts', 'p')
      .where('u.email IS NOT NULL')
      .orderBy('u.id')
      .skip(0)
      .take(2)
      .getManyAndCount()
    const shown = found as unknown as { written: Post[] }[]
    expect(count).toBe(4)
    expect(shown.map(({ written }) => written.map(({ body }) => body).sort())).toEqual([['hello', 'wörld 漢'], []])
  })

  it('groups by other columns, and counts encrypted ones', async () => {
    const rows = await users
      .createQueryBuilder('u')
      .select('u.n', 'n')
      .addSelect('count(u.email)', 'emails')
      .groupBy('u.n')
      .having('count(u.email) < :most', { most: 2 })
      .orderBy('u.n')
      .getRawMany()
    expect(rows).toEqual([0, 1, 3, 5].map((n) => ({ n, emails: '1' })))
  })

  it('joins what is no relation, by other columns', async () => {
    const rows = await source.dataSource
      .getRepository(Post)
      .createQueryBuilder('p')
      .innerJoin(User, 'u', 'u.id = p.userId AND u.email = :e', { e: 'ada@x.org' })
      .select(['p.body', 'u.email'])
      .orderBy('p.id')
      .getRawMany()
    expect(rows).toEqual([
      { p_body: 'hello', u_email: 'ada@x.org' },
      { p_body: 'wörld 漢', u_email: 'ada@x.org' },
    ])
  })
})

describe('an insert', () => {
  it('gives what it returns in plaintext', async () => {
    const result = await source.dataSource
      .createQueryBuilder()
      .insert()
      .into(User)
      .values({ email: 'qb@x.org', profile: { phone: null } })
      .returning(['id', 'email'])
      .execute()
    expect(result.raw[0]).toMatchObject({ id: expect.any(Number), email: 'qb@x.org' })
    expect(result.generatedMaps).toMatchObject([{ email: 'qb@x.org' }])
  })

  it('of many rows encrypts each, and leaves conflicts out', async () => {
    await source.dataSource
      .createQueryBuilder()
      .insert()
      .into(User)
      .values([
        { email: 'ADA@x.org', profile: { phone: 'no' } },
        { email: 'd@x.org', profile: { phone: '4' } },
      ])
      .orIgnore()
      .execute()
    expect(await users.findBy({ profile: { phone: 'no' } })).toEqual([])
    expect(await stored('d@x.org')).toMatchObject({ email: expect.stringMatching(CIPHERTEXT) })
  })

  it('or update writes the value with its index', async () => {
    await source.dataSource
      .createQueryBuilder()
      .insert()
      .into(User)
      .values({ email: 'ADA@x.org', profile: { phone: '70' } })
      .orUpdate(['email', 'profilePhone'], ['email'])
      .execute()
    expect(await users.findOneBy({ profile: { phone: '70' } })).toMatchObject({ id: ada.id, email: 'ADA@x.org' })
  })
})

describe('an update', () => {
  it('finds by a value in a string, and returns plaintext', async () => {
    const result = await source.dataSource
      .createQueryBuilder()
      .update(User)
      .set({ email: 'ada2@x.org' })
      .where('email = :e', { e: 'ada@x.org' })
      .returning('*')
      .execute()
    expect(result.affected).toBe(1)
    expect(result.raw[0]).toMatchObject({ email: 'ada2@x.org' })
    expect(await users.findOneBy({ email: 'ada2@x.org' })).toMatchObject({ id: ada.id })
  })

  it('of many rows writes the same value into each', async () => {
    await users
      .createQueryBuilder()
      .update()
      .set({ profile: { phone: '99' } })
      .where('n < 2')
      .execute()
    expect(await users.countBy({ profile: { phone: '99' } })).toBe(3)
    const phones = await source.stored(`SELECT "profilePhone" AS phone FROM "user" WHERE n < 2`)
    for (const { phone } of phones) expect(phone).toMatch(CIPHERTEXT)
  })

  it('of other columns takes SQL expressions', async () => {
    await users
      .createQueryBuilder()
      .update()
      .set({ n: () => 'n + 1' })
      .where('email = :e', { e: 'ada@x.org' })
      .execute()
    expect(await users.findOneBy({ id: ada.id })).toMatchObject({ n: 6, email: 'ada@x.org' })
  })
})

describe('a delete', () => {
  it('finds by values in a string', async () => {
    await users.insert({ email: 'd@x.org', profile: {} })
    const query = source.dataSource.createQueryBuilder().delete().from(User)
    expect(await query.where('email IN (:...e)', { e: ['d@x.org', 'zz'] }).execute()).toMatchObject({ affected: 1 })
  })

  it('softly does so too', async () => {
    await users.createQueryBuilder().softDelete().where('email = :e', { e: 'c1@x.org' }).execute()
    expect(await users.existsBy({ email: 'c1@x.org' })).toBe(false)
    await users.createQueryBuilder().restore().where('email = :e', { e: 'c1@x.org' }).execute()
    expect(await users.existsBy({ email: 'c1@x.org' })).toBe(true)
  })
})

describe('a relation builder', () => {
  it('loads decrypted rows', async () => {
    const posts = await source.dataSource.createQueryBuilder().relation(User, 'posts').of(ada.id).loadMany<Post>()
    expect(posts.map(({ body }) => body).sort()).toEqual(['hello', 'wörld 漢'])
  })

  it('adds and removes what has encrypted columns', async () => {
    const post = await source.dataSource.getRepository(Post).save({ body: 'third' })
    const relation = () => source.dataSource.createQueryBuilder().relation(User, 'posts').of(ada.id)
    await relation().add(post.id)
    expect(await relation().loadMany()).toHaveLength(3)
    await relation().remove(post.id)
    expect(await relation().loadMany()).toHaveLength(2)
  })
})

describe('refused, with nothing sent', () => {
  const query = () => users.createQueryBuilder('u')
  it.each<[string, () => Promise<unknown>]>([
    ['an order by an alias', () => query().select('u.email', 'mail').orderBy('mail').getRawMany()],
    ['an order by the column', () => query().orderBy('u.email').getMany()],
    ['a group', () => query().select('count(*)').groupBy('u.email').getRawMany()],
    ['DISTINCT', () => query().select('u.email').distinct(true).getRawMany()],
    ['DISTINCT ON', () => query().distinctOn(['u.email']).getMany()],
    ['a function of the column', () => query().select('substr(u.email, 1, 2)', 's').getRawMany()],
    ['the whole row', () => query().select('row_to_json(u)', 's').getRawMany()],
    ['a condition in SQL', () => query().where(`"u"."email" LIKE 'a%'`).getMany()],
    ['a literal', () => query().where(`u.email = 'ada@x.org'`).getMany()],
    ['a column that is compared with another', () => query().where('u.email = u.plain').getMany()],
    ['a join by the column', () => query().innerJoin(User, 'w', 'w.email = u.email').getMany()],
    ['a subquery that gives the column', () => query().where('u.plain IN (SELECT email FROM "user")').getMany()],
    [
      'an expression that is set',
      () =>
        query()
          .update()
          .set({ email: () => "'raw'" })
          .where('id = 1')
          .execute(),
    ],
    [
      'an expression that is inserted',
      () =>
        query()
          .insert()
          .values({ email: () => "'raw'", profile: {} })
          .execute(),
    ],
    ['having', () => query().select('u.n').groupBy('u.n').having('max(u.email) = :e', { e: 'x' }).getRawMany()],
    ['a minimum', () => query().select('min(u.email)', 'm').getRawMany()],
  ])('is refused before SQL: %s', async (_, work) => {
    await refusedBeforeSql(source, work)
  })
})
