import { createHash } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { assertEncrypted } from 'fieldseal/prisma'
import { readDocumentation } from '../../src/prisma/schema/documentation.js'
import { addPlaintext, openMigration } from '../maintenance/migration.js'
import type { FixtureClient } from '../prisma/fixtureClient.js'
import { openTwins, type Twins } from '../prisma/twins.js'
import { type ClinicUnderTest, openClinic } from '../support/clinic.js'

/*
 * What users of other packages suffered: each title says what went wrong there, and each test that it cannot here.
 */

let twins: Twins
let clinic: ClinicUnderTest
let acme: ClinicUnderTest['prisma']
beforeAll(async () => {
  ;[twins, clinic] = await Promise.all([openTwins(), openClinic()])
  acme = clinic.prisma.$forTenant('acme')
})
afterAll(() => Promise.all([twins?.close(), clinic?.close()]))
beforeEach(() => twins.reset())
afterEach(() => void jest.restoreAllMocks())

async function expectSame(work: (client: FixtureClient) => Promise<unknown>): Promise<void> {
  const { encrypted, plain } = await twins.both(work)
  expect(encrypted).toEqual(plain)
  const after = await twins.contents()
  expect(after.encrypted).toEqual(after.plain)
}

async function expectRefused(work: (client: FixtureClient) => Promise<unknown>): Promise<void> {
  twins.encrypted.takeSql()
  await expect(work(twins.encrypted.prisma)).rejects.toMatchObject({ code: 'QUERY_UNSUPPORTED' })
  expect(twins.encrypted.takeSql()).toEqual([])
}

describe('“in” found no rows', () => {
  it.each([{ in: ['ann@x', 'bob@x'] }, { in: ['ann@x'] }, { in: [] }])(
    'finds the rows of the plain client by %j',
    async (email) => {
      await expectSame((client) => client.member!.findMany({ where: { email }, orderBy: { id: 'asc' } }))
    },
  )
})

describe('“notIn” and “not: { equals }” matched everything, so that deleteMany deleted Bob', () => {
  const filters = [
    { name: { notIn: ['Bob'] } },
    { name: { not: { equals: 'Bob' } } },
    { name: { not: 'Bob' } },
    { email: { notIn: ['bob@x'] } },
    { email: { not: { equals: 'bob@x' } } },
    { NOT: { email: { in: ['bob@x'] } } },
    { AND: [{ OR: [{ name: { notIn: ['Bob'] } }] }] },
  ]
  it.each(filters)('deletes what the plain client deletes, at the top level: %j', async (where) => {
    await twins.both((client) => client.member!.updateMany({ data: { bossId: null } }))
    await expectSame((client) => client.member!.deleteMany({ where }))
    expect(await twins.encrypted.prisma.member!.count({ where: { id: 2, name: 'Bob' } })).toBe(1)
  })

  it.each(filters)('deletes what the plain client deletes, nested: %j', async (where) => {
    await twins.both((client) => client.member!.updateMany({ data: { bossId: null } }))
    const data = { members: { deleteMany: where } }
    await expectSame((client) => client.team!.update({ where: { id: 1 }, data }))
    await expectSame((client) => client.team!.update({ where: { id: 2 }, data }))
    expect(await twins.encrypted.prisma.member!.count({ where: { id: 2, name: 'Bob' } })).toBe(1)
  })
})

describe('“contains”, “startsWith” and “gt” compared ciphertext', () => {
  it.each(['contains', 'startsWith', 'endsWith', 'gt', 'gte', 'lt', 'lte', 'search'])(
    'refuses %s on an encrypted field',
    async (operator) => {
      await expectRefused((client) => client.member!.findMany({ where: { name: { [operator]: 'B' } } }))
      await expectRefused((client) => client.member!.deleteMany({ where: { memo: { [operator]: 'B' } } }))
    },
  )
})

describe('“orderBy” was dropped or sorted ciphertext; “groupBy”, “having” and “distinct” took ciphertext', () => {
  it('orderBy, groupBy and having are refused', async () => {
    await expectRefused((client) => client.member!.findMany({ orderBy: { name: 'asc' } }))
    await expectRefused((client) => client.team!.findMany({ include: { members: { orderBy: { email: 'asc' } } } }))
    await expectRefused((client) => client.member!.groupBy({ by: ['name'] }))
    await expectRefused((client) => client.member!.groupBy({ by: ['rank'], having: { name: { equals: 'Bob' } } }))
  })

  it('distinct takes the blind index, and is refused where there is none', async () => {
    await expectSame((client) => client.member!.findMany({ distinct: ['name'], orderBy: { id: 'asc' } }))
    await expectRefused((client) => client.member!.findMany({ distinct: ['memo'] }))
  })
})

describe('a field set to null kept its search hash', () => {
  it.each([
    ['update', (c: FixtureClient) => c.member!.update({ where: { id: 1 }, data: { email: null } })],
    ['update with set', (c: FixtureClient) => c.member!.update({ where: { id: 1 }, data: { email: { set: null } } })],
    ['updateMany', (c: FixtureClient) => c.member!.updateMany({ where: { email: 'ann@x' }, data: { email: null } })],
    [
      'a nested update',
      (c: FixtureClient) =>
        c.team!.update({
          where: { id: 1 },
          data: { members: { update: { where: { id: 1 }, data: { email: null } } } },
        }),
    ],
  ])('the old value no longer finds the row, and can be used again: %s', async (_, clear) => {
    await expectSame(clear)
    await expectSame((client) => client.member!.findMany({ where: { email: 'ann@x' } }))
    await expectSame((client) => client.member!.update({ where: { id: 4 }, data: { email: 'ann@x' } }))
  })
})

describe('keys of a Json column that is not encrypted were encrypted in place', () => {
  it('whatever they are called', async () => {
    const meta = { name: 'n', reason: 'r', notes: { email: 'e' }, set: { phone: '1' }, equals: [{ history: null }] }
    const patient = await acme.patient.create({
      data: { clinicId: 'acme', number: 1, name: 'Ada', visits: { create: { at: new Date(0), reason: 'r', meta } } },
    })
    const where = { patientId: patient.id }
    expect(await clinic.plain.visit.findFirst({ where })).toMatchObject({ meta })
    expect(await acme.visit.findFirst({ where, select: { meta: true } })).toStrictEqual({ meta })
    const found = await acme.visit.count({ where: { meta: { path: ['notes', 'email'], equals: 'e' } } })
    expect(found).toBe(1)
  })
})

describe('a list that was marked encrypted was stored in plaintext', () => {
  it('is stored as one ciphertext, in a list of one', async () => {
    const { prisma, plain } = twins.encrypted
    await prisma.contact!.create({ data: { id: 1, tags: ['VIP', 'late payer'] } })
    expect(await plain.contact!.findFirst()).toMatchObject({ tags: [expect.stringMatching(/^fs1\.[\w-]{60,}$/)] })
    expect(await prisma.contact!.findFirst({ select: { tags: true } })).toStrictEqual({ tags: ['VIP', 'late payer'] })
    await expectRefused((client) => client.contact!.findMany({ where: { tags: { has: 'VIP' } } }))
    await expectRefused((client) => client.contact!.update({ where: { id: 1 }, data: { tags: { push: 'x' } } }))
  })
})

describe('a nested “deleteMany” or “disconnect” compared a fresh ciphertext', () => {
  it('finds the row by the blind index', async () => {
    await expectSame((client) =>
      client.team!.update({ where: { id: 2 }, data: { members: { deleteMany: { email: '' } } } }),
    )
    await expectSame((client) =>
      client.member!.update({ where: { id: 1 }, data: { groups: { disconnect: [{ code: 'g1' }] } } }),
    )
  })
})

describe('a compound unique was rewritten to an invalid shape', () => {
  it('is found, updated, upserted and paged from', async () => {
    const where = { orgId_badge: { orgId: 'acme', badge: 'b2' } }
    await expectSame((client) => client.member!.findUnique({ where }))
    await expectSame((client) => client.member!.update({ where, data: { memo: 'x' } }))
    const create = { id: 9, orgId: 'acme', name: 'New', badge: 'b9' }
    const missing = { orgId_badge: { orgId: 'acme', badge: 'b9' } }
    await expectSame((client) => client.member!.upsert({ where: missing, create, update: {} }))
    await expectSame((client) => client.member!.findMany({ cursor: where, orderBy: { id: 'asc' } }))
  })
})

describe('the fluent API returned ciphertext', () => {
  it('gives plaintext', async () => {
    await expectSame((client) =>
      client.team!.findUnique({ where: { title: 'red' } }).members!({ orderBy: { id: 'asc' } }),
    )
    await expectSame((client) => client.member!.findUnique({ where: { id: 1 } }).team!())
  })
})

describe('strict mode returned whatever did not look like ciphertext; a failed decryption was printed and its ciphertext returned', () => {
  it.each(['plain text', 'fs1.', 'fs1.AAAA', 'v1.aesgcm256.x.y.z'])(
    'throws, prints nothing, and returns nothing: %s',
    async (stored) => {
      const printed = (['log', 'info', 'warn', 'error', 'debug'] as const).map((name) => jest.spyOn(console, name))
      const output = [process.stdout, process.stderr].map((stream) => jest.spyOn(stream, 'write'))
      await twins.encrypted.plain.member!.update({ where: { id: 1 }, data: { memo: stored } })
      await expect(twins.encrypted.prisma.member!.findMany()).rejects.toMatchObject({ code: 'CIPHERTEXT_INVALID' })
      for (const spy of [...printed, ...output]) expect(spy).not.toHaveBeenCalled()
    },
  )
})

describe('a key that was missing led to double encryption', () => {
  it('is an error, and the stored ciphertext stays as it is', async () => {
    const { prisma, plain } = twins.encrypted
    const before = await plain.member!.findFirst({ where: { id: 1 } })
    const unknown = `fs1.AQD_____${String(before!.name).slice(12)}`
    await plain.member!.update({ where: { id: 1 }, data: { name: unknown } })
    const read = prisma.member!.findFirst({ where: { id: 1 } })
    await expect(read).rejects.toMatchObject({ code: 'KEY_NOT_FOUND' })
    expect(await plain.member!.findFirst({ where: { id: 1 } })).toMatchObject({ name: unknown })
  })
})

describe('prose and typos switched encryption on, and misspelt options silently meant the default', () => {
  it.each(['the email, @encrypted at rest', '@encrypt', '@Encrypted', '@encryptd'])('is a problem: %s', (text) => {
    const { annotations, problems } = readDocumentation(text)
    expect(annotations).toEqual([])
    expect(problems).toHaveLength(1)
  })
})

describe('the result of $extends was thrown away, and nothing said so', () => {
  it('is found at start by assertEncrypted', () => {
    expect(() => assertEncrypted(clinic.plain)).toThrow(expect.objectContaining({ code: 'NOT_EXTENDED' }))
    expect(() => assertEncrypted(clinic.prisma)).not.toThrow()
  })
})

describe('the search hash could be attacked with a dictionary, and was the same across columns and tenants', () => {
  it('is keyed, and differs by column and tenant', async () => {
    const [title, name] = await Promise.all([
      twins.encrypted.prisma.$encryption.blindIndex('Team.titleIndex', 'red'),
      twins.encrypted.prisma.$encryption.blindIndex('Member.nameIndex', 'red'),
    ])
    expect(title).not.toBe(name)
    const digests = ['hex', 'base64', 'base64url'].map((form) =>
      createHash('sha256')
        .update('red')
        .digest(form as 'hex'),
    )
    for (const digest of digests) expect(digest).not.toContain(String(title).slice(0, 16))
    const tenants = ['acme', 'globex'].map((tenant) =>
      clinic.prisma.$forTenant(tenant).$encryption.blindIndex('Patient.emailIndex', 'red'),
    )
    const [one, other] = await Promise.all(tenants)
    expect(one).not.toBe(other)
  })
})

describe('a ciphertext copied to another column or row decrypted happily', () => {
  it('does not decrypt in another column, nor, bound to the id, in another row', async () => {
    const { prisma, plain } = twins.encrypted
    const ann = (await plain.member!.findFirst({ where: { id: 1 } }))!
    await plain.member!.update({ where: { id: 4 }, data: { memo: ann.email } })
    await expect(prisma.member!.findFirst({ where: { id: 4 } })).rejects.toMatchObject({ code: 'DECRYPTION_FAILED' })
    await plain.member!.update({ where: { id: 4 }, data: { memo: null, hint: ann.hint } })
    await expect(prisma.member!.findFirst({ where: { id: 4 } })).rejects.toMatchObject({ code: 'DECRYPTION_FAILED' })
  })
})

describe('key rotation went row by row, without resume, dry run or verification, and bumped @updatedAt', () => {
  it('counts first, goes on where it was stopped, is verified, and leaves @updatedAt alone', async () => {
    const migration = await openMigration()
    try {
      await addPlaintext(migration.plain)
      await migration.run('encrypt')
      await migration.prisma.$encryption.rotate()
      const times = () => migration.sql('SELECT id, updated_at FROM customers ORDER BY id')
      const before = await times()
      const planned = await migration.runOne('re-encrypt', { dryRun: true })
      expect(planned.wanted).toBeGreaterThan(0)

      const stop = new AbortController()
      const onProgress = () => stop.abort()
      const stopped = await migration.runOne('re-encrypt', { signal: stop.signal, onProgress })
      const rest = await migration.runOne('re-encrypt')
      expect(stopped.changed + rest.changed).toBe(planned.wanted)
      expect(await migration.runOne('re-encrypt', { dryRun: true })).toMatchObject({ wanted: 0 })
      expect(await migration.runOne('verify')).toMatchObject({ outcome: 'done', problems: [] })
      expect(await times()).toEqual(before)
    } finally {
      await migration.close()
    }
  })
})
