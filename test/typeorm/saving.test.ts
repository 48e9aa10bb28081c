import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { DeepPartial, Repository } from 'typeorm'
import { Post, type User } from './entities.js'
import { openSource, type SourceUnderTest } from './openSource.js'
import { CIPHERTEXT, emptyTables, usersOf } from './people.js'

let source: SourceUnderTest
let users: Repository<User>
beforeAll(async () => {
  source = await openSource()
  users = usersOf(source.dataSource)
})
beforeEach(() => emptyTables(source))
afterAll(() => source?.close())

const ada = () => ({
  email: 'Ada@x.org',
  notes: { likes: ['tea'], at: 1 },
  plain: 'p',
  profile: { phone: '+49' },
  posts: [{ body: 'hello' }, { body: 'wörld 漢' }],
})
const row = async () => (await source.stored('SELECT * FROM "user" ORDER BY id'))[0]!

describe('save', () => {
  it('stores ciphertexts and blind indexes, also of embedded columns and cascades', async () => {
    await users.save(ada())
    expect(await row()).toMatchObject({
      email: expect.stringMatching(CIPHERTEXT),
      notes: expect.stringMatching(CIPHERTEXT),
      profilePhone: expect.stringMatching(CIPHERTEXT),
      emailIndex: expect.stringMatching(/^[\w-]{22}$/),
      profilePhoneindex: expect.stringMatching(/^[\w-]{22}$/),
      plain: 'p',
    })
    const posts = await source.stored('SELECT body FROM post')
    expect(posts).toHaveLength(2)
    for (const { body } of posts) expect(body).toMatch(CIPHERTEXT)
  })

  it('leaves the plaintext in the entity that it is given', async () => {
    const given = users.create(ada())
    const saved = await users.save(given)
    expect(saved).toBe(given)
    expect(saved).toMatchObject({ email: 'Ada@x.org', notes: { likes: ['tea'], at: 1 }, profile: { phone: '+49' } })
    expect(saved.posts.map(({ body }) => body)).toEqual(['hello', 'wörld 漢'])
  })

  it('gives what find then finds, to listeners too, without the index', async () => {
    const { id } = await users.save(ada())
    const found = await users.findOneByOrFail({ id })
    expect(found).toMatchObject({ email: 'Ada@x.org', seen: 'Ada@x.org', notes: { likes: ['tea'], at: 1 } })
    expect(found.profile).toMatchObject({ phone: '+49' })
    expect(found).not.toHaveProperty('emailIndex')
    expect(found.profile).not.toHaveProperty('phoneIndex')
  })

  it('moves the blind index with the value, and clears it with null', async () => {
    const user: User = await users.save(ada())
    const before = await row()
    user.email = 'ada2@x.org'
    await users.save(user)
    expect((await row()).emailIndex).not.toBe(before.emailIndex)
    user.email = null
    await users.save(user)
    expect(await row()).toMatchObject({ email: null, emailIndex: null })
    user.email = 'ada@x.org'
    await users.save(user)
    expect(await row()).toMatchObject({ emailIndex: before.emailIndex })
  })

  it('makes null of nullable columns that are undefined, and leaves their indexes null', async () => {
    await users.save({ profile: {} })
    expect(await row()).toMatchObject({ email: null, emailIndex: null, profilePhone: null, profilePhoneindex: null })
  })

  it('stores the index of an unchanged value nowhere else than beside it', async () => {
    const user = await users.save(ada())
    const before = await row()
    await users.save({ id: user.id, n: 9 })
    expect(await row()).toMatchObject({ n: 9, emailIndex: before.emailIndex, email: before.email })
  })

  it('of many entities at once keeps each with its own', async () => {
    const many = Array.from(
      { length: 60 },
      (_, n) => ({ email: n % 7 ? `u${n}@x.org` : null, n, profile: {} }) as DeepPartial<User>,
    )
    await users.save(many)
    const found = await users.find({ order: { id: 'ASC' } })
    expect(found.map(({ email, n }) => [email, n])).toEqual(many.map(({ email, n }) => [email, n]))
  })

  it('refuses a value of another type, naming the property, before any SQL', async () => {
    source.takeSql()
    const wrong = users.save({ email: 7 as never, profile: {} })
    await expect(wrong).rejects.toMatchObject({ code: 'VALUE_INVALID', message: expect.stringContaining('User.email') })
    expect(source.takeSql()).toEqual([])
  })

  it('of an email that is taken fails as the database has it, and tells no value', async () => {
    await users.save(ada())
    const error = await users.save({ email: ' ADA@x.org', profile: {} }).catch((thrown) => thrown)
    expect(error).toMatchObject({ name: 'QueryFailedError', code: '23505' })
    expect(JSON.stringify([error, error.message, error.driverError, error.parameters])).not.toMatch(/ada@/i)
  })
})

describe('insert', () => {
  it('of one and of many stores nulls as they are', async () => {
    await users.insert({ email: 'bob@x.org', profile: { phone: '1' } })
    await users.insert([
      { email: 'c1@x.org', profile: {} },
      { profile: {} },
      { email: 'c3@x.org', profile: { phone: '3' } },
    ])
    const found = await users.find({ order: { id: 'ASC' } })
    expect(found.map(({ email }) => email)).toEqual(['bob@x.org', 'c1@x.org', null, 'c3@x.org'])
    expect(found.map(({ profile }) => profile.phone)).toEqual(['1', null, null, '3'])
  })

  it('leaves the objects that it is given as they were, but for what the database makes', async () => {
    const given = { email: 'bob@x.org', notes: { likes: [] }, profile: { phone: '1' } }
    await users.insert(given)
    expect(given).toMatchObject({ email: 'bob@x.org', notes: { likes: [] }, profile: { phone: '1' } })
  })
})

describe('update', () => {
  it('finds by a value and writes another, with its index', async () => {
    await users.insert({ email: 'bob@x.org', profile: { phone: '1' } })
    await users.update({ email: 'bob@x.org' }, { email: 'bobby@x.org', profile: { phone: '11' } })
    expect(await users.findOneBy({ email: ' BOBBY@x.org' })).toMatchObject({ profile: { phone: '11' } })
    expect(await users.countBy({ email: 'bob@x.org' })).toBe(0)
  })

  it('by id writes embedded columns', async () => {
    const { id } = await users.save(ada())
    await users.update(id, { profile: { phone: '8' } })
    expect(await users.findOneBy({ profile: { phone: '8' } })).toMatchObject({ id, email: 'Ada@x.org' })
  })

  it('to null clears the index', async () => {
    const { id } = await users.save(ada())
    await users.update(id, { email: null })
    expect(await row()).toMatchObject({ email: null, emailIndex: null })
  })
})

describe('upsert', () => {
  it('finds the row by an encrypted unique column', async () => {
    await users.insert({ email: 'bobby@x.org', n: 1, profile: {} })
    await users.upsert({ email: 'Bobby@x.org', plain: 'up' }, ['email'])
    expect(await users.find()).toMatchObject([{ email: 'Bobby@x.org', plain: 'up', n: 1 }])
  })

  it('inserts what is not there, and updates the rest', async () => {
    await users.insert({ email: 'a@x.org', plain: 'old', profile: {} })
    await users.upsert(
      [
        { email: 'a@x.org', plain: 'new' },
        { email: 'b@x.org', plain: 'other' },
      ],
      ['email'],
    )
    const found = await users.find({ order: { id: 'ASC' } })
    expect(found.map(({ email, plain }) => [email, plain])).toEqual([
      ['a@x.org', 'new'],
      ['b@x.org', 'other'],
    ])
  })

  it('writes values of other columns with their indexes over the old ones', async () => {
    const { id } = await users.save(ada())
    await users.upsert({ email: 'ada@x.org', profile: { phone: '70' } }, ['email'])
    expect(await users.findOneBy({ profile: { phone: '70' } })).toMatchObject({ id, email: 'ada@x.org' })
    expect(await users.findOneBy({ profile: { phone: '+49' } })).toBeNull()
  })
})

describe('increment and decrement', () => {
  it('find rows by an encrypted value', async () => {
    await users.save(ada())
    await users.increment({ email: 'ada@x.org' }, 'n', 5)
    await users.decrement({ email: 'ada@x.org' }, 'n', 2)
    expect(await users.findOneBy({ email: 'ada@x.org' })).toMatchObject({ n: 3 })
  })
})

describe('deleting', () => {
  it('softly, and restoring, finds rows by an encrypted value', async () => {
    await users.save(ada())
    await users.softDelete({ email: 'ada@x.org' })
    expect(await users.existsBy({ email: 'ada@x.org' })).toBe(false)
    expect(await users.findOne({ where: { email: 'ada@x.org' }, withDeleted: true })).toMatchObject({
      email: 'Ada@x.org',
    })
    await users.restore({ email: 'ada@x.org' })
    expect(await users.existsBy({ email: 'ada@x.org' })).toBe(true)
  })

  it('softly of an entity, and recovering it, leaves its ciphertexts as they are', async () => {
    await users.save(ada())
    const before = await row()
    await users.softRemove(await users.findOneByOrFail({ email: 'ada@x.org' }))
    await users.recover(await users.findOneOrFail({ where: { email: 'ada@x.org' }, withDeleted: true }))
    expect(await row()).toMatchObject({ email: before.email, notes: before.notes, deletedAt: null })
  })

  it('finds rows by an encrypted value, and removes entities', async () => {
    await users.insert([
      { email: 'a@x.org', profile: {} },
      { email: 'b@x.org', profile: {} },
    ])
    expect(await users.delete({ email: 'A@x.org' })).toMatchObject({ affected: 1 })
    await users.remove(await users.find())
    expect(await users.count()).toBe(0)
  })
})

describe('preload', () => {
  it('brings decrypted values into the entity', async () => {
    const { id } = await users.save(ada())
    expect(await users.preload({ id, plain: 'z' })).toMatchObject({ email: 'Ada@x.org', plain: 'z' })
  })

  it('is saved without a change of what it brought', async () => {
    const { id } = await users.save(ada())
    const before = await row()
    await users.save((await users.preload({ id, plain: 'z' }))!)
    expect(await row()).toMatchObject({ plain: 'z', email: before.email, notes: before.notes })
    expect(await source.dataSource.getRepository(Post).count()).toBe(2)
  })
})
