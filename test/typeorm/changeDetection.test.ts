import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { Repository } from 'typeorm'
import type { User } from './entities.js'
import { openSource, type SourceUnderTest } from './openSource.js'
import { emptyTables, plantPeople, usersOf } from './people.js'

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
  source.takeSql()
  source.events.length = 0
})
afterAll(() => source?.close())

const row = async () => (await source.stored('SELECT * FROM "user" WHERE id = $1', [ada.id]))[0]!
const updates = () => source.takeSql().filter((statement) => statement.startsWith('UPDATE'))
const encryptions = () => source.events.filter((event) => event.type === 'values' && event.mode === 'encrypt')

describe('an entity that is saved again', () => {
  it('unchanged is neither written nor encrypted', async () => {
    await users.save(ada)
    expect({ updates: updates(), encryptions: encryptions() }).toEqual({ updates: [], encryptions: [] })
  })

  it('with another column changed keeps its ciphertexts, byte for byte', async () => {
    const before = await row()
    ada.plain = 'q'
    await users.save(ada)
    expect(await row()).toMatchObject({ email: before.email, notes: before.notes, plain: 'q' })
    expect(encryptions()).toEqual([])
  })

  it('with an encrypted column changed has that one alone encrypted', async () => {
    const before = await row()
    ada.email = 'ada2@x.org'
    await users.save(ada)
    const after = await row()
    expect(after.email).not.toBe(before.email)
    expect(after).toMatchObject({ notes: before.notes, profilePhone: before.profilePhone })
    expect(encryptions()).toMatchObject([{ field: 'User.email', count: 1 }])
  })

  it('with JSON changed in place is written', async () => {
    const before = await row()
    ada.notes!.likes.push('coffee')
    await users.save(ada)
    const after = await row()
    expect(after.notes).not.toBe(before.notes)
    expect(after.email).toBe(before.email)
    expect(await users.findOneByOrFail({ id: ada.id })).toMatchObject({ notes: { likes: ['tea', 'coffee'], at: 1 } })
  })

  it('from a plain object with equal values is not written', async () => {
    await users.save({ id: ada.id, email: 'ada@x.org', notes: { likes: ['tea'], at: 1 }, profile: { phone: '7' } })
    expect(updates()).toEqual([])
  })

  it('among others has those alone written that changed', async () => {
    const all = await users.find({ order: { id: 'ASC' } })
    const before = await source.stored('SELECT id, email, notes FROM "user" ORDER BY id')
    all[1]!.email = 'bob@x.org'
    await users.save(all)
    const after = await source.stored('SELECT id, email, notes FROM "user" ORDER BY id')
    expect(after.filter((one, position) => one.email !== before[position]!.email)).toHaveLength(1)
  })

  it('with a value set to what another row holds is written, although the markers of both are alike', async () => {
    const [, bobby, third] = await users.find({ order: { id: 'ASC' } })
    third!.profile.phone = bobby!.profile.phone
    await users.save([third!, bobby!])
    expect(await users.countBy({ profile: { phone: '11' } })).toBe(2)
  })
})
