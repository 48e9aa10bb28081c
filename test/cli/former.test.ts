import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type FormerFormat, pgcrypto, prismaFieldEncryption } from 'fieldseal/former-formats'
import type pg from 'pg'
import { fieldEncryptionExtension } from 'prisma-field-encryption'
import { type Fixture, type FixtureClient, openFixture } from '../prisma/fixtureClient.js'
import { cloakKey, markedModels, storedByPrismaFieldEncryption } from '../support/formerLibraries.js'
import { openPool } from '../support/pool.js'
import { CONFIG, configure, runCommand, startCommandWith } from './runCommand.js'

/*
 * An app leaves prisma-field-encryption: its rows are there, it runs on with the encrypted client, and the command converts
 * the rows beside it.
 */

const encryptionKey = cloakKey()
const ROWS = 600
const former = prismaFieldEncryption({ encryptionKey })
const MIGRATING: { [field: string]: FormerFormat } = {
  'User.name': former,
  'User.phone': former,
  'User.born': former,
  'User.email': prismaFieldEncryption({ encryptionKey, hash: { field: 'emailHash', normalize: ['lowercase'] } }),
  'Patient.ssn': pgcrypto({ passphrase: 'not used here' }),
}
const CONFIGURED = `import { pgcrypto, prismaFieldEncryption } from 'fieldseal/former-formats'
${CONFIG.replace(/tenants: .*/, '').replace(
  "defaultTenant: 'acme' }",
  `defaultTenant: 'acme', migratingFrom: {
    'User.name': prismaFieldEncryption(),
    'User.phone': prismaFieldEncryption(),
    'User.born': prismaFieldEncryption(),
    'User.email': prismaFieldEncryption({ hash: { field: 'emailHash', normalize: ['lowercase'] } }),
    'Patient.ssn': pgcrypto({ passphrase: 'not used here' }),
  } }`,
)}`

let fixture: Fixture
let pool: pg.Pool
let before: FixtureClient
beforeAll(async () => {
  fixture = await openFixture('former.prisma', { migratingFrom: MIGRATING })
  pool = openPool(fixture.url)
  configure(fixture, CONFIGURED)
  const hash = '@encryption:hash(email)?normalize=lowercase'
  const marks = { id: undefined, name: '@encrypted', email: '@encrypted', emailHash: hash, phone: '@encrypted' }
  before = fixture.open().$extends(fieldEncryptionExtension({ encryptionKey, dmmf: markedModels({ User: marks }) }))
  const data = Array.from({ length: ROWS }, (_, id) => {
    return {
      id,
      tenantId: 'acme',
      name: `Name ${id}`,
      email: `User${id}@example.com`,
      phone: id % 3 ? `+1 ${id}` : null,
    }
  })
  await before.user!.createMany({ data })
})
afterAll(async () => {
  await pool?.end()
  await fixture?.close()
})

const env = { PRISMA_FIELD_ENCRYPTION_KEY: encryptionKey }
const start = (...args: string[]) => startCommandWith(fixture, env, ...args)
const count = async (where: string) =>
  Number((await pool.query(`SELECT count(*) FROM "User" WHERE ${where}`)).rows[0].count)

/** An app that reads, writes and searches until it is told to stop, and knows what each row must hold. */
function runApp() {
  const names = new Map(Array.from({ length: ROWS }, (_, id) => [id, `Name ${id}`]))
  const emails = new Map(Array.from({ length: ROWS }, (_, id) => [id, `User${id}@example.com`]))
  const wrong: unknown[] = []
  const done = { reads: 0, writes: 0, searches: 0 }
  let isOver = false
  const { user } = fixture.prisma
  const work = async (lane: number) => {
    for (let round = 0; !isOver; round++) {
      const id = (lane + 4 * Math.floor(Math.random() * (ROWS / 4))) % ROWS
      if (round % 3 === 0) {
        const data = { name: `New ${round} of ${id}`, email: `new${round}.${id}@example.com` }
        await user!.update({ where: { id }, data })
        names.set(id, data.name)
        emails.set(id, data.email)
        done.writes += 1
      } else if (round % 3 === 1) {
        const row = await user!.findUniqueOrThrow({ where: { id } })
        if (row.name !== names.get(id) || row.email !== emails.get(id)) wrong.push(row)
        done.reads += 1
      } else {
        const found = await user!.findMany({ where: { email: emails.get(id) } })
        if (found.length !== 1 || found[0]!.id !== id) wrong.push([emails.get(id), found])
        done.searches += 1
      }
    }
  }
  const lanes = Promise.all([0, 1, 2, 3].map(work))
  return {
    names,
    emails,
    async stop() {
      isOver = true
      await lanes
      return { ...done, wrong }
    },
  }
}

describe('fieldseal encrypt --from prisma-field-encryption', () => {
  it('converts the rows beside a running app, also when it is killed on the way', async () => {
    expect(await count("left(name, 3) = 'v1.'")).toBe(ROWS)
    const status = await start('status', '--model', 'User').ended
    expect(status.code).toBe(3)
    expect(status.output).toMatch(/User\.email +│ 600 +│ 0 +│ 0 +│ 0 +│ prisma-field-encryption: 600/)
    const app = runApp()
    const args = ['encrypt', '--from', 'prisma-field-encryption', '--rate', '200', '--json']
    const first = start(...args)
    while ((await count(`left(name, 4) = 'fs1.'`)) < 150) await new Promise((resolve) => setTimeout(resolve, 50))
    first.child.kill('SIGKILL')
    expect((await first.ended).code).toBeNull()
    const left = await count("left(name, 3) = 'v1.'")
    expect(left).toBeGreaterThan(0)
    expect(left).toBeLessThan(ROWS)
    const last = await start('encrypt', '--from', 'prisma-field-encryption').ended
    const { wrong, reads, writes, searches } = await app.stop()
    expect(last).toMatchObject({ code: 0, errors: '' })
    expect(wrong).toEqual([])
    expect(Math.min(reads, writes, searches)).toBeGreaterThan(10)
    expect(await count(`name NOT LIKE 'fs1.%' OR email NOT LIKE 'fs1.%' OR phone NOT LIKE 'fs1.%'`)).toBe(0)
    const rows = await fixture.prisma.user!.findMany({ orderBy: { id: 'asc' } })
    expect(rows.map(({ name }) => name)).toEqual([...app.names.values()])
    expect(rows.map(({ email }) => email)).toEqual([...app.emails.values()])
    expect(rows.map(({ phone }) => phone)).toEqual(rows.map(({ id }) => ((id as number) % 3 ? `+1 ${id}` : null)))
    const verified = await start('verify', '--model', 'User').ended
    expect([verified.code, verified.output]).toEqual([0, expect.stringContaining('Everything is encrypted')])
    expect((await start('status', '--model', 'User').ended).code).toBe(0)
  })

  it('has verify, status and doctor find what is left of the library afterwards, and encrypt finish it', async () => {
    const stored = storedByPrismaFieldEncryption('Late', encryptionKey)
    await pool.query('UPDATE "User" SET name = $1 WHERE id = 5', [stored])
    const verified = await start('verify', '--model', 'User').ended
    expect([verified.code, verified.output + verified.errors]).toEqual([
      3,
      expect.stringMatching(
        /CIPHERTEXT_INVALID +User 5: User\.name is stored as prisma-field-encryption left it: run encrypt/,
      ),
    ])
    const doctor = await start('doctor').ended
    expect(doctor.output).toMatch(/User\.name holds ciphertexts of prisma-field-encryption in 1 row/)
    expect((await start('status', '--model', 'User').ended).code).toBe(3)
    expect((await start('encrypt', '--from', 'prisma-field-encryption').ended).code).toBe(0)
    expect(await fixture.prisma.user!.findUniqueOrThrow({ where: { id: 5 } })).toMatchObject({ name: 'Late' })
  })

  it('converts with several workers too', async () => {
    const stored = [1, 2, 3].map((id) => storedByPrismaFieldEncryption(`Later ${id}`, encryptionKey))
    for (const [i, name] of stored.entries())
      await pool.query('UPDATE "User" SET name = $1 WHERE id = $2', [name, 100 + 200 * i])
    const { code, errors } = await start('encrypt', '--from', 'prisma-field-encryption', '--workers', '2').ended
    expect({ code, errors }).toEqual({ code: 0, errors: '' })
    expect(await count("name NOT LIKE 'fs1.%'")).toBe(0)
    const rows = await fixture.prisma.user!.findMany({ where: { id: { in: [100, 300, 500] } }, orderBy: { id: 'asc' } })
    expect(rows.map(({ name }) => name)).toEqual(['Later 1', 'Later 2', 'Later 3'])
  })

  it('leaves rows of an unknown key and changed rows as they are, and names them', async () => {
    const unknown = storedByPrismaFieldEncryption('Unknown', cloakKey())
    const changed = storedByPrismaFieldEncryption('Changed value', encryptionKey).replace(/....$/, 'AAA=')
    await pool.query('UPDATE "User" SET name = CASE id WHEN 7 THEN $1 ELSE $2 END WHERE id IN (7, 8)', [
      unknown,
      changed,
    ])
    const ended = await start('encrypt', '--from', 'prisma-field-encryption').ended
    expect(ended.code).toBe(3)
    expect(ended.errors + ended.output).toMatch(
      /KEY_NOT_FOUND +User 7: User\.name .*"decryptionKeys" of prismaFieldEncryption/,
    )
    expect(ended.errors + ended.output).toMatch(/DECRYPTION_FAILED +User 8: User\.name/)
    const { rows } = await pool.query('SELECT name FROM "User" WHERE id IN (7, 8) ORDER BY id')
    expect(rows.map(({ name }) => name)).toEqual([unknown, changed])
  })

  it('ends before anything is done where no field is migrating from a library', async () => {
    const ended = await start('encrypt', '--from', 'typeorm-encrypted').ended
    expect([ended.code, ended.errors + ended.output]).toEqual([
      2,
      expect.stringMatching(/OPTIONS_INVALID.*"typeorm-encrypted".*migratingFrom/),
    ])
    const withoutKey = await runCommand(fixture, 'encrypt', '--from', 'prisma-field-encryption')
    expect([withoutKey.code, withoutKey.errors]).toEqual([2, expect.stringContaining('PRISMA_FIELD_ENCRYPTION_KEY')])
  })
})
