import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { withTenant } from 'fieldseal'
import type { DataSource } from 'typeorm'
import { refusalCode } from '../../support/refusal.js'
import { Author, Book, type FakeSource, fieldseal, openFake } from '../fakeSource.js'

let source: FakeSource
let acme: DataSource
beforeAll(async () => {
  source = await openFake()
  acme = fieldseal.forTenant(source.dataSource, 'acme')
})
beforeEach(async () => {
  await source.dataSource.query('TRUNCATE author, book RESTART IDENTITY CASCADE')
  const author = await acme.getRepository(Author).save({ name: 'Ada' })
  const book = acme.getRepository(Book).create({ text: ['once', 'upon'] })
  await acme.getRepository(Book).save(Object.assign(book, { author }))
})
afterAll(() => source?.close())

const texts = async ({ books }: Author) => (await books).map(({ text }) => text)

describe('a lazy relation', () => {
  it('is loaded for the tenant that its entity was loaded for, both ways', async () => {
    const author = await acme.getRepository(Author).findOneByOrFail({ id: 1 })
    expect(await texts(author)).toEqual([['once', 'upon']])
    const book = await acme.getRepository(Book).findOneByOrFail({ id: 1 })
    const back = await book.author
    expect(back.name).toBe('Ada')
    expect(await texts(back)).toEqual([['once', 'upon']])
  })

  it('is loaded so after the transaction in which its entity was loaded', async () => {
    const author = await acme.transaction((manager) => manager.findOneByOrFail(Author, { id: 1 }))
    expect(await texts(author)).toEqual([['once', 'upon']])
  })

  it('of an entity that a bound repository made is loaded so too', async () => {
    const authors = acme.getRepository(Author)
    const bob = await authors.save(authors.create({ name: 'Bob' }))
    await acme.getRepository(Book).update({ id: 1 }, { author: bob } as never)
    expect(await texts(bob)).toEqual([['once', 'upon']])
  })

  it('of what is not bound is loaded for the tenant around it, or refused', async () => {
    const find = () => source.dataSource.getRepository(Author).findOneByOrFail({ id: 1 })
    const author = await withTenant('acme', find)
    expect(await refusalCode(() => texts(author))).toBe('TENANT_MISSING')
    const another = await withTenant('acme', find)
    expect(await withTenant('acme', () => texts(another))).toEqual([['once', 'upon']])
  })

  it('of an entity across tenants is loaded across them', async () => {
    const across = fieldseal.acrossTenants(source.dataSource)
    expect(await texts(await across.getRepository(Author).findOneByOrFail({ id: 1 }))).toEqual([['once', 'upon']])
  })
})
