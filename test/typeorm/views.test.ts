import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { refusal } from '../support/refusal.js'
import { SilentView, UserView } from './entities.js'
import { openSource, type SourceUnderTest } from './openSource.js'
import { emailsOf, plantPeople } from './people.js'
import { refusedBeforeSql } from './refusedBeforeSql.js'

let source: SourceUnderTest
beforeAll(async () => {
  source = await openSource()
  await plantPeople(source)
})
afterAll(() => source?.close())

describe('a view', () => {
  it('shows an encrypted column as plaintext where it is said to be one', async () => {
    const found = await source.dataSource.getRepository(UserView).find()
    expect(emailsOf(found).filter((email) => email !== null)).toHaveLength(4)
    expect(emailsOf(found)).toContain('ada@x.org')
  })

  it('is read by raw SQL too', async () => {
    const rows = await source.dataSource.query('SELECT v.email FROM user_view v WHERE v.id = 1')
    expect(rows).toEqual([{ email: 'ada@x.org' }])
  })

  it('that shows an encrypted column and does not say so is refused', async () => {
    const find = () => source.dataSource.getRepository(SilentView).find()
    await refusedBeforeSql(source, find, { names: '"silent_view"."mail" shows User.email' })
    const raw = () => source.dataSource.query('SELECT mail FROM silent_view')
    await refusedBeforeSql(source, raw, { names: '"silent_view"."mail" shows User.email' })
  })

  it('that somebody else has made meanwhile is refused when a ciphertext comes', async () => {
    await source.stored('CREATE VIEW made_elsewhere AS SELECT email AS mail FROM "user"')
    const error = await refusal(() => source.dataSource.query('SELECT mail FROM made_elsewhere'))
    expect(error).toMatchObject({ code: 'CIPHERTEXT_INVALID', message: expect.stringContaining('"mail"') })
    expect(error.message).not.toContain('fs1.')
  })

  it('is searched by what it shows the index of alone', async () => {
    const byEmail = () => source.dataSource.getRepository(UserView).findBy({ email: 'ada@x.org' })
    await refusedBeforeSql(source, byEmail, { names: 'User.email' })
  })
})

describe('a function of the database that yields a ciphertext', () => {
  it('is refused when the row comes', async () => {
    await source.stored(`CREATE FUNCTION any_email() RETURNS text LANGUAGE sql AS 'SELECT email FROM "user" LIMIT 1'`)
    const error = await refusal(() => source.dataSource.query('SELECT any_email() AS x'))
    expect(error.message).not.toContain('fs1.')
  })
})
