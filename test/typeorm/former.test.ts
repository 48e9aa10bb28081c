import { afterEach, describe, expect, it } from '@jest/globals'
import { type FormerFormat, pgcrypto, typeormEncrypted } from 'fieldseal/former-formats'
import { localKms } from 'fieldseal/local-kms'
import {
  BlindIndex,
  Encrypted,
  EncryptionKeyColumns,
  EncryptionKeys,
  encryptionOf,
  fieldEncryption,
  forTenant,
  Tenant,
} from 'fieldseal/typeorm'
import { Column, DataSource, Entity, Equal, In, IsNull, Not, PrimaryColumn } from 'typeorm'
import { EncryptionTransformer, JSONEncryptionTransformer } from 'typeorm-encrypted'
import { EncryptedColumn, Subscriber } from 'typeorm-encrypted-column'
import { createDatabase } from '../support/database.js'
import { openPool } from '../support/pool.js'
import { refusal, refusalCode } from '../support/refusal.js'
import { EMPTY } from './openSource.js'

/*
 * Rows that typeorm-encrypted, typeorm-encrypted-column or pgcrypto have made, read in place by a data source that encrypts.
 */

const kms = localKms({ key: Buffer.alloc(32, 7).toString('base64') })
const CBC = { key: 'ab'.repeat(32), algorithm: 'aes-256-cbc', ivLength: 16 }
const GCM = { key: 'cd'.repeat(32), algorithm: 'aes-256-gcm', ivLength: 12 }
const FIXED = { ...CBC, iv: '0f'.repeat(16) }
const NULLABLE = { type: 'varchar', nullable: true } as const

@EncryptionKeys()
class EncryptionKey extends EncryptionKeyColumns {}

@Entity({ name: 'user' })
class OldUser {
  @PrimaryColumn('int') id!: number
  @Column('text') tenantId!: string
  @Column({ ...NULLABLE, transformer: new EncryptionTransformer(CBC) }) name!: string | null
  @Column({ ...NULLABLE, transformer: new EncryptionTransformer(FIXED) }) email!: string | null
  @Column({ ...NULLABLE, transformer: new EncryptionTransformer(GCM) }) phone!: string | null
  @Column({ type: 'jsonb', nullable: true, transformer: new JSONEncryptionTransformer(GCM) }) notes!: object | null
  @EncryptedColumn({ ...NULLABLE, encrypt: CBC }) nick!: string | null
  @Column('bytea', { nullable: true }) ssn!: Buffer | null
  @Column({ type: 'varchar', nullable: true }) city!: string | null
}

@Entity({ name: 'user' })
class User {
  @PrimaryColumn('int') id!: number
  @Tenant() @Column('text') tenantId!: string
  @Encrypted({ column: 'varchar', nullable: true, state: 'migrating' }) name!: string | null
  @Encrypted({ column: 'varchar', nullable: true, state: 'migrating' }) email!: string | null
  @BlindIndex<User>('email') emailIndex?: string | null
  @Encrypted({ column: 'varchar', nullable: true, state: 'migrating' }) phone!: string | null
  @BlindIndex<User>('phone') phoneIndex?: string | null
  @Encrypted({ column: 'jsonb', nullable: true, state: 'migrating' }) notes!: object | null
  @Encrypted({ column: 'varchar', nullable: true, state: 'migrating' }) nick!: string | null
  @Encrypted({ column: 'bytea', type: 'String', nullable: true, state: 'migrating' }) ssn!: string | null
  /** It was in plaintext. */
  @Encrypted({ column: 'varchar', nullable: true, state: 'migrating' }) city!: string | null
}

const PASSPHRASE = 'open sesame'
const MIGRATING: { [field: string]: FormerFormat } = {
  'User.name': typeormEncrypted(CBC),
  'User.email': typeormEncrypted(FIXED),
  'User.phone': typeormEncrypted(GCM),
  'User.notes': typeormEncrypted(GCM),
  'User.nick': typeormEncrypted(CBC),
  'User.ssn': pgcrypto({ passphrase: PASSPHRASE }),
}

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

const VALUES = ['Ada', 'Bob', '', 'Ünïcödé 日本', null].map((name, id) => ({
  ...{ id, tenantId: 'acme', name, nick: name, city: 'London' },
  email: name === null ? null : `user${id}@example.com`,
  phone: name === null ? null : `+1 ${id}`,
  notes: name === null ? null : { likes: [name, id] },
}))

/** The rows of the app as it was, and the data source of the app as it is. */
async function migrate(migratingFrom = MIGRATING) {
  const database = await createDatabase({ schema: EMPTY })
  const pool = openPool(database.url)
  ends.push(database.drop, () => pool.end())
  const open = async (source: DataSource) => {
    const opened = await source.initialize()
    ends.push(() => opened.destroy())
    return opened
  }
  const options = { type: 'postgres', url: database.url, synchronize: true } as const
  const before = await open(new DataSource({ ...options, entities: [OldUser], subscribers: [Subscriber] }))
  await before.getRepository(OldUser).save(VALUES.map((values) => Object.assign(new OldUser(), values)))
  await pool.query('CREATE EXTENSION pgcrypto')
  await pool.query(`UPDATE "user" SET ssn = pgp_sym_encrypt('ssn ' || id, $1)`, [PASSPHRASE])
  const make = (from: typeof migratingFrom) =>
    fieldEncryption(new DataSource({ ...options, entities: [User, EncryptionKey] }), { kms, migratingFrom: from })
  const dataSource = await open(make(migratingFrom))
  const users = forTenant(dataSource, 'acme').getRepository(User)
  const encrypt = (from?: string) =>
    encryptionOf(dataSource).maintain({ operation: 'encrypt', database: pool, ...(from && { from }) })
  return { dataSource, users, pool, encrypt, make, old: before.getRepository(OldUser) }
}

const expected = VALUES.map((values) => ({ ...values, ssn: `ssn ${values.id}` }))

describe('while properties are migrating from typeorm-encrypted and pgcrypto', () => {
  it('the app reads their rows and writes ours, the command converts the rest, and nothing of them is left', async () => {
    const { dataSource, users, pool, encrypt } = await migrate()
    expect(await users.find({ order: { id: 'ASC' } })).toMatchObject(expected)
    await users.save(Object.assign(new User(), { ...expected[0], id: 10, name: 'Ours' }))
    await users.update({ id: 1 }, { name: 'Changed' })
    const now = [
      expected[0],
      { ...expected[1], name: 'Changed' },
      ...expected.slice(2),
      { ...expected[0], id: 10, name: 'Ours' },
    ]
    expect(await users.find({ order: { id: 'ASC' } })).toMatchObject(now as object[])
    const fields = (await encryptionOf(dataSource).survey({ database: pool })).fields
    expect(Object.fromEntries(fields.map(({ field, former, plaintext }) => [field, [former.rows, plaintext]]))).toEqual(
      {
        ...{ name: [3, 0], email: [4, 0], phone: [4, 0], notes: [4, 0], nick: [4, 0], ssn: [5, 0], city: [0, 5] },
      },
    )
    expect(await encrypt('typeorm-encrypted')).toMatchObject([{ changed: 4, problems: [] }])
    expect(await encrypt('pgcrypto')).toMatchObject([{ changed: 5, problems: [] }])
    expect(await encrypt()).toMatchObject([{ changed: 5, problems: [] }])
    expect(await users.find({ order: { id: 'ASC' } })).toMatchObject(now as object[])
    const [{ rows }, [verified]] = await Promise.all([
      pool.query('SELECT * FROM "user"'),
      encryptionOf(dataSource).maintain({ operation: 'verify', database: pool }),
    ])
    expect(verified).toMatchObject({ problems: [] })
    for (const row of rows) {
      for (const field of ['name', 'email', 'phone', 'notes', 'nick', 'ssn', 'city'])
        expect(row[field] === null || String(row[field]).startsWith('fs1.')).toBe(true)
    }
  })

  it('a search finds rows of theirs where all had one IV, and ours, and no others', async () => {
    const { users, dataSource } = await migrate()
    await users.save(Object.assign(new User(), { ...expected[0], id: 10, email: 'ours@example.com' }))
    const ids = async (email: unknown) =>
      (await users.find({ where: { email } as never, order: { id: 'ASC' } })).map(({ id }) => id)
    expect(await ids('user1@example.com')).toEqual([1])
    expect(await ids(Equal('ours@example.com'))).toEqual([10])
    expect(await ids(In(['user0@example.com', 'user3@example.com', 'ours@example.com']))).toEqual([0, 3, 10])
    expect(await ids(Not('user1@example.com'))).toEqual([0, 2, 3, 10])
    expect(await ids(IsNull())).toEqual([4])
    expect(await ids('nobody@example.com')).toEqual([])
    const raw = await forTenant(dataSource, 'acme').query('SELECT id FROM "user" WHERE email = $1', [
      'user3@example.com',
    ])
    expect(raw).toEqual([{ id: 3 }])
  })

  it('a search that would miss rows is refused', async () => {
    const { users } = await migrate()
    const { code, message } = await refusal(() => users.findBy({ phone: '+1 1' }))
    expect([code, message]).toEqual(['QUERY_UNSUPPORTED', expect.stringContaining('typeorm-encrypted')])
  })

  it('plaintext is not taken beside them, and their rows are left as they are', async () => {
    const { users, pool, encrypt } = await migrate()
    await pool.query(`UPDATE "user" SET name = 'planted' WHERE id = 1`)
    expect(await refusalCode(() => users.findOneBy({ id: 1 }))).toBe('CIPHERTEXT_INVALID')
    const [report] = await encrypt()
    expect(report).toMatchObject({ skipped: 1 })
    expect(report!.problems).toMatchObject([{ key: ['1'], code: 'CIPHERTEXT_INVALID' }])
    expect((await pool.query('SELECT name FROM "user" WHERE id = 1')).rows).toEqual([{ name: 'planted' }])
  })

  it('a changed ciphertext of GCM is an error', async () => {
    const { users, pool } = await migrate()
    await pool.query(`UPDATE "user" SET phone = overlay(phone placing 'AAAA' from 21) WHERE id = 1`)
    expect(await refusalCode(() => users.findOneBy({ id: 1 }))).toBe('DECRYPTION_FAILED')
  })

  it('a wrong key of CBC ends the command before anything is changed', async () => {
    const wrong = { ...MIGRATING, 'User.name': typeormEncrypted({ ...CBC, key: '99'.repeat(32) }) }
    const { users, pool, encrypt, old } = await migrate(wrong)
    const more = Array.from({ length: 40 }, (_, id) => {
      return Object.assign(new OldUser(), { ...VALUES[0], id: 100 + id, name: `Name ${id}` })
    })
    await old.save(more)
    expect(await refusalCode(() => users.findOneBy({ id: 100 }))).toBe('DECRYPTION_FAILED')
    const stored = (await pool.query('SELECT * FROM "user" ORDER BY id')).rows
    const { code, message } = await refusal(() => encrypt())
    expect([code, message]).toEqual(['OPTIONS_INVALID', expect.stringContaining('User.name')])
    expect((await pool.query('SELECT * FROM "user" ORDER BY id')).rows).toEqual(stored)
  })

  it('options that name no such property end the start', async () => {
    const { make } = await migrate()
    const source = make({ ...MIGRATING, 'User.nam': typeormEncrypted(CBC) })
    expect(await refusalCode(() => source.initialize())).toBe('OPTIONS_INVALID')
    if (source.isInitialized) await source.destroy()
  })
})
