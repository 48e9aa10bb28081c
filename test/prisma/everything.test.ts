import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { fieldEncryption } from 'fieldseal/prisma'
import { emulatedKms } from '../support/clinic.js'
import { deepFreeze } from './deepFreeze.js'
import { type Delegate, type Fixture, type FixtureClient, openFixture, type Row } from './fixtureClient.js'

let fixture: Fixture
let prisma: FixtureClient
let plain: FixtureClient
let skip: unknown
beforeAll(async () => {
  fixture = await openFixture('everything.prisma')
  ;({ prisma, plain } = fixture)
  skip = fixture.Prisma.skip
})
afterAll(() => fixture?.close())
beforeEach(async () => {
  for (const model of ['note', 'profile', 'tag', 'account', 'locker', 'membership', 'vault', 'audit_entry']) {
    await plain[model]!.deleteMany()
  }
})

const CIPHERTEXT = /^fs1\.[\w-]+$/

async function refusedBeforeSql(query: () => Promise<unknown>, code: string, part: string): Promise<void> {
  fixture.takeSql()
  await expect(query()).rejects.toMatchObject({ code, message: expect.stringContaining(part) })
  expect(fixture.takeSql()).toEqual([])
}

describe('names', () => {
  it('of models may start lower and have underscores, and those of tables and columns may differ', async () => {
    const created = await prisma.audit_entry!.create({ data: { text: 'hello' } })
    expect(created.text).toBe('hello')
    expect((await plain.audit_entry!.findFirst()).text).toMatch(CIPHERTEXT)
    const query = prisma as unknown as { $queryRawUnsafe(sql: string): Promise<object[]> }
    const raw = await query.$queryRawUnsafe('SELECT * FROM "AuditEntries"')
    expect(await prisma.$encryption.decryptRows('audit_entry', raw)).toEqual([
      { entry_id: created.id, entry_text: 'hello' },
    ])
  })
})

describe('undefined inside of JSON, under strictUndefinedChecks', () => {
  const image = new Uint8Array()

  it.each([
    ['in an object', { a: undefined, b: 1 }],
    ['deeper', [{ a: { b: undefined } }]],
    ['in a list', [undefined]],
  ])('is refused %s, as the plain client refuses it', async (_, document) => {
    await expect(plain.profile!.create({ data: { accountId: 1n, data: document } })).rejects.toThrow('undefined')
    const create = () => prisma.vault!.create({ data: { document, image } })
    await refusedBeforeSql(create, 'VALUE_INVALID', 'vault.document cannot be written: the value holds ')
    const bound = prisma.$forTenant('acme')
    await refusedBeforeSql(() => bound.$encryption.encrypt('vault.document', document), 'VALUE_INVALID', 'undefined')
  })

  it('is left out where it is Prisma.skip', async () => {
    const document = { a: skip, b: [{ c: skip, d: 1 }] }
    await prisma.account!.create({ data: { id: 1n, title: 't' } })
    const expected = await plain.profile!.create({ data: { accountId: 1n, data: document } })
    const { document: made } = await prisma.vault!.create({ data: { document, image } })
    expect(made).toEqual(expected.data)
    expect(made).toEqual({ b: [{ d: 1 }] })
  })

  it('ends where JSON does', async () => {
    const circle: { [key: string]: unknown } = {}
    circle.self = circle
    const encrypt = () => prisma.$forTenant('acme').$encryption.encrypt('vault.document', circle)
    await refusedBeforeSql(encrypt, 'VALUE_INVALID', 'or holds itself')
  })
})

describe('Prisma.skip', () => {
  it('leaves a field, its index and a filter out', async () => {
    await prisma.account!.create({ data: { id: 1n, title: 't', secret: skip, pin: skip } })
    expect(await plain.account!.findFirst()).toMatchObject({ secret: null, pin: null, pinIndex: null })
    await prisma.account!.update({ where: { id: 1n }, data: { secret: 'x', pin: new Uint8Array([1]) } })
    const before = await plain.account!.findFirst()
    await prisma.account!.update({ where: { id: 1n }, data: { title: 'u', secret: skip, pin: skip, notes: skip } })
    expect(await plain.account!.findFirst()).toEqual({ ...before, title: 'u' })
    const found = await prisma.account!.findMany({ where: { secret: skip, pin: { equals: skip } }, orderBy: skip })
    expect(found).toMatchObject([{ secret: 'x' }])
    expect(await prisma.account!.findMany({ select: { secret: true, title: skip }, where: skip })).toStrictEqual([
      { secret: 'x' },
    ])
    expect(await prisma.account!.findMany({ include: skip, omit: { id: true, secret: skip } })).toMatchObject([
      { secret: 'x' },
    ])
  })

  it('is no way around the rules', async () => {
    const query = () => prisma.account!.findMany({ where: { OR: [{ secret: skip }, { secret: 'x' }] } })
    await refusedBeforeSql(query, 'QUERY_UNSUPPORTED', 'Account.secret')
  })
})

describe('a field that is bound to an id', () => {
  it.each([1n, -1n, 2n ** 63n - 1n])('of the type BigInt works with %s, also written as a number', async (id) => {
    await prisma.account!.create({ data: { id, title: 't', secret: 's' } })
    expect(await prisma.account!.findMany({ select: { secret: true } })).toStrictEqual([{ secret: 's' }])
    const where = { id: BigInt(Number(id)) === id ? Number(id) : id }
    expect(await prisma.account!.update({ where, data: { secret: 's2' } })).toMatchObject({ id, secret: 's2' })
    expect(await prisma.account!.update({ where, data: { id, secret: 's3' } })).toMatchObject({ secret: 's3' })
  })

  it('must be given that id where nothing makes it', async () => {
    const create = () => prisma.account!.create({ data: { title: 't', secret: 's' } })
    await refusedBeforeSql(create, 'BOUND_VALUE_MISSING', 'Account.secret')
  })

  it('refuses arithmetic on the id', async () => {
    const update = () => prisma.account!.update({ where: { id: 1n }, data: { id: { increment: 1 } } })
    await refusedBeforeSql(update, 'QUERY_UNSUPPORTED', 'Account.id')
  })

  it('of two columns works with the compound selector', async () => {
    const data = { org: 'o', number: 1, card: 'c' }
    const where = { key: { org: 'o', number: 1 } }
    expect(await prisma.membership!.create({ data })).toMatchObject(data)
    expect(await prisma.membership!.update({ where, data: { card: 'd' } })).toMatchObject({ card: 'd' })
    const upsert = { where, create: data, update: { card: 'e', org: 'o' } }
    expect(await prisma.membership!.upsert(upsert)).toMatchObject({ card: 'e' })
    expect(await prisma.membership!.findMany({ select: { card: true } })).toStrictEqual([{ card: 'e' }])
    expect(await prisma.membership!.findUniqueOrThrow({ where, omit: { org: true, number: true } })).toMatchObject({
      card: 'e',
    })
    const [first, second] = await Promise.all([
      prisma.membership!.findUniqueOrThrow({ where, select: { card: true } }),
      prisma.membership!.findUniqueOrThrow({ where, select: { card: true } }),
    ])
    expect([first, second]).toStrictEqual([{ card: 'e' }, { card: 'e' }])
    const moved = () => prisma.membership!.update({ where, data: { number: 2 } })
    await refusedBeforeSql(moved, 'QUERY_UNSUPPORTED', 'Membership.number')
  })

  it('cannot be written where the row is found without regard to letter case', async () => {
    await prisma.account!.create({
      data: { id: 1n, title: 't', locker: { create: { code: 'ABC', content: 'c' } } },
    })
    const where = (code: object) => ({
      where: { id: 1n },
      data: { locker: { update: { where: { code }, data: { content: 'd' } } } },
      include: { locker: true },
    })
    const insensitive = () => prisma.account!.update(where({ equals: 'abc', mode: 'insensitive' }))
    await refusedBeforeSql(insensitive, 'BOUND_VALUE_MISSING', 'Locker.content')
    expect(await prisma.account!.update(where({ equals: 'ABC', mode: 'default' }))).toMatchObject({
      locker: { content: 'd' },
    })
  })
})

describe('a field that is bound to a foreign key', () => {
  const notes = { include: { notes: true } }

  it('is written with the key, with connect, and inside its parent', async () => {
    await prisma.account!.create({ data: { id: 1n, title: 't', notes: { create: [{ text: 'a' }, { text: 'b' }] } } })
    await prisma.note!.create({ data: { accountId: 1n, text: 'c' } })
    await prisma.note!.create({ data: { account: { connect: { id: 1n } }, text: 'd' } })
    await prisma.note!.create({ data: { account: { create: { id: 2n, title: 'u' } }, text: 'e' } })
    await prisma.account!.update({
      where: { id: 1n },
      data: { notes: { createMany: { data: [{ text: 'f' }] }, create: { text: 'g' } } },
    })
    const [first, second] = await prisma.account!.findMany({ ...notes, orderBy: { id: 'asc' } })
    const texts = (account: Row | undefined) => (account!.notes as Row[]).map(({ text }) => text).sort()
    expect(texts(first)).toEqual(['a', 'b', 'c', 'd', 'f', 'g'])
    expect(texts(second)).toEqual(['e'])
    expect(await prisma.note!.findMany({ where: { text: skip, accountId: 2n }, select: { text: true } })).toStrictEqual(
      [{ text: 'e' }],
    )
  })

  it('is updated where all that it is bound to is known', async () => {
    const id = randomUUID()
    await prisma.account!.create({ data: { id: 1n, title: 't', notes: { create: { id, text: 'a' } } } })
    const short = () => prisma.note!.update({ where: { id }, data: { text: 'b' } })
    await refusedBeforeSql(short, 'BOUND_VALUE_MISSING', 'accountId')
    expect(await prisma.note!.update({ where: { id, accountId: 1n }, data: { text: 'b' } })).toMatchObject({
      text: 'b',
    })
    const inside = await prisma.account!.update({
      where: { id: 1n },
      data: { notes: { update: { where: { id }, data: { text: 'c' } } } },
      ...notes,
    })
    expect(inside.notes).toMatchObject([{ text: 'c' }])
  })

  it('refuses whatever would move the row to another parent', async () => {
    const id = randomUUID()
    const moves: Row = {
      'the key itself': () => prisma.note!.update({ where: { id, accountId: 1n }, data: { accountId: 2n } }),
      'many keys': () => prisma.note!.updateMany({ data: { accountId: 2n } }),
      connect: () => prisma.note!.update({ where: { id }, data: { account: { connect: { id: 2n } } } }),
      'connect on the other side': () =>
        prisma.account!.update({ where: { id: 2n }, data: { notes: { connect: { id } } } }),
      set: () => prisma.account!.update({ where: { id: 2n }, data: { notes: { set: [{ id }] } } }),
      'connect on create': () => prisma.account!.create({ data: { id: 3n, title: 't', notes: { connect: { id } } } }),
      connectOrCreate: () =>
        prisma.account!.update({
          where: { id: 2n },
          data: { notes: { connectOrCreate: { where: { id }, create: { text: 't' } } } },
        }),
      "the parent's id": () => prisma.account!.update({ where: { id: 1n }, data: { id: 9n } }),
    }
    for (const move of Object.values(moves)) {
      await refusedBeforeSql(move as () => Promise<unknown>, 'QUERY_UNSUPPORTED', 'bound to')
    }
  })

  it('is not known where a row is connected or created and the two differ', async () => {
    const account = (id: bigint) => ({ connectOrCreate: { where: { id: 1n }, create: { id, title: 't' } } })
    const differing = () => prisma.note!.create({ data: { text: 'a', account: account(2n) } })
    await refusedBeforeSql(differing, 'BOUND_VALUE_MISSING', 'accountId')
    expect(await prisma.note!.create({ data: { text: 'a', account: account(1n) } })).toMatchObject({ text: 'a' })
    expect(await prisma.note!.findFirst()).toMatchObject({ text: 'a', accountId: 1n })
  })
})

describe('a related model with a field called data', () => {
  beforeEach(async () => {
    await prisma.account!.create({
      data: { id: 1n, title: 't', profile: { create: { data: { data: 1 }, bio: 'b' } } },
    })
  })
  const update = (profile: object) =>
    prisma.account!.update({ where: { id: 1n }, data: { profile: { update: profile } }, include: { profile: true } })

  it('is updated by its fields', async () => {
    expect(await update({ bio: 'c', data: { other: 'plain' } })).toMatchObject({
      profile: { bio: 'c', data: { other: 'plain' } },
    })
    expect(await update({ data: 'text' })).toMatchObject({ profile: { bio: 'c', data: 'text' } })
    expect((await plain.profile!.findFirst()).bio).toMatch(CIPHERTEXT)
  })

  it('is not updated where data could be the field or the wrapper', async () => {
    await refusedBeforeSql(() => update({ data: { bio: 'c' } }), 'QUERY_UNSUPPORTED', 'Profile.data')
    await refusedBeforeSql(() => update({ where: {}, data: { bio: 'c' } }), 'QUERY_UNSUPPORTED', 'Profile.data')
  })
})

describe('many-to-many and self relations', () => {
  it('encrypt and decrypt through the implicit table', async () => {
    const created = await prisma.account!.create({
      data: deepFreeze({
        id: 1n,
        title: 't',
        tags: { create: [{ label: 'a' }, { label: 'b' }] },
        reports: { create: { id: 2n, title: 'u', secret: 's', tags: { create: { label: 'c' } } } },
      }),
      include: { tags: { include: { accounts: true }, orderBy: { id: 'asc' } } },
    })
    expect(created.tags).toMatchObject([{ label: 'a', accounts: [{ secret: null }] }, { label: 'b' }])
    expect((await plain.tag!.findMany()).every(({ label }) => CIPHERTEXT.test(label as string))).toBe(true)
    const tags = await prisma.account!.findUniqueOrThrow({ where: { id: 2n }, select: { tags: true } })
    expect(tags.tags).toMatchObject([{ label: 'c' }])
    await refusedBeforeSql(
      () => prisma.account!.findMany({ where: { tags: { some: { label: 'a' } } } }),
      'QUERY_UNSUPPORTED',
      'Tag.label',
    )
  })

  it('encrypt and decrypt up and down a tree', async () => {
    const top = await prisma.account!.create({
      data: {
        id: 1n,
        title: 't',
        secret: '1',
        reports: {
          create: { id: 2n, title: 'u', secret: '2', reports: { create: { id: 3n, title: 'v', secret: '3' } } },
        },
      },
      select: { secret: true, reports: { select: { secret: true, reports: { select: { secret: true } } } } },
    })
    expect(top).toStrictEqual({ secret: '1', reports: [{ secret: '2', reports: [{ secret: '3' }] }] })
    const leaf = prisma.account!.findUniqueOrThrow({ where: { id: 3n } }) as unknown as {
      manager(): { manager(): { reports(): Promise<Row[]> } }
    }
    expect(await leaf.manager().manager().reports()).toMatchObject([{ id: 2n, secret: '2' }])
  })
})

describe('a model with nothing but encrypted Json and Bytes', () => {
  it('holds ciphertext in the types of its columns', async () => {
    const data = deepFreeze({ document: { ifUndefined: [1, null] }, image: new Uint8Array([0, 255]) })
    const created = await prisma.vault!.create({ data })
    expect(created).toMatchObject(data)
    const stored = await plain.vault!.findFirst()
    expect(stored.document).toMatch(CIPHERTEXT)
    expect(
      Buffer.from(stored.image as Uint8Array)
        .subarray(0, 4)
        .toString(),
    ).toBe('fs1.')
    expect(
      await prisma.vault!.createManyAndReturn({ data: [{ ...data, document: fixture.Prisma.JsonNull }] }),
    ).toMatchObject([{ document: null }])
    await refusedBeforeSql(
      () => prisma.vault!.findMany({ where: { document: { equals: fixture.Prisma.AnyNull } } }),
      'QUERY_UNSUPPORTED',
      'vault.document',
    )
  })
})

describe('a blind index in a Bytes column', () => {
  it('is filled, found by, and unique', async () => {
    const pin = new Uint8Array([1, 2])
    await prisma.account!.create({ data: { id: 1n, title: 't', pin } })
    const pinIndex = await prisma.$encryption.blindIndex('Account.pinIndex', pin)
    expect(pinIndex).toHaveLength(16)
    expect(await prisma.account!.findUniqueOrThrow({ where: { pinIndex } })).toMatchObject({ id: 1n, pin })
    const twice = prisma.account!.create({ data: { id: 2n, title: 't', pin } })
    await expect(twice).rejects.toMatchObject({ code: 'P2002' })
    await prisma.account!.update({ where: { pinIndex }, data: { pin: null } })
    expect(await plain.account!.findFirst()).toMatchObject({ pin: null, pinIndex: null })
  })
})

describe('preview features', () => {
  it('refuses _relevance on an encrypted field and allows it on others', async () => {
    const by = (fields: string | string[]) => ({ orderBy: { _relevance: { fields, search: 'a', sort: 'asc' } } })
    await refusedBeforeSql(() => prisma.account!.findMany(by('secret')), 'QUERY_UNSUPPORTED', 'Account.secret')
    await refusedBeforeSql(
      () => prisma.account!.findMany(by(['title', 'secret'])),
      'QUERY_UNSUPPORTED',
      'Account.secret',
    )
    expect(await prisma.account!.findMany(by(['title']))).toEqual([])
    const search = () => prisma.account!.findMany({ where: { secret: { search: 'a' } } })
    await refusedBeforeSql(search, 'QUERY_UNSUPPORTED', '"search"')
  })

  it.each(['join', 'query'])('decrypts nested rows of every type with relationLoadStrategy %s', async (strategy) => {
    await prisma.account!.create({
      data: {
        id: 2n ** 60n,
        title: 't',
        secret: 's',
        pin: new Uint8Array([1, 2, 3]),
        profile: { create: { bio: 'b', data: { a: 1 } } },
        notes: { create: { text: 'n' } },
        tags: { create: { label: 'l' } },
        reports: { create: { id: 2n, title: 'u', secret: 'r', pin: new Uint8Array([9]) } },
      },
    })
    fixture.takeSql()
    const args = { relationLoadStrategy: strategy, where: { managerId: null } }
    const [found] = await prisma.account!.findMany({
      ...args,
      include: {
        profile: true,
        notes: { select: { text: true } },
        tags: true,
        reports: { include: { manager: true } },
      },
    })
    expect(fixture.takeSql()).toHaveLength(strategy === 'join' ? 1 : 6)
    const own = { secret: 's', pin: new Uint8Array([1, 2, 3]) }
    expect(found).toMatchObject({
      ...own,
      profile: { bio: 'b' },
      tags: [{ label: 'l' }],
      reports: [{ secret: 'r', pin: new Uint8Array([9]), manager: own }],
    })
    expect(found!.notes).toStrictEqual([{ text: 'n' }])
  })
})

describe('what a client omits everywhere', () => {
  let modest: FixtureClient
  beforeAll(() => {
    const omit = { account: { id: true, pin: true }, note: { id: true, accountId: true }, profile: { bio: true } }
    modest = fixture
      .open({ omit })
      .$extends(fieldEncryption({ schema: fixture.schema, kms: emulatedKms(fixture.emulator), defaultTenant: 'acme' }))
  })
  const visible = (row: unknown) => JSON.parse(JSON.stringify(row))
  const create = (account: Delegate) =>
    account.create({
      data: {
        id: 1n,
        title: 't',
        secret: 's',
        pin: new Uint8Array([1]),
        notes: { create: { text: 'n' } },
        profile: { create: { bio: 'b' } },
      },
      include: { notes: true, profile: { omit: { bio: false } } },
    })

  it('is still there to decrypt with, and not in the result', async () => {
    const created = await create(modest.account!)
    expect(created).toMatchObject({ title: 't', secret: 's', profile: { bio: 'b' } })
    expect(visible(created.notes)).toEqual([{ seen: false, text: 'n' }])
    expect(Object.keys(created)).not.toContain('id')
    expect(Object.keys(created)).not.toContain('pin')
    const [nested] = await modest.tag!.createManyAndReturn({ data: [{ label: 'l' }] })
    expect(nested).toMatchObject({ label: 'l' })
    expect(await modest.note!.findMany({ select: { text: true, account: true } })).toMatchObject([
      { text: 'n', account: { secret: 's' } },
    ])
    expect(await modest.account!.findFirst({ omit: { id: false, pin: false } })).toMatchObject({
      id: 1n,
      pin: new Uint8Array([1]),
    })
  })
})
