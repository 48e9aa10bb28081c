import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { withTenant } from 'fieldseal'
import { forTenant } from 'fieldseal/typeorm'
import type { DataSource, Repository } from 'typeorm'
import {
  addTransactionalDataSource,
  deleteDataSourceByName,
  initializeTransactionalContext,
  Propagation,
  runOnTransactionCommit,
  StorageDriver,
  Transactional,
} from 'typeorm-transactional'
import { refusal } from '../support/refusal.js'
import { User } from './entities.js'
import { openSource, type SourceUnderTest } from './openSource.js'
import { emailsOf, emptyTables, usersOf } from './people.js'

const BACK = new Error('back')

/** A service as its users write it. */
class Users {
  readonly #users: Repository<User>
  readonly committed: string[] = []

  constructor(dataSource: DataSource) {
    this.#users = usersOf(dataSource)
  }

  @Transactional()
  async add(email: string, more: () => Promise<unknown> = async () => undefined): Promise<User> {
    runOnTransactionCommit(() => void this.committed.push(email))
    const user = await this.#users.save({ email, profile: {} })
    await more()
    return user
  }

  @Transactional({ propagation: Propagation.NESTED })
  async tryAdding(email: string): Promise<void> {
    await this.#users.insert({ email, profile: {} })
    throw BACK
  }

  find(email: string): Promise<User[]> {
    return this.#users.findBy({ email })
  }
}

let source: SourceUnderTest
let dataSource: DataSource
let users: Users
beforeAll(async () => {
  initializeTransactionalContext({ storageDriver: StorageDriver.ASYNC_LOCAL_STORAGE })
  source = await openSource({ defaultTenant: null })
  dataSource = addTransactionalDataSource(source.dataSource)
  users = new Users(dataSource)
})
beforeEach(() => emptyTables(source))
afterAll(async () => {
  deleteDataSourceByName('default')
  await source?.close()
})

const asAcme = <T>(work: () => Promise<T>) => withTenant('acme', work)
const stored = async () => emailsOf(await usersOf(forTenant(dataSource, 'acme')).find())

describe('typeorm-transactional', () => {
  it('has a method of a service work in one transaction, for the tenant of withTenant', async () => {
    await asAcme(() => users.add('a@x.org', async () => expect(await users.find('a@x.org')).toHaveLength(1)))
    const failing = asAcme(() => users.add('b@x.org', () => Promise.reject(BACK)))
    await expect(failing).rejects.toBe(BACK)
    expect(await stored()).toEqual(['a@x.org'])
    expect(users.committed).toEqual(['a@x.org'])
    expect(await source.stored(`SELECT count(*)::int AS n FROM "user" WHERE email LIKE 'fs1.%'`)).toEqual([{ n: 1 }])
  })

  it('has the data source, its builders and SQL join the transaction', async () => {
    const joined = async () => {
      expect(await dataSource.query('SELECT email FROM "user" WHERE email = $1', ['a@x.org'])).toHaveLength(1)
      const builder = dataSource.createQueryBuilder(User, 'u').where('u.email = :email', { email: 'a@x.org' })
      expect(await builder.getCount()).toBe(1)
      await dataSource.manager.update(User, { email: 'a@x.org' }, { email: 'c@x.org' })
      throw BACK
    }
    await expect(asAcme(() => users.add('a@x.org', joined))).rejects.toBe(BACK)
    expect(await stored()).toEqual([])
  })

  it('nests transactions', async () => {
    await asAcme(() => users.add('a@x.org', () => expect(users.tryAdding('b@x.org')).rejects.toBe(BACK)))
    expect(await stored()).toEqual(['a@x.org'])
  })

  it('needs a tenant as everything does', async () => {
    expect(await refusal(() => users.tryAdding('b@x.org'))).toMatchObject({ code: 'TENANT_MISSING' })
    expect(await stored()).toEqual([])
  })

  it('keeps the limits of withTenant', async () => {
    const user = await asAcme(() => users.add('a@x.org'))
    const read = () => withTenant('acme', { allow: [] }, () => users.find('a@x.org'))
    expect(await refusal(() => asAcme(() => users.add('b@x.org', read)))).toMatchObject({ code: 'ACCESS_DENIED' })
    expect(user.email).toBe('a@x.org')
  })

  it('does not take a bound data source into the transaction, which is refused rather than left out or unbound', async () => {
    const bound = forTenant(dataSource, 'globex', { allow: [] })
    for (const work of [
      () => usersOf(bound).find(),
      () => usersOf(bound).extend({}).find(),
      () => bound.manager.count(User),
      () => bound.query('SELECT 1'),
      () => bound.createQueryBuilder(User, 'u').getMany(),
      () => bound.transaction(async () => undefined),
      async () => bound.driver.createQueryRunner('master'),
    ]) {
      const error = await refusal(() => asAcme(() => users.add('a@x.org', work)))
      expect(error).toMatchObject({ code: 'QUERY_UNSUPPORTED', message: expect.stringContaining('withTenant') })
    }
    expect(await stored()).toEqual([])
    expect(await usersOf(bound).count()).toBe(0)
  })
})

describe('a transaction of the data source', () => {
  it('is for the tenant of withTenant around it, and inside of it', async () => {
    const add = (email: string) => dataSource.transaction((manager) => manager.insert(User, { email, profile: {} }))
    await asAcme(() => add('a@x.org'))
    await dataSource.transaction(async (manager) => {
      await asAcme(() => manager.insert(User, { email: 'b@x.org', profile: {} }))
      await asAcme(() => manager.transaction((inner) => inner.update(User, { email: 'b@x.org' }, { email: 'c@x.org' })))
      expect(await refusal(() => manager.findBy(User, { email: 'c@x.org' }))).toMatchObject({ code: 'TENANT_MISSING' })
    })
    expect(await stored()).toEqual(['a@x.org', 'c@x.org'])
  })
})
