import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { type FormerFormat, pgcrypto, prismaFieldEncryption } from 'fieldseal/former-formats'
import type pg from 'pg'
import { fieldEncryptionExtension } from 'prisma-field-encryption'
import { cloakKey, markedModels, storedByPrismaFieldEncryption } from '../support/formerLibraries.js'
import { openPool } from '../support/pool.js'
import { refusal, refusalCode } from '../support/refusal.js'
import { type Fixture, type FixtureClient, openFixture } from './fixtureClient.js'

/*
 * Rows that prisma-field-encryption has written, by a client of its own.
 */

const encryptionKey = cloakKey()
const OLDER = cloakKey()
const HASH = '@encryption:hash(email)?normalize=lowercase&salt=pepper'
const email = prismaFieldEncryption({
  ...{ encryptionKey, decryptionKeys: [OLDER] },
  hash: { field: 'emailHash', normalize: ['lowercase'], salt: 'pepper' },
})
const former = prismaFieldEncryption({ encryptionKey, decryptionKeys: [OLDER] })
const PASSPHRASE = 'open sesame ünd'
const inDatabase = pgcrypto({ passphrase: ['newer', PASSPHRASE] })
const PATIENTS = { 'Patient.ssn': inDatabase, 'Patient.scan': inDatabase, 'Patient.letter': inDatabase }
const MIGRATING = { ...PATIENTS, 'User.name': former, 'User.email': email, 'User.phone': former, 'User.born': former }

let fixture: Fixture
let pool: pg.Pool
/** The client of the app as it was. */
let before: FixtureClient
beforeAll(async () => {
  fixture = await openFixture('former.prisma', { migratingFrom: MIGRATING })
  pool = openPool(fixture.url)
  const marks = {
    id: undefined,
    name: '@encrypted',
    email: '@encrypted',
    emailHash: HASH,
    phone: '@encrypted',
    born: '@encrypted',
  }
  const dmmf = markedModels({ User: marks })
  before = fixture.open().$extends(fieldEncryptionExtension({ encryptionKey, decryptionKeys: [OLDER], dmmf }))
})
afterEach(() => pool.query('TRUNCATE "User"'))
afterAll(async () => {
  await pool?.end()
  await fixture?.close()
})

const EMAILS = ['Ada@example.com', 'bob@example.com', 'cid@example.com', 'dan@example.com', null]

/** Of each kind some: theirs, plaintext, ours. */
async function writeRows(): Promise<void> {
  const rowOf = (address: string | null, id: number) => {
    return {
      id,
      tenantId: 'acme',
      name: `Name ${id}`,
      email: address,
      phone: `+1 555 000${id}`,
      born: String(1800 + id),
    }
  }
  await before.user!.createMany({ data: EMAILS.map(rowOf) })
  await fixture.plain.user!.create({ data: rowOf('eve@example.com', 10) })
  await fixture.prisma.user!.create({ data: { ...rowOf('fay@example.com', 20), born: 1820 } })
}

const kindsOf = async (column: string) => {
  const { rows } = await pool.query(`SELECT id, left("${column}", 3) AS kind FROM "User" ORDER BY id`)
  return Object.fromEntries(rows.map(({ id, kind }) => [id, kind]))
}

describe('while a field is migrating from prisma-field-encryption', () => {
  it('the app reads its rows, plaintext and ours, each as what it is', async () => {
    await writeRows()
    expect(await kindsOf('name')).toEqual({ 0: 'v1.', 1: 'v1.', 2: 'v1.', 3: 'v1.', 4: 'v1.', 10: 'Nam', 20: 'fs1' })
    const rows = await fixture.prisma.user!.findMany({ orderBy: { id: 'asc' } })
    expect(rows.map(({ id, name, email, born }) => [id, name, email, born])).toEqual([
      ...EMAILS.map((address, id) => [id, `Name ${id}`, address, 1800 + id]),
      [10, 'Name 10', 'eve@example.com', 1810],
      [20, 'Name 20', 'fay@example.com', 1820],
    ])
    const raw = await fixture.plain.$queryRawUnsafe('SELECT * FROM "User" WHERE id = 0')
    expect(await fixture.prisma.$encryption.decryptRows('User', raw)).toMatchObject([{ email: 'Ada@example.com' }])
    const limited = fixture.prisma.$forTenant('acme', { allow: ['User.name'] })
    expect(await limited.user!.findUnique({ where: { id: 1 }, select: { name: true, phone: true } })).toEqual({
      name: 'Name 1',
      phone: '•••0001',
    })
  })

  it.each<[object, number[]]>([
    [{ email: 'Ada@example.com' }, [0]],
    [{ email: 'ADA@example.com' }, [0]],
    [{ email: 'bob@example.com' }, [1]],
    [{ email: ' BOB@example.com ' }, [1]],
    [{ email: { equals: 'eve@example.com' } }, [10]],
    [{ email: { in: ['bob@example.com', 'eve@example.com', 'fay@example.com'] } }, [1, 10, 20]],
    [{ email: { not: 'bob@example.com' } }, [0, 2, 3, 10, 20]],
    [{ NOT: { email: 'bob@example.com' } }, [0, 2, 3, 10, 20]],
    [{ NOT: { email: 'eve@example.com' } }, [0, 1, 2, 3, 20]],
    [{ email: { notIn: ['bob@example.com', 'eve@example.com', 'fay@example.com'] } }, [0, 2, 3]],
    [{ email: { not: { in: ['bob@example.com', 'fay@example.com'] } } }, [0, 2, 3, 10]],
    [{ email: null }, [4]],
    [{ email: { not: null } }, [0, 1, 2, 3, 10, 20]],
    [{ OR: [{ email: null }, { email: 'cid@example.com' }] }, [2, 4]],
    [{ email: 'nobody@example.com' }, []],
  ])('a search finds rows of every kind, and no others: %j', async (where, ids) => {
    await writeRows()
    const found = await fixture.prisma.user!.findMany({ where, orderBy: { id: 'asc' } })
    expect(found.map(({ id }) => id)).toEqual(ids)
    expect(await fixture.prisma.user!.count({ where })).toBe(ids.length)
  })

  it('a search for a ciphertext or a hash finds nothing', async () => {
    await writeRows()
    const { rows } = await pool.query(`SELECT email, "emailHash" FROM "User" WHERE id = 0`)
    for (const value of [rows[0].email, rows[0].emailHash])
      expect(await fixture.prisma.user!.findMany({ where: { email: value } })).toEqual([])
  })

  it('a search by the beginning of a text reads what it cannot ask', async () => {
    await writeRows()
    const found = await fixture.prisma.user!.findMany({ where: { email: { startsWith: 'Ada' } } })
    expect(found.map(({ id }) => id)).toEqual([0])
  })

  it('a search that would miss rows is refused: there is no hash of the field', async () => {
    const { code, message } = await refusal(() => fixture.prisma.user!.findMany({ where: { phone: '+1 555 0001' } }))
    expect([code, message]).toEqual(['QUERY_UNSUPPORTED', expect.stringContaining('prisma-field-encryption')])
  })

  it('a write makes ours of a row, and its index finds it from then on', async () => {
    await writeRows()
    await fixture.prisma.user!.update({ where: { id: 1 }, data: { email: 'new@example.com', name: 'New' } })
    expect((await kindsOf('email'))[1]).toBe('fs1')
    const found = (address: string) => fixture.prisma.user!.count({ where: { email: address } })
    expect([await found('bob@example.com'), await found('new@example.com')]).toEqual([0, 1])
  })

  it('a ciphertext of an unknown key is an error that names field and option, and no value', async () => {
    const stored = storedByPrismaFieldEncryption('Mallory', cloakKey())
    await pool.query(`INSERT INTO "User" (id, "tenantId", name) VALUES (7, 'acme', $1)`, [stored])
    const { code, message } = await refusal(() => fixture.prisma.user!.findMany())
    expect([code, message]).toEqual(['KEY_NOT_FOUND', expect.stringMatching(/User\.name.*"decryptionKeys"/)])
  })

  it.each([
    ['changed', (stored: string) => `${stored.slice(0, -6)}AAAA${stored.slice(-2)}`, 'DECRYPTION_FAILED'],
    ['cut', (stored: string) => stored.slice(0, 30), 'CIPHERTEXT_INVALID'],
  ])('a ciphertext that was %s is an error', async (_what, change, code) => {
    await writeRows()
    const { rows } = await pool.query('SELECT name FROM "User" WHERE id = 0')
    await pool.query('UPDATE "User" SET name = $1 WHERE id = 0', [change(rows[0].name)])
    expect(await refusalCode(() => fixture.prisma.user!.findUnique({ where: { id: 0 } }))).toBe(code)
  })

  it('a format of the app’s own that fails is an error, which shows nothing of what it threw', async () => {
    await writeRows()
    const own: FormerFormat = {
      ...former,
      decrypt: () => {
        throw new Error('Name 0')
      },
    }
    const app = fixture.another({ migratingFrom: { ...MIGRATING, 'User.name': own } })
    const error = await refusal(() => app.user!.findUnique({ where: { id: 0 } }))
    expect(error.code).toBe('DECRYPTION_FAILED')
    expect(String(error) + String(error.cause)).not.toContain('Name 0')
  })

  it('a value that is none of the field’s type is an error', async () => {
    await writeRows()
    await before.user!.update({ where: { id: 0 }, data: { born: 'long ago' } })
    expect(await refusalCode(() => fixture.prisma.user!.findUnique({ where: { id: 0 } }))).toBe('CIPHERTEXT_INVALID')
  })
})

describe('a ciphertext of prisma-field-encryption where none is expected', () => {
  it('is never read in a field that is not migrating, whoever put it there', async () => {
    await writeRows()
    const stored = storedByPrismaFieldEncryption('downgraded', encryptionKey)
    await pool.query('UPDATE "User" SET note = $1 WHERE id = 20', [stored])
    expect(await refusalCode(() => fixture.prisma.user!.findUnique({ where: { id: 20 } }))).toBe('CIPHERTEXT_INVALID')
  })

  it('is not taken for plaintext where nobody said that it is migrating from there', async () => {
    await writeRows()
    const forgetful = fixture.another({ migratingFrom: PATIENTS })
    const { code, message } = await refusal(() => forgetful.user!.findUnique({ where: { id: 0 } }))
    expect([code, message]).toEqual(['KEY_NOT_FOUND', expect.stringContaining('"migratingFrom"')])
    const [report] = await forgetful.$encryption.maintain({ operation: 'encrypt', database: pool, models: ['User'] })
    expect(report).toMatchObject({ changed: 1, skipped: 5 })
    expect(report!.problems[0]).toMatchObject({ code: 'KEY_NOT_FOUND', key: ['0'] })
    expect((await kindsOf('email'))[0]).toBe('v1.')
  })
})

describe('"migratingFrom"', () => {
  it.each<[{ [field: string]: FormerFormat }, RegExp]>([
    [{ 'User.note': former }, /User\.note, which is not marked as migrating/],
    [{ 'User.emial': former }, /"User\.emial", which is no encrypted field; did you mean `User\.email`\?/],
    [{ 'Patient.ssn': former }, /Patient\.ssn, whose column is of the type Bytes/],
    [{ 'User.name': {} as never }, /"User\.name" without a format/],
    [{ 'User.email': prismaFieldEncryption({ encryptionKey, hash: { field: 'emailHsh' } }) }, /"emailHsh"/],
    [{ 'User.email': prismaFieldEncryption({ encryptionKey, hash: { field: 'name' } }) }, /"name"/],
  ])('names fields that are migrating and can hold the format: %#', async (migratingFrom, message) => {
    const { code, message: said } = await refusal(() =>
      fixture.another({ migratingFrom: { ...PATIENTS, ...migratingFrom } }),
    )
    expect([code, said]).toEqual(['OPTIONS_INVALID', expect.stringMatching(message)])
  })

  it('must name what is migrating to a column of bytes and is none: there is no plaintext of it', async () => {
    const { code, message } = await refusal(() => fixture.another({ migratingFrom: {} }))
    expect([code, message]).toEqual(['OPTIONS_INVALID', expect.stringMatching(/lacks Patient\.ssn/)])
  })
})

describe('while fields are migrating from pgcrypto', () => {
  beforeAll(() => pool.query('CREATE EXTENSION pgcrypto'))
  afterEach(() => pool.query('TRUNCATE "Patient"'))
  const insert = (id: number, ssn: string, passphrase = PASSPHRASE) =>
    pool.query(
      `INSERT INTO "Patient" VALUES ($1, 'acme', pgp_sym_encrypt($2, $3), NULL, pgp_sym_encrypt_bytea('\\x00ff', $3, 'cipher-algo=aes256'),
         armor(pgp_sym_encrypt('Letter ' || $2, $3)))`,
      [id, ssn, passphrase],
    )

  it('the app reads what the database has encrypted, writes ours, and the command converts the rest', async () => {
    const { prisma } = fixture
    await insert(1, '123-45-6789')
    await insert(2, '987-65-4321', 'newer')
    await prisma.patient!.create({ data: { id: 3, tenantId: 'acme', ssn: '555-55-5555', letter: 'Letter' } })
    const scan = new Uint8Array([0, 255])
    const rows = [
      { id: 1, ssn: '123-45-6789', scan, letter: 'Letter 123-45-6789' },
      { id: 2, ssn: '987-65-4321', scan, letter: 'Letter 987-65-4321' },
      { id: 3, ssn: '555-55-5555', scan: null, letter: 'Letter' },
    ]
    const read = () => prisma.patient!.findMany({ orderBy: { id: 'asc' } })
    expect(await read()).toMatchObject(rows)
    expect(await refusalCode(() => prisma.patient!.findFirst({ where: { ssn: '123-45-6789' } }))).toBe(
      'QUERY_UNSUPPORTED',
    )
    const reports = await prisma.$encryption.maintain({ operation: 'encrypt', database: pool, from: 'pgcrypto' })
    expect(reports).toMatchObject([{ model: 'Patient', changed: 2, problems: [] }])
    expect(await read()).toMatchObject(rows)
    const { rows: stored } = await pool.query(
      `SELECT count(*) FROM "Patient" WHERE substr(ssn, 1, 4) = 'fs1.' AND left(letter, 4) = 'fs1.'`,
    )
    expect(stored[0].count).toBe('3')
    expect(
      await prisma.$encryption.maintain({ operation: 'verify', database: pool, models: ['Patient'] }),
    ).toMatchObject([{ problems: [] }])
  })

  it('the passphrase is in no statement', async () => {
    await insert(1, '123-45-6789')
    const sent: string[] = []
    const spy = {
      query: (config: { text: string; values: unknown[] }) => {
        sent.push(JSON.stringify(config))
        return pool.query(config)
      },
    }
    await fixture.prisma.$encryption.maintain({ operation: 'encrypt', database: spy as never, from: 'pgcrypto' })
    expect(sent.length).toBeGreaterThan(3)
    for (const passphrase of ['newer', PASSPHRASE]) expect(sent.join()).not.toContain(passphrase)
  })

  it('plaintext, a changed message and another passphrase are errors, and their rows are left as they are', async () => {
    const { prisma } = fixture
    await insert(1, '123-45-6789')
    await insert(2, '987-65-4321', 'unknown')
    await insert(3, '111-11-1111')
    await pool.query(
      `UPDATE "Patient" SET letter = 'plain', ssn = set_byte(ssn, 70, 255 - get_byte(ssn, 70)) WHERE id = 3`,
    )
    const code = (id: number, field: string) =>
      refusalCode(() => prisma.patient!.findUnique({ where: { id }, select: { [field]: true } }))
    expect([await code(2, 'ssn'), await code(3, 'ssn'), await code(3, 'letter')]).toEqual([
      ...['DECRYPTION_FAILED', 'DECRYPTION_FAILED', 'CIPHERTEXT_INVALID'],
    ])
    const before = await pool.query('SELECT * FROM "Patient" WHERE id > 1 ORDER BY id')
    const [report] = await prisma.$encryption.maintain({ operation: 'encrypt', database: pool, models: ['Patient'] })
    expect(report).toMatchObject({ changed: 1, skipped: 2 })
    expect(report!.problems.map(({ key, message }) => [key, message])).toEqual([
      [['2'], expect.stringContaining('Patient.ssn')],
      [['3'], expect.stringContaining('Patient.')],
    ])
    expect((await pool.query('SELECT * FROM "Patient" WHERE id > 1 ORDER BY id')).rows).toEqual(before.rows)
  })
})
