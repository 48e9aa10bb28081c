import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { forTenant } from 'fieldseal/typeorm'
import { User } from './entities.js'
import { openSource, type SourceUnderTest } from './openSource.js'
import { usersOf } from './people.js'

/* Results of more rows than are decrypted at a time. */

const ROWS = 700

let source: SourceUnderTest
const order = { n: 'ASC' } as const
const emailOf = (n: number) => (n % 5 === 0 ? null : `u${n}@x.org`)

beforeAll(async () => {
  // Who watches events has a slot for each value.
  source = await openSource({ encryption: { onEvent: undefined } as object })
  const users = Array.from({ length: ROWS }, (_, n) => ({
    email: emailOf(n),
    n,
    notes: { likes: [], at: n },
    profile: { phone: `${n}` },
  }))
  await usersOf(source.dataSource).insert(users)
})
afterAll(() => source?.close())

describe('a long result', () => {
  it('has every value of every row', async () => {
    const users = await usersOf(source.dataSource).find({ order })
    expect(users.map(({ email, n, notes, profile }) => ({ email, n, notes, phone: profile.phone }))).toEqual(
      Array.from({ length: ROWS }, (_, n) => ({ email: emailOf(n), n, notes: { likes: [], at: n }, phone: `${n}` })),
    )
  })

  it('fails for a value far down, with its property, and leaves nothing in doubt for who asks again', async () => {
    const users = usersOf(source.dataSource)
    const { id } = await users.findOneByOrFail({ email: emailOf(ROWS - 2)! })
    const [{ email } = { email: '' }] = await source.stored('SELECT email FROM "user" WHERE id = $1', [id])
    const torn = `${email.slice(0, -4)}AAAA`
    await source.stored('UPDATE "user" SET email = $1 WHERE id = $2', [torn, id])
    await expect(users.find({ order })).rejects.toMatchObject({
      code: 'DECRYPTION_FAILED',
      message: expect.stringMatching(/^User\.email/),
    })
    await source.stored('UPDATE "user" SET email = $1 WHERE id = $2', [email, id])
    expect(await users.find({ order })).toHaveLength(ROWS)
  })

  it('fails for another tenant', async () => {
    const users = forTenant(source.dataSource, 'globex').getRepository(User)
    await expect(users.find({ order })).rejects.toMatchObject({ code: 'TENANT_MISMATCH' })
  })
})
