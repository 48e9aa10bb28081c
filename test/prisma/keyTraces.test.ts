import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { rawHead, textHead } from '../../src/crypto/ciphertext.js'
import { encodeHeader } from '../../src/crypto/header.js'
import { prismaKeyTraces } from '../../src/prisma/keyTraces.js'
import { refusal, refusalCode } from '../support/refusal.js'
import { type Fixture, type FixtureClient, openFixture } from './fixtureClient.js'

let fixture: Fixture
beforeAll(async () => {
  fixture = await openFixture('search.prisma')
})
afterAll(() => fixture.close())
afterEach(async () => {
  for (const model of ['member', 'team', 'contact', 'old', 'encryptionKey']) await fixture.plain[model]!.deleteMany()
})

const skipped: [string, string][] = []
const NOTHING = {
  deks: async () => [],
  isAnyKeyThere: async () => true,
  skipped: (...what: [string, string]) => void skipped.push(what),
}
const sql = (text: string) => fixture.plain.$executeRawUnsafe(text)
const forget = (where: string) => sql(`DELETE FROM "EncryptionKey" WHERE ${where}`)
/** As another process has it: with nothing in memory. */
const tenant = (name: string): FixtureClient => fixture.another({ defaultTenant: undefined as never }).$forTenant(name)
const keys = async () =>
  (
    await fixture.plain.encryptionKey!.findMany({
      orderBy: [{ tenant: 'asc' }, { purpose: 'asc' }, { version: 'asc' }],
    })
  ).map((row) => `${row.tenant} ${row.purpose} ${row.version}`)
const member = (id: number, orgId: string) => ({ id, orgId, name: 'Ada', email: `${id}@example.com`, handle: `@${id}` })

describe('a model with a tenant column', () => {
  it('shows that the tenant had an index key, by a search and by a write, before any SQL of either', async () => {
    await tenant('acme').member!.create({ data: member(1, 'acme') })
    await forget(`purpose = 'index' AND tenant = 'acme'`)
    const before = await keys()
    const search = () => tenant('acme').member!.findMany({ where: { email: '1@example.com' } })
    expect(await refusal(search)).toMatchObject({
      code: 'KEY_MISSING',
      message: expect.stringMatching(/Member\.(name|email|badge|hint)Index holds.*Restore/),
    })
    const twin = () => tenant('acme').member!.create({ data: { ...member(2, 'acme'), email: '1@example.com' } })
    expect(await refusalCode(twin)).toBe('KEY_MISSING')
    expect([await keys(), await fixture.plain.member!.count()]).toEqual([before, 1])
  })

  it('shows it though the keys for values are gone as well', async () => {
    await tenant('acme').member!.create({ data: member(1, 'acme') })
    await forget(`tenant = 'acme'`)
    const search = () => tenant('acme').member!.findMany({ where: { email: '1@example.com' } })
    expect(await refusalCode(search)).toBe('KEY_MISSING')
  })

  it('shows it after a shred whose tombstones were deleted', async () => {
    const maker = tenant('acme')
    await maker.member!.create({ data: member(1, 'acme') })
    await maker.$encryption.shred('acme')
    await forget(`tenant = 'acme'`)
    expect(await refusalCode(() => tenant('acme').member!.findMany({ where: { name: 'Ada' } }))).toBe('KEY_MISSING')
  })

  it('stands in nobody’s way else: other tenants get their first key, and so does one whose columns were cleared', async () => {
    await tenant('acme').member!.create({ data: member(1, 'acme') })
    await tenant('globex').member!.create({ data: member(2, 'globex') })
    await forget(`purpose = 'index' AND tenant = 'acme'`)
    await sql(`UPDATE "Member" SET "nameIndex" = NULL, "emailIndex" = NULL WHERE "orgId" = 'acme'`)
    expect(await tenant('acme').member!.findMany({ where: { email: '1@example.com' } })).toEqual([])
    expect((await keys()).filter((key) => key.startsWith('acme'))).toEqual(['acme encrypt 1', 'acme index 1'])
  })

  it('does not hinder a tenant that was shredded and reopened', async () => {
    const maker = tenant('acme')
    await maker.member!.create({ data: member(1, 'acme') })
    await maker.$encryption.shred('acme')
    expect(await maker.$encryption.reopen('acme')).toEqual(['encrypt', 'index'])
    await tenant('acme').member!.create({ data: member(2, 'acme') })
    expect(await tenant('acme').member!.findMany({ where: { email: '2@example.com' }, select: { id: true } })).toEqual([
      { id: 2 },
    ])
  })

  it('costs a new tenant one query for each model, of one row', async () => {
    await tenant('acme').member!.create({ data: member(1, 'acme') })
    const statements: string[] = []
    const base = fixture.open({ log: [{ emit: 'event', level: 'query' }] })
    base.$on('query', ({ query }) => statements.push(query))
    const traces = prismaKeyTraces(base, fixture.schema)
    const find = (name: string) => traces.find({ ...NOTHING, tenant: name, purpose: 'index' })
    expect([await find('acme'), await find('new')]).toEqual(['Member.nameIndex', null])
    expect(statements).toHaveLength(2)
    expect(statements[0]).toMatch(/"orgId" = \$1 AND .*IS NOT NULL.*LIMIT/)
    expect(statements[0]).not.toMatch(/SELECT.*"(name|email)",?.*FROM|ORDER BY/)
  })
})

describe('a model without a tenant column', () => {
  it('shows it by the heads of the tenant’s ciphertexts, and another tenant’s rows show nothing', async () => {
    await tenant('acme').team!.create({ data: { id: 1, title: 'Red' } })
    await tenant('globex').contact!.create({ data: { id: 1, first: 'Bo' } })
    await forget(`purpose = 'index'`)
    const search = (name: string) => () => tenant(name).team!.findMany({ where: { title: 'Red' } })
    expect((await refusal(search('acme'))).message).toContain('Team.titleIndex holds')
    expect(await search('globex')()).toEqual([])
    expect(await search('new')()).toEqual([])
    expect(await keys()).toEqual(['acme encrypt 1', 'globex encrypt 1', 'globex index 1', 'new index 1'])
  })

  it('shows it after rotations, and by keys that are destroyed', async () => {
    const maker = tenant('acme')
    await maker.team!.create({ data: { id: 1, title: 'Red' } })
    for (let i = 0; i < 3; i += 1) await maker.$encryption.rotate({ tenants: 'acme' })
    await forget(`purpose = 'index'`)
    const search = () => tenant('acme').team!.findMany({ where: { title: 'Red' } })
    expect(await refusalCode(search)).toBe('KEY_MISSING')
    await sql(`UPDATE "EncryptionKey" SET state = 'destroyed', wrapped = NULL WHERE purpose = 'encrypt'`)
    expect(await refusalCode(search)).toBe('KEY_MISSING')
  })

  it('shows nothing once the keys for values are gone as well', async () => {
    await tenant('acme').team!.create({ data: { id: 1, title: 'Red' } })
    await forget(`tenant = 'acme'`)
    expect(await tenant('acme').team!.findMany({ where: { title: 'Red' } })).toEqual([])
  })
})

describe('global blind indexes', () => {
  it('are shown by any row of any tenant', async () => {
    await tenant('acme').member!.create({ data: member(1, 'acme') })
    await forget(`tenant = '*'`)
    const search = () => tenant('globex').member!.findMany({ where: { handle: '@1' } })
    expect((await refusal(search)).message).toContain('Member.handleIndex holds')
    await sql('UPDATE "Member" SET "handleIndex" = NULL')
    expect(await search()).toEqual([])
  })
})

describe('a tenant whose keys for values are gone', () => {
  it('gets no new one by a write, before any SQL of it, and a new tenant does', async () => {
    await tenant('acme').member!.create({ data: member(1, 'acme') })
    await forget(`tenant = 'acme'`)
    const before = await keys()
    const error = await refusal(() => tenant('acme').contact!.create({ data: { id: 1, first: 'Bo' } }))
    expect(error).toMatchObject({
      code: 'KEY_MISSING',
      message: expect.stringMatching(/"acme".*"encrypt".*Member\.\w+ holds.*keys restore/),
    })
    expect([await keys(), await fixture.plain.contact!.count()]).toEqual([before, 0])
    await tenant('new').contact!.create({ data: { id: 2, first: 'Bo' } })
    expect(await keys()).toEqual([...before, 'new encrypt 1'])
  })

  it('begins anew when somebody has it reopened', async () => {
    await tenant('acme').member!.create({ data: member(1, 'acme') })
    await forget(`tenant = 'acme'`)
    expect(await tenant('acme').$encryption.reopen('acme')).toEqual(['encrypt', 'index'])
    await tenant('acme').member!.create({ data: member(2, 'acme') })
    expect(await refusalCode(() => tenant('acme').member!.findMany())).toBe('KEY_NOT_FOUND')
  })

  it('is known by rows without a tenant column only while the keys table is empty', async () => {
    await tenant('acme').team!.create({ data: { id: 1, title: 'Red' } })
    await forget('true')
    const write = (name: string) => () => tenant(name).team!.create({ data: { id: 2, title: 'Blue' } })
    expect(await refusal(write('other'))).toMatchObject({
      code: 'KEY_MISSING',
      message: expect.stringContaining('Team.'),
    })
    await fixture.plain.team!.deleteMany()
    await write('other')()
    await tenant('acme').team!.create({ data: { id: 3, title: 'Red' } })
    expect(await keys()).toEqual(['acme encrypt 1', 'acme index 1', 'other encrypt 1', 'other index 1'])
  })

  it('is known by bytes and by JSON, but not by what is no ciphertext under a DEK', async () => {
    await sql('ALTER TABLE "Member" ADD COLUMN extra jsonb')
    const model = fixture.schema.models.Member!
    const look = (field: string, type: 'Bytes' | 'Json') => {
      const encrypted = { [field]: { ...model.encrypted.name!, type } }
      const Member = { ...model, columns: { ...model.columns, extra: 'extra' }, encrypted }
      const traces = prismaKeyTraces(fixture.plain, { ...fixture.schema, models: { Member } })
      return traces.find({ ...NOTHING, tenant: 'acme', purpose: 'encrypt' })
    }
    await sql(`INSERT INTO "Member" (id, "orgId", name, email, handle, pin, extra)
      VALUES (1, 'acme', '', '', '', 'fs1', '{"fs1.AQ": 1}')`)
    expect([await look('pin', 'Bytes'), await look('extra', 'Json')]).toEqual([null, null])
    const head = encodeHeader({ suite: 1, flags: 0, dekId: randomUUID() })
    await sql(`UPDATE "Member" SET pin = '\\x${rawHead(head).toString('hex')}00', extra = '"${textHead(head)}AA"'`)
    expect([await look('pin', 'Bytes'), await look('extra', 'Json')]).toEqual(['Member.pin', 'Member.extra'])
    await sql('ALTER TABLE "Member" DROP COLUMN extra')
  })
})

describe('tables that cannot be looked into', () => {
  const find = (client: object) =>
    prismaKeyTraces(client, fixture.schema).find({
      ...NOTHING,
      tenant: 'acme',
      purpose: 'index',
      deks: async () => [randomUUID()],
    })

  it('hold nothing where they do not exist', async () => {
    await sql('ALTER TABLE "Member" RENAME TO "Elsewhere"')
    expect(await find(fixture.plain)).toBeNull()
    await sql('ALTER TABLE "Elsewhere" RENAME TO "Member"')
    await sql('ALTER TABLE "Member" RENAME COLUMN "emailIndex" TO "elsewhere"')
    expect(await find(fixture.plain)).toBeNull()
    await sql('ALTER TABLE "Member" RENAME COLUMN "elsewhere" TO "emailIndex"')
  })

  it('hold nothing where their tenant column is a UUID and the tenant’s id is none', async () => {
    const { nameIndex } = fixture.schema.models.Member!.indexes
    const model = { ...fixture.schema.models.Member!, tenant: 'id', indexes: { wrapped: nameIndex! } }
    const traces = prismaKeyTraces(fixture.plain, { ...fixture.schema, models: { EncryptionKey: model } })
    expect(await traces.find({ ...NOTHING, tenant: 'acme', purpose: 'index' })).toBeNull()
  })

  it('are skipped, before a key for values, when somebody has locked them, and hold nothing where they are not', async () => {
    const look = () =>
      prismaKeyTraces(fixture.plain, fixture.schema).find({ ...NOTHING, tenant: 'acme', purpose: 'encrypt' })
    await tenant('acme').member!.create({ data: member(1, 'acme') })
    skipped.length = 0
    await fixture.base.$transaction(async (tx) => {
      await tx.$executeRawUnsafe('LOCK TABLE "Member"')
      expect(await look()).toBeNull()
    })
    expect(skipped[0]).toEqual(['Member', 'time'])
    expect(await look()).toMatch(/^Member\./)
    await sql('ALTER TABLE "Member" RENAME TO "Elsewhere"')
    expect(await look()).toBeNull()
    await sql('ALTER TABLE "Elsewhere" RENAME TO "Member"')
  })

  it('let no key be made where the database’s user has no right to, or cannot reach them', async () => {
    const role = `reader_${randomUUID().slice(0, 8)}`
    await sql(`CREATE ROLE ${role} LOGIN PASSWORD 'pw'`)
    await sql(`GRANT ALL ON "EncryptionKey" TO ${role}`)
    const url = Object.assign(new URL(fixture.url), { username: role, password: 'pw' }).href
    const { PrismaPg } = await import('@prisma/adapter-pg')
    const limited = fixture.open({ adapter: new PrismaPg({ connectionString: url }) })
    const error = await refusal(() => find(limited))
    expect(error).toMatchObject({
      code: 'KEY_STORE_UNAVAILABLE',
      message: expect.stringMatching(/is asked.*read this table/),
    })
    skipped.length = 0
    const { find: look } = prismaKeyTraces(limited, fixture.schema)
    expect(await look({ ...NOTHING, tenant: 'acme', purpose: 'encrypt', deks: async () => [] })).toBeNull()
    expect(skipped).toEqual([...new Set(skipped.map(([model]) => model))].map((model) => [model, 'rights']))
    expect(skipped).toContainEqual(['Member', 'rights'])
    await limited.$disconnect()
    await sql(`DROP OWNED BY ${role}`)
    await sql(`DROP ROLE ${role}`)
  })
})
