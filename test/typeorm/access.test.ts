import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { withTenant } from 'fieldseal'
import {
  type AuditEntry,
  BlindIndex,
  Encrypted,
  EncryptionKeyColumns,
  EncryptionKeys,
  encryptionOf,
  forTenant,
} from 'fieldseal/typeorm'
import { Entity, IsNull, Not, PrimaryGeneratedColumn } from 'typeorm'
import { openEntities, type SourceUnderTest } from './openSource.js'
import { emptyTables } from './people.js'
import { refusedBeforeSql } from './refusedBeforeSql.js'

@Entity()
class Account {
  @PrimaryGeneratedColumn()
  declare id: number

  @Encrypted({ mask: 'email' })
  declare email: string

  @BlindIndex<Account>('email')
  declare emailIndex?: string

  @Encrypted({ mask: 'last4', nullable: true })
  declare card: string | null

  @Encrypted({ mask: 'hidden', nullable: true })
  declare secret: string | null

  /** Has no mask, and is not in results unless it is asked for. */
  @Encrypted({ nullable: true, select: false })
  declare pin: string | null
}

@EncryptionKeys()
class Keys extends EncryptionKeyColumns {}

const audited: AuditEntry[] = []
let source: SourceUnderTest
beforeAll(async () => {
  const audit = { actor: () => 'ada', record: (entry: AuditEntry) => void audited.push(entry) }
  source = await openEntities([Account, Keys], { encryption: { audit } })
})
beforeEach(async () => {
  await emptyTables(source)
  const row = { email: 'ada@example.com', card: '4111111111111234', secret: 'S', pin: '1234' }
  await source.dataSource.getRepository(Account).insert(row)
  source.events.length = 0
  audited.length = 0
})
afterAll(() => source?.close())

const accounts = (access: object) => forTenant(source.dataSource, 'acme', access).getRepository(Account)
const support = () => accounts({ purpose: 'support', allow: ['Account.card'] })
const MASKED = { email: 'a•••@e•••.com', card: '4111111111111234', secret: '•••' }
const DENIED = { code: 'ACCESS_DENIED' } as const

describe('a data source of limited access', () => {
  it('gives masks for what it may not read', async () => {
    expect(await support().find()).toMatchObject([MASKED])
    expect(await accounts({ allow: [] }).find()).toMatchObject([{ ...MASKED, card: '•••1234' }])
    const raw = await forTenant(source.dataSource, 'acme', { allow: [] }).query('SELECT email, secret FROM account')
    expect(raw).toEqual([{ email: 'a•••@e•••.com', secret: '•••' }])
  })

  it('is limited by the context as by itself', async () => {
    const { manager } = source.dataSource
    expect(await withTenant('acme', { allow: [] }, () => manager.find(Account))).toMatchObject([{ secret: '•••' }])
  })

  it('is refused what has no mask, before any SQL', async () => {
    const advice = 'leave it out of what is selected, by `select` or in SQL'
    const names = { ...DENIED, names: `Account.pin may not be read by this client; ${advice}` }
    await refusedBeforeSql(source, () => support().find({ select: { id: true, pin: true } }), names)
    const returning = () =>
      support().createQueryBuilder().insert().values({ email: 'b@x.org' }).returning('*').execute()
    await refusedBeforeSql(source, returning, names)
  })

  it('is refused a search for what it may not read, before any SQL', async () => {
    const names = { ...DENIED, names: 'Account.email' }
    await refusedBeforeSql(source, () => support().findBy({ email: 'ada@example.com' }), names)
    await refusedBeforeSql(source, () => support().countBy({ email: Not('ada@example.com') }), names)
    await refusedBeforeSql(source, () => support().delete({ email: 'ada@example.com' }), names)
    expect(await support().countBy({ email: Not(IsNull()) })).toBe(1)
  })

  it('is not shown by an index which rows have the same value', async () => {
    const limited = forTenant(source.dataSource, 'acme', { allow: [] })
    expect(await limited.query('SELECT "emailIndex", id FROM account')).toEqual([{ emailIndex: null, id: 1 }])
    expect(await limited.query('SELECT "emailIndex" AS x, secret FROM account')).toEqual([{ x: null, secret: '•••' }])
    const names = { ...DENIED, names: 'Account.email' }
    for (const text of [
      'SELECT DISTINCT "emailIndex" FROM account',
      'SELECT "emailIndex" AS x FROM account UNION SELECT $1',
      'SELECT id FROM account a WHERE (SELECT "emailIndex" FROM account b WHERE b.id = a.id) = $1',
      'SELECT x FROM (SELECT "emailIndex" AS x FROM account) s ORDER BY x',
      'SELECT "emailIndex" AS x FROM account ORDER BY 1',
      'SELECT "emailIndex" AS x, count(*) FROM account GROUP BY x',
      'INSERT INTO plain(id, x) SELECT id, "emailIndex" FROM account',
    ])
      await refusedBeforeSql(source, () => limited.query(text, ['x']), names)
    const unlimited = forTenant(source.dataSource, 'acme')
    expect(await unlimited.query('SELECT DISTINCT "emailIndex" FROM account')).toEqual([
      { emailIndex: expect.any(String) },
    ])
  })

  it('may write what it may not read', async () => {
    await support().insert({ email: 'new@example.com', pin: '9' })
    await support().update({ id: 1 }, { secret: 'T' })
    expect(await source.dataSource.getRepository(Account).find({ order: { id: 'ASC' } })).toMatchObject([
      { secret: 'T' },
      { email: 'new@example.com' },
    ])
  })

  it('does not write a mask over the value when an entity is saved again', async () => {
    const [found] = await support().find()
    source.takeSql()
    await support().save(found!)
    expect(source.takeSql().filter((statement) => statement.startsWith('UPDATE'))).toEqual([])
    await refusedBeforeSql(source, () => support().insert({ email: found!.email }), {
      code: 'VALUE_INVALID',
      names: 'Account.email',
    })
  })

  it('must name fields that there are', () => {
    expect(() => accounts({ allow: ['Account.none'] })).toThrow(expect.objectContaining({ code: 'OPTIONS_INVALID' }))
    expect(() => accounts({ alow: [] })).toThrow(expect.objectContaining({ code: 'OPTIONS_INVALID' }))
  })

  it('may not maintain rows', async () => {
    const { maintain } = encryptionOf(forTenant(source.dataSource, 'acme', { allow: [] }))
    await refusedBeforeSql(source, () => maintain({ operation: 'verify', database: {} as never }), {
      ...DENIED,
      names: '',
    })
  })
})

describe('the audit', () => {
  it('is told who has done what with which fields, and for what', async () => {
    await support().find()
    await accounts({ purpose: 'sign in' }).findBy({ email: 'ada@example.com' })
    const seen = audited.map(({ at: _, operation: __, ...entry }) => entry)
    const common = { tenant: 'acme', actor: 'ada', rows: 1 }
    expect(seen).toEqual(
      expect.arrayContaining([
        { ...common, purpose: 'support', field: 'Account.email', mode: 'mask' },
        { ...common, purpose: 'support', field: 'Account.card', mode: 'decrypt' },
        { ...common, purpose: 'sign in', field: 'Account.email', mode: 'index' },
        { ...common, purpose: 'sign in', field: 'Account.email', mode: 'decrypt' },
      ]),
    )
  })

  it('is told of writes', async () => {
    await support().insert([{ email: 'b@x.org' }, { email: 'c@x.org' }])
    const encrypted = audited.filter(({ mode }) => mode === 'encrypt')
    expect(encrypted).toMatchObject([{ field: 'Account.email', rows: 2, purpose: 'support' }])
  })

  it('stops what it refuses', async () => {
    const audit = {
      record: () => {
        throw new Error('not today')
      },
    }
    const strict = await source.another({ encryption: { audit } })
    await expect(strict.getRepository(Account).find()).rejects.toThrow('not today')
    await strict.destroy()
  })
})

describe('events', () => {
  it('tell fields and numbers, refusals too, and no value', async () => {
    await support().find()
    await support()
      .findBy({ email: 'ada@example.com' })
      .catch(() => undefined)
    expect(source.events).toEqual(
      expect.arrayContaining([
        { type: 'values', field: 'Account.card', mode: 'decrypt', count: 1, purpose: 'support' },
        expect.objectContaining({ type: 'refused', code: 'ACCESS_DENIED', purpose: 'support' }),
      ]),
    )
    expect(JSON.stringify(source.events)).not.toMatch(/ada@|4111|1234/)
  })
})
