import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { IsNull, Not } from 'typeorm'
import { Letter, Memo, Post, Tag, type User } from './entities.js'
import { openSource, type SourceUnderTest } from './openSource.js'
import { CIPHERTEXT, emptyTables, plantPeople, usersOf } from './people.js'

let source: SourceUnderTest
let ada: User
beforeAll(async () => {
  source = await openSource()
})
beforeEach(async () => {
  await emptyTables(source)
  ada = await plantPeople(source)
})
afterAll(() => source?.close())

describe('a relation', () => {
  it('that is eager comes decrypted', async () => {
    const memos = source.dataSource.getRepository(Memo)
    await memos.save({ text: 'n1', user: { id: ada.id } })
    expect(await memos.find()).toMatchObject([{ text: 'n1', user: { email: 'ada@x.org' } }])
  })

  it('that is lazy comes decrypted, from both sides', async () => {
    const letters = source.dataSource.getRepository(Letter)
    const letter = letters.create({ text: 'lz' })
    letter.user = Promise.resolve(await usersOf(source.dataSource).findOneByOrFail({ id: ada.id }))
    await letters.save(letter)
    const found = await letters.findOneByOrFail({ text: Not(IsNull()) })
    expect(found.text).toBe('lz')
    const user = await found.user
    expect(user.email).toBe('ada@x.org')
    expect((await user.letters).map(({ text }) => text)).toEqual(['lz'])
  })

  it('to many on both sides cascades and comes back', async () => {
    const users = usersOf(source.dataSource)
    await users.save({ id: ada.id, tags: [{ label: 'a' }, { label: 'b' }] })
    for (const { label } of await source.stored('SELECT label FROM tag')) expect(label).toMatch(CIPHERTEXT)
    const found = await users.findOneOrFail({ where: { email: 'ada@x.org' }, relations: { tags: true, posts: true } })
    expect(found.tags.map(({ label }) => label).sort()).toEqual(['a', 'b'])
    expect(found.posts.map(({ body }) => body).sort()).toEqual(['hello', 'wörld 漢'])
    found.tags = found.tags.filter(({ label }) => label === 'a')
    await users.save(found)
    expect(await source.stored('SELECT * FROM user_tags_tag')).toHaveLength(1)
    expect(await source.dataSource.getRepository(Tag).count()).toBe(2)
  })

  it('that is not loaded is left alone by save', async () => {
    ada.plain = 'z'
    await usersOf(source.dataSource).save(ada)
    expect(await source.dataSource.getRepository(Post).countBy({ user: { id: ada.id } })).toBe(2)
  })

  it('is found by ids beside encrypted columns', async () => {
    const found = await usersOf(source.dataSource).find({
      where: { id: ada.id },
      loadRelationIds: { relations: ['posts'] },
    })
    expect(found).toMatchObject([{ email: 'ada@x.org', posts: [1, 2] }])
  })
})
