import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { withTenant } from 'fieldseal'
import {
  acrossTenants,
  BlindIndex,
  Encrypted,
  EncryptionKeyColumns,
  EncryptionKeys,
  encryptionOf,
  forTenant,
  Tenant,
} from 'fieldseal/typeorm'
import { Column, type DataSource, Entity, ManyToOne, OneToMany, PrimaryGeneratedColumn, type Relation } from 'typeorm'
import { refusal } from '../support/refusal.js'
import { openEntities, type SourceUnderTest } from './openSource.js'
import { emptyTables } from './people.js'
import { refusedBeforeSql } from './refusedBeforeSql.js'

@Entity()
class Member {
  @PrimaryGeneratedColumn()
  declare id: number

  @Tenant()
  @Column({ type: 'text' })
  declare org: string

  @Encrypted()
  declare email: string

  @BlindIndex<Member>('email')
  declare emailIndex?: string

  @OneToMany(
    () => Badge,
    (badge) => badge.member,
    { cascade: true },
  )
  declare badges: Badge[]

  @OneToMany(
    () => Visit,
    (visit) => visit.member,
  )
  declare visits: Promise<Visit[]>
}

/** Has no column that says whose it is. */
@Entity()
class Badge {
  @PrimaryGeneratedColumn()
  declare id: number

  @Encrypted()
  declare code: string

  @ManyToOne(
    () => Member,
    (member) => member.badges,
  )
  declare member: Relation<Member>
}

@Entity()
class Visit {
  @PrimaryGeneratedColumn()
  declare id: number

  @Encrypted()
  declare reason: string

  @ManyToOne(
    () => Member,
    (member) => member.visits,
  )
  declare member: Promise<Member>
}

@EncryptionKeys()
class Keys extends EncryptionKeyColumns {}

let source: SourceUnderTest
let dataSource: DataSource
let acme: DataSource
let globex: DataSource
beforeAll(async () => {
  source = await openEntities([Member, Badge, Visit, Keys], { defaultTenant: null })
  dataSource = source.dataSource
  acme = forTenant(dataSource, 'acme')
  globex = forTenant(dataSource, 'globex')
})
beforeEach(async () => {
  await emptyTables(source)
  await members(acme).save({ org: 'acme', email: 'a@x.org', badges: [{ code: 'A1' }] })
  await members(globex).save({ org: 'globex', email: 'a@x.org', badges: [{ code: 'G1' }] })
})
afterAll(() => source?.close())

const members = (of: DataSource) => of.getRepository(Member)
const TENANT = { code: 'TENANT_MISSING', names: 'Member' } as const
const MISMATCH = { code: 'TENANT_MISMATCH', names: 'Member' } as const

describe('a bound data source', () => {
  it('finds its tenant’s rows by equal values of all', async () => {
    expect(await members(acme).findBy({ email: 'a@x.org' })).toMatchObject([{ org: 'acme', email: 'a@x.org' }])
    expect(await members(globex).findBy({ email: 'a@x.org' })).toMatchObject([{ org: 'globex' }])
  })

  it('stays bound in its manager, its transactions, runners and builders', async () => {
    const where = { email: 'a@x.org' }
    expect(await acme.manager.countBy(Member, where)).toBe(1)
    expect(await acme.transaction((manager) => manager.find(Badge, { where: { member: where } }))).toMatchObject([
      { code: 'A1' },
    ])
    const runner = acme.createQueryRunner()
    expect(await runner.query('SELECT org FROM member WHERE email = $1', ['a@x.org'])).toEqual([{ org: 'acme' }])
    expect(await runner.manager.findOneBy(Member, where)).toMatchObject({ org: 'acme' })
    await runner.release()
    expect(await acme.query('SELECT org FROM member WHERE email = $1', ['a@x.org'])).toEqual([{ org: 'acme' }])
    const builder = acme.createQueryBuilder(Member, 'm').where('m.email = :email', where)
    expect(await builder.getMany()).toMatchObject([{ org: 'acme' }])
    expect(await acme.manager.transaction((manager) => manager.countBy(Member, where))).toBe(1)
  })

  it('keeps its tenant in lazy relations', async () => {
    const member = await members(acme).findOneByOrFail({ email: 'a@x.org' })
    const made = acme.getRepository(Visit).create({ reason: 'cough' })
    made.member = Promise.resolve(member)
    await acme.getRepository(Visit).save(made)
    const found = await members(acme).findOneByOrFail({ email: 'a@x.org' })
    expect((await found.visits).map(({ reason }) => reason)).toEqual(['cough'])
    const visit = await acme.getRepository(Visit).findOneByOrFail({ id: 1 })
    expect((await visit.member).email).toBe('a@x.org')
  })

  it('is the same data source in all else', async () => {
    expect(acme.isInitialized).toBe(true)
    expect(acme.getMetadata(Member)).toBe(dataSource.getMetadata(Member))
    expect(acme.options).toBe(dataSource.options)
    expect(acme).toBeInstanceOf(dataSource.constructor as never)
  })

  it('reads another tenant’s row as a refusal, never as plaintext', async () => {
    const error = await refusal(() => members(acme).findBy({ org: 'globex' }))
    expect(error.code).toBe('TENANT_MISMATCH')
    expect(await refusal(() => members(globex).find())).toMatchObject({ code: 'TENANT_MISMATCH' })
  })

  it('may be bound again, to read no more than it may', async () => {
    expect(await members(forTenant(acme, 'globex')).findBy({ email: 'a@x.org' })).toMatchObject([{ org: 'globex' }])
    const limited = forTenant(forTenant(dataSource, 'acme', { allow: [] }), 'acme', { allow: ['Member.email'] })
    const find = () => members(limited).find({ where: { org: 'acme' } })
    await refusedBeforeSql(source, find, { code: 'ACCESS_DENIED', names: 'Member.email' })
  })
})

describe('the tenant of an operation', () => {
  it('must be known, before any SQL', async () => {
    await refusedBeforeSql(source, () => members(dataSource).find(), TENANT)
    await refusedBeforeSql(source, () => members(dataSource).findBy({ email: 'a@x.org' }), TENANT)
    await refusedBeforeSql(source, () => dataSource.query('SELECT email FROM member'), TENANT)
  })

  it('may be that of the asynchronous context', async () => {
    const found = await withTenant('acme', () => members(dataSource).findBy({ email: 'a@x.org' }))
    expect(found).toMatchObject([{ org: 'acme' }])
  })

  it('may be that of the tenant option', async () => {
    let running: string | undefined = 'globex'
    const other = await source.another({ encryption: { tenant: () => running } })
    expect(await members(other).findBy({ email: 'a@x.org' })).toMatchObject([{ org: 'globex' }])
    running = undefined
    await expect(members(other).find()).rejects.toMatchObject({ code: 'TENANT_MISSING' })
    await other.destroy()
  })

  it('may be that of the column in the data', async () => {
    await members(dataSource).insert({ org: 'acme', email: 'new@x.org' })
    await members(dataSource).insert({ org: 'globex', email: 'b@x.org' })
    expect(await members(acme).countBy({ email: 'new@x.org' })).toBe(1)
    expect(await members(globex).findBy({ email: 'b@x.org' })).toMatchObject([{ org: 'globex' }])
    const both = () => members(dataSource).insert(['acme', 'globex'].map((org) => ({ org, email: 'c@x.org' })))
    await refusedBeforeSql(source, both, MISMATCH)
  })

  it('must not be two, before any SQL', async () => {
    await refusedBeforeSql(source, () => members(acme).insert({ org: 'globex', email: 'x' }), MISMATCH)
    await refusedBeforeSql(source, () => members(acme).findBy({ org: 'globex', email: 'a@x.org' }), MISMATCH)
    const inside = () => withTenant('acme', () => members(globex).findBy({ email: 'a@x.org' }))
    await refusedBeforeSql(source, inside, { code: 'TENANT_MISMATCH', names: 'acme' })
  })

  it('must be one that can be', () => {
    for (const tenant of ['', '*', 7 as never]) {
      expect(() => forTenant(dataSource, tenant)).toThrow(expect.objectContaining({ code: 'TENANT_INVALID' }))
    }
  })
})

describe('a data source across tenants', () => {
  it('reads every tenant’s rows', async () => {
    const found = await members(acrossTenants(dataSource)).find({ order: { id: 'ASC' } })
    expect(found.map(({ org, email }) => [org, email])).toEqual([
      ['acme', 'a@x.org'],
      ['globex', 'a@x.org'],
    ])
  })

  it('writes for the tenant that the data name', async () => {
    await members(acrossTenants(dataSource)).insert({ org: 'globex', email: 'w@x.org' })
    expect(await members(globex).countBy({ email: 'w@x.org' })).toBe(1)
  })

  it('writes a row that it has read where the statement says whose it is, which `save` does not say', async () => {
    const across = members(acrossTenants(dataSource))
    const found = await across.findOneByOrFail({ org: 'acme', email: 'a@x.org' })
    const { id } = found
    found.email = 'b@x.org'
    await across.save(await across.findOneByOrFail({ id }))
    expect(await refusal(() => across.save(found))).toMatchObject({
      code: 'TENANT_MISSING',
      message: expect.stringContaining('save it by forTenant(dataSource, its tenant)'),
    })
    expect(await members(acme).findOneBy({ id })).toMatchObject({ email: 'a@x.org' })
    await members(forTenant(dataSource, found.org)).save(found)
    expect(await members(acme).findOneBy({ id })).toMatchObject({ email: 'b@x.org' })
    await across.update({ id, org: 'acme' }, { email: 'c@x.org' })
    await across.createQueryBuilder().update({ org: 'acme', email: 'd@x.org' }).where({ id }).execute()
    expect(await members(acme).findOneBy({ email: 'd@x.org' })).toMatchObject({ id })
    const foreign = () => across.update({ id, org: 'globex' }, { org: 'acme', email: 'e@x.org' })
    await refusedBeforeSql(source, foreign, MISMATCH)
  })

  it('searches where the tenant stands beside the value', async () => {
    const across = members(acrossTenants(dataSource))
    expect(await across.findBy({ org: 'acme', email: 'a@x.org' })).toMatchObject([{ org: 'acme' }])
    await refusedBeforeSql(source, () => across.findBy({ email: 'a@x.org' }), TENANT)
  })

  it('gives no row to another tenant, whose ciphertexts nobody could read then', async () => {
    const across = members(acrossTenants(dataSource))
    const { id } = await across.findOneByOrFail({ org: 'acme', email: 'a@x.org' })
    const before = await source.stored('SELECT * FROM member ORDER BY id')
    const given = (tenant: string) => members(forTenant(dataSource, tenant)).update({ id }, { org: tenant })
    expect(await refusal(() => given('globex'))).toMatchObject({ code: 'TENANT_MISMATCH' })
    await refusedBeforeSql(source, () => across.update({ id, org: 'acme' }, { org: 'globex' }), MISMATCH)
    expect(await refusal(() => across.update({ id }, { org: 'globex' }))).toMatchObject({ code: 'TENANT_MISMATCH' })
    expect(await source.stored('SELECT * FROM member ORDER BY id')).toEqual(before)
    await given('acme')
    await across.update({ id }, { org: 'acme', email: 'b@x.org' })
    expect(await members(acme).findOneBy({ email: 'b@x.org' })).toMatchObject({ id, org: 'acme' })
  })

  it('upserts over its own rows, and over no other tenant’s', async () => {
    const text =
      'INSERT INTO member(id, org, email) VALUES ($4, $1, $2), ($3, $1, $2) ON CONFLICT (id) DO UPDATE SET org = EXCLUDED.org, email = EXCLUDED.email'
    const upsert = (tenant: string, id: number, email: string) =>
      forTenant(dataSource, tenant).query(text, [tenant, email, id, id + 1000])
    const { id } = await members(acme).findOneByOrFail({ email: 'a@x.org' })
    await upsert('acme', id, 'mine@x.org')
    expect(await members(acme).countBy({ email: 'mine@x.org' })).toBe(2)
    const before = await source.stored('SELECT * FROM member ORDER BY id')
    expect(await refusal(() => upsert('globex', id, 'theirs@x.org'))).toMatchObject({ code: 'TENANT_MISMATCH' })
    expect(await source.stored('SELECT * FROM member ORDER BY id')).toEqual(before)
  })

  it('refuses a row whose column names another tenant than its key', async () => {
    await source.stored(`UPDATE member SET org = 'globex' WHERE org = 'acme'`)
    expect(await refusal(() => members(acrossTenants(dataSource)).find())).toMatchObject({ code: 'TENANT_MISMATCH' })
  })
})

describe('key operations', () => {
  it('of a data source are of any tenant', async () => {
    await encryptionOf(dataSource).rotate({ tenants: 'acme' })
    await members(acme).insert({ org: 'acme', email: 'after@x.org' })
    const states = await source.stored(
      `SELECT state FROM encryption_keys WHERE tenant = 'acme' AND purpose = 'encrypt' ORDER BY version`,
    )
    expect(states).toEqual([{ state: 'retired' }, { state: 'active' }])
    expect(await members(acme).findBy({ org: 'acme' })).toHaveLength(2)
  })

  it('shred a tenant alone', async () => {
    const third = forTenant(dataSource, 'third')
    await members(third).insert({ org: 'third', email: 't@x.org' })
    await encryptionOf(dataSource).shred('third')
    expect(await refusal(() => members(third).findBy({ org: 'third' }))).toMatchObject({ code: 'KEY_DESTROYED' })
    expect(await members(acme).find({ where: { org: 'acme' } })).toHaveLength(1)
  })

  it('of a data source that is not encrypted do not exist', () => {
    const plain = Object.create(Object.getPrototypeOf(dataSource)) as DataSource
    expect(() => encryptionOf(plain)).toThrow(expect.objectContaining({ code: 'NOT_EXTENDED' }))
    expect(() => forTenant(plain, 'acme')).toThrow(expect.objectContaining({ code: 'NOT_EXTENDED' }))
  })
})

describe('raw helpers', () => {
  it('encrypt, index and decrypt by hand', async () => {
    const acmes = encryptionOf(acme)
    const email = await acmes.encrypt('Member.email', 'hand@x.org')
    const index = await acmes.blindIndex('Member.emailIndex', 'hand@x.org')
    await source.stored('INSERT INTO member(org, email, "emailIndex") VALUES ($1, $2, $3)', ['acme', email, index])
    expect(await members(acme).findBy({ email: 'hand@x.org' })).toMatchObject([{ email: 'hand@x.org' }])
    const rows = await source.stored('SELECT id, email FROM member WHERE org = $1', ['acme'])
    const decrypted = await acmes.decryptRows('Member', rows)
    expect(decrypted.map(({ email }) => email).sort()).toEqual(['a@x.org', 'hand@x.org'])
  })

  it('tell figures', () => {
    expect(encryptionOf(dataSource).stats()).toMatchObject({ cachedDeks: expect.any(Number) })
  })
})
