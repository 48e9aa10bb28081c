import { AsyncResource } from 'node:async_hooks'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { withTenant } from 'fieldseal'
import type { AccessOptions, AuditEntry, EncryptionEvent } from 'fieldseal/prisma'
import { type Fixture, type FixtureClient, openFixture, type Row } from '../prisma/fixtureClient.js'
import { openPool } from '../support/pool.js'
import { refusal, refusalCode } from '../support/refusal.js'

let fixture: Fixture
let all: FixtureClient
beforeAll(async () => {
  fixture = await openFixture('access.prisma', { defaultTenant: undefined as never })
  all = fixture.prisma.$forTenant('acme')
})
afterAll(() => fixture.close())

const plaintexts = {
  name: 'Ada King Lovelace',
  email: 'ada@example.com',
  phone: '+44 20 7946 0958',
  card: '4111 1111 1111 1234',
  secret: 'a secret of hers',
  pin: '271828',
  born: new Date('1815-12-10T00:00:00Z'),
  notes: { allergies: 'penicillin' },
}
const masks = { name: 'A••• L•••', email: 'a•••@e•••.com', phone: '•••0958', card: '•••1234', secret: '•••' }
const stored = { old: 'plain old text', older: 'plain older text' }
/** Fields that a client must name, as they have no mask. */
const unmasked = { pin: true, born: true, notes: true }
const WHOLE = { omit: unmasked }

beforeEach(async () => {
  await fixture.plain.visit!.deleteMany()
  await fixture.plain.person!.deleteMany()
  await all.person!.create({ data: { id: 1, orgId: 'acme', ...plaintexts } })
  await all.person!.create({ data: { id: 2, orgId: 'acme', name: 'Bob', email: 'bob@example.com', bossId: 1 } })
  await all.visit!.create({ data: { id: 1, orgId: 'acme', personId: 1, reason: 'cough' } })
  await fixture.plain.person!.update({ where: { id: 1 }, data: stored })
  fixture.takeSql()
})

const limited = (allow: readonly string[] = [], purpose = 'support') => all.$forTenant('acme', { purpose, allow })

/** No plaintext of Ada's, nor part of one that no mask shows. */
function expectNothingShown(answer: unknown): void {
  const text = JSON.stringify(answer)
  for (const shown of [
    'King',
    'ovelace',
    'ada@',
    'example',
    '7946',
    '4111',
    'secret of',
    '271828',
    '1815',
    'penicillin',
    'plain o',
    'cough',
    'fs1.',
  ])
    expect(text).not.toContain(shown)
}

describe('the access of a client', () => {
  it.each<[unknown, string]>([
    [{ allow: ['Person.emial'] }, 'did you mean `Person.email`?'],
    [{ allow: ['email'] }, 'write "Model.field"'],
    [{ allow: ['Person.rank'] }, 'is not encrypted: everybody may read it'],
    [{ allow: ['Person.emailIndex'] }, 'is not encrypted'],
    [{ allow: ['Person.constructor'] }, 'no encrypted field'],
    [{ allow: ['Nobody.email'] }, 'no encrypted field'],
    [{ allow: 'Person.email' }, 'must be a list of fields'],
    [{ allow: undefined }, 'must be a list of fields'],
    [{ allow: null }, 'must be a list of fields'],
    [{ allow: [1] }, 'must be a list of fields'],
    [{ alow: [] }, 'no option "alow"'],
    [{ purpose: '' }, '"purpose" must be a text'],
    [{ purpose: undefined }, '"purpose" must be a text'],
    [{ purpose: 5, allow: [] }, '"purpose" must be a text'],
    [null, 'must be { purpose, allow }'],
    ['support', 'must be { purpose, allow }'],
  ])('cannot be %j, and that is said when it is bound', async (access, message) => {
    for (const bind of [
      () => fixture.prisma.$forTenant('acme', access as AccessOptions),
      () => fixture.prisma.$acrossTenants(access as AccessOptions),
    ]) {
      expect(await refusal(bind)).toMatchObject({ code: 'OPTIONS_INVALID', message: expect.stringContaining(message) })
    }
  })

  it('of withTenant is checked for its fields by the first operation', async () => {
    const find = () => fixture.prisma.person!.findMany({ select: { id: true } })
    expect(await refusalCode(() => withTenant('acme', { allow: ['Person.emial'] }, find))).toBe('OPTIONS_INVALID')
    for (const access of [{ allow: null }, undefined, null]) {
      expect(await refusalCode(() => withTenant('acme', access as never, find))).toBe('OPTIONS_INVALID')
    }
    expect(fixture.takeSql()).toEqual([])
  })

  it('may be of more kinds than are kept ready', async () => {
    const fields = ['name', 'email', 'phone', 'card', 'old', 'older', 'secret'].map((field) => `Person.${field}`)
    for (let chosen = 0; chosen < 2 ** fields.length; chosen++) {
      const allow = fields.filter((_, bit) => chosen & (1 << bit))
      const [row] = await limited(allow).person!.findMany({ where: { id: 1 }, select: { name: true, secret: true } })
      const shown = (field: 'name' | 'secret') => (allow.includes(`Person.${field}`) ? plaintexts : masks)[field]
      expect(row).toEqual({ name: shown('name'), secret: shown('secret') })
    }
  })

  it('with a purpose alone limits nothing', async () => {
    const row = await all.$forTenant('acme', { purpose: 'care' }).person!.findUnique({ where: { id: 1 } })
    expect(row).toMatchObject({ ...plaintexts, ...stored })
  })

  it('is not changed by what happens to the list later', async () => {
    const allow = ['Person.name']
    const client = limited(allow)
    allow.push('Person.pin')
    expect(await refusalCode(() => client.person!.findFirst({ select: { pin: true } }))).toBe('ACCESS_DENIED')
  })
})

const where = { id: 1 }
const data = { label: 'changed' }
const fresh = { id: 9, orgId: 'acme', name: 'Eve' }

/** Whatever could bring a field out that has no mask, and that no `select` leaves out. */
const READS: { readonly [read: string]: (client: FixtureClient) => Promise<unknown> } = {
  'all columns of findUnique': (client) => client.person!.findUnique({ where }),
  'all columns of findMany': (client) => client.person!.findMany(),
  'a selected field': (client) => client.person!.findMany({ select: { id: true, pin: true } }),
  'all columns but another': (client) => client.person!.findFirst({ omit: { notes: true, born: true } }),
  'an included row': (client) => client.visit!.findMany({ select: { person: true } }),
  'a list of a selected row': (client) => client.person!.findMany({ select: { visits: true } }),
  'two levels down': (client) =>
    client.visit!.findMany({
      select: { person: { select: { reports: { select: { boss: { select: { pin: true } } } } } } },
    }),
  'a fluent call': (client) => client.person!.findUnique({ where }).visits!(),
  'a long fluent call': (client) => (client.visit!.findUnique({ where }) as never as FluentPerson).person().reports(),
  'the result of create': (client) => client.person!.create({ data: fresh }),
  'the result of createManyAndReturn': (client) => client.person!.createManyAndReturn({ data: [fresh] }),
  'the result of update': (client) => client.person!.update({ where, data }),
  'the result of updateManyAndReturn': (client) => client.person!.updateManyAndReturn({ where, data }),
  'the result of upsert': (client) => client.person!.upsert({ where, create: fresh, update: data }),
  'the result of delete': (client) => client.person!.delete({ where }),
  'rows of raw SQL': async (client) => {
    const rows = await client.$queryRawUnsafe('SELECT * FROM "Person"')
    return client.$encryption.decryptRows('Person', rows)
  },
  'a batch': (client) => client.$transaction([client.person!.count(), client.person!.findMany()]),
  'an interactive transaction': (client) => client.$transaction((tx) => tx.person!.findMany()),
}
interface FluentPerson {
  person(): { reports(): Promise<unknown> }
}

describe('a field that is neither allowed nor masked', () => {
  it.each(Object.entries(READS))('is refused, with the remedies, and nothing is changed: %s', async (_, read) => {
    const error = await refusal(() => read(limited(['Person.email'])))
    expect(error.code).toBe('ACCESS_DENIED')
    expect(error.message).toMatch(/^(Person\.pin|Visit\.reason) may not be read by this client; /)
    expect(error.message).toContain('"select" or "omit"')
    expectNothingShown(error.message)
    const sent = fixture.takeSql().filter((sql) => !/^(SELECT \* FROM "Person"$|BEGIN|ROLLBACK|SELECT 1)/.test(sql))
    expect(sent).toEqual([])
    expect(await all.person!.findMany({ where: { label: 'changed' } })).toEqual([])
    expect(await all.person!.count()).toBe(2)
  })

  it('hinders no operation that leaves it out', async () => {
    const client = limited()
    expect(await client.person!.findMany({ select: { id: true, rank: true } })).toHaveLength(2)
    expect(await client.person!.create({ data: { ...fresh, pin: '1' }, select: { id: true } })).toEqual({ id: 9 })
    expect(await client.person!.updateMany({ where: { id: 9 }, data: { pin: '2', born: null } })).toEqual({ count: 1 })
    expect(await client.visit!.findMany({ omit: { reason: true } })).toMatchObject([{ personId: 1 }])
    expect(await client.person!.findUnique({ where }).visits!({ select: { id: true } })).toEqual([{ id: 1 }])
    expect(await client.person!.aggregate({ _count: { pin: true }, _max: { rank: true } })).toMatchObject({
      _count: { pin: 2 },
    })
    expect(await all.person!.findUnique({ where: { id: 9 } })).toMatchObject({ name: 'Eve', pin: '2' })
  })

  it('is read once it is allowed, here and in related rows', async () => {
    const client = limited(['Person.pin', 'Visit.reason'])
    const row = await client.person!.findFirst({
      where,
      select: { pin: true, visits: true, boss: { select: { pin: true } } },
    })
    expect(row).toMatchObject({ pin: plaintexts.pin, visits: [{ reason: 'cough' }] })
  })

  it('is refused where a computed field brings it into the row unasked', async () => {
    const extension = {
      result: { person: { hint: { needs: { pin: true }, compute: ({ pin }: Row) => String(pin).at(-1) } } },
    }
    const client = fixture.prisma.$extends(extension).$forTenant('acme', { allow: [] })
    expect(await refusalCode(() => client.person!.findFirst({ where, select: { hint: true } }))).toBe('ACCESS_DENIED')
    expect(await refusalCode(() => client.person!.findFirst({ where, ...WHOLE }))).toBe('ACCESS_DENIED')
    expect(await client.person!.findFirst({ where, select: { id: true } })).toEqual({ id: 1 })
  })
})

describe('a field that an extension reads unasked', () => {
  it.each<[string, object, object]>([
    ['of the row itself', { select: { id: true, pin: true } }, { select: { id: true } }],
    ['of a related row', { include: { visits: true }, omit: unmasked }, WHOLE],
  ])('is refused: %s', async (_, instead, asked) => {
    const greedy = {
      query: {
        person: { findFirst: ({ query }: { query: (args: object) => unknown }) => query({ where, ...instead }) },
      },
    }
    const client = fixture.prisma.$extends(greedy)
    expect(await client.$forTenant('acme').person!.findFirst(asked)).toBeTruthy()
    const denied = () => client.$forTenant('acme', { allow: [] }).person!.findFirst(asked)
    expect(await refusalCode(denied)).toBe('ACCESS_DENIED')
  })
})

describe('a field with a mask', () => {
  it('is shown masked, of whatever kind its column is, and everything else as ever', async () => {
    const row = await limited().person!.findUnique({ where, ...WHOLE })
    expect(row).toMatchObject({ id: 1, orgId: 'acme', rank: 0, ...masks, old: '•••', older: '•••text' })
    expectNothingShown(row)
  })

  it('is null where there is no value, and in plain text where it is allowed', async () => {
    const row = await limited(['Person.name', 'Person.old']).person!.findUnique({ where: { id: 2 }, ...WHOLE })
    expect(row).toMatchObject({ name: 'Bob', email: 'b•••@e•••.com', phone: null, secret: null, old: null })
    const ada = await limited(['Person.old']).person!.findUnique({ where, select: { old: true, older: true } })
    expect(ada).toEqual({ old: stored.old, older: '•••text' })
  })

  it.each<[string, (client: FixtureClient) => Promise<unknown>]>([
    ['findMany', (client) => client.person!.findMany({ where, ...WHOLE })],
    ['an included row', (client) => client.visit!.findMany({ select: { person: WHOLE } })],
    [
      'a row two levels down',
      (client) =>
        client.person!.findMany({ select: { boss: { include: { visits: { select: { id: true } } }, ...WHOLE } } }),
    ],
    [
      'a fluent call',
      (client) =>
        (client.visit!.findUnique({ where: { id: 1 } }) as never as { person(args: object): Promise<unknown> }).person(
          WHOLE,
        ),
    ],
    ['the result of update', (client) => client.person!.update({ where, data, ...WHOLE })],
    ['the result of upsert', (client) => client.person!.upsert({ where, create: fresh, update: data, ...WHOLE })],
    [
      'the result of delete',
      async (client) => {
        await fixture.plain.visit!.deleteMany()
        await fixture.plain.person!.updateMany({ data: { bossId: null } })
        return client.person!.delete({ where, ...WHOLE })
      },
    ],
    ['the result of updateManyAndReturn', (client) => client.person!.updateManyAndReturn({ where, data, ...WHOLE })],
    ['a batch', (client) => client.$transaction([client.person!.findMany({ where, ...WHOLE })])],
    ['an interactive transaction', (client) => client.$transaction((tx) => tx.person!.findMany({ where, ...WHOLE }))],
    [
      'rows of raw SQL',
      async (client) => {
        const rows = await client.$queryRawUnsafe(
          'SELECT id, "orgId", name, email, "emailIndex", phone, card, old, older, secret FROM "Person" WHERE id = 1',
        )
        return client.$encryption.decryptRows('Person', rows)
      },
    ],
  ])('is masked in %s', async (_, read) => {
    const answer = await read(limited())
    expectNothingShown(answer)
    const row = [answer].flat(2).map((one) => (one as Row | undefined)?.boss ?? (one as Row | undefined)?.person ?? one)
    expect(row.filter(Boolean)[0]).toMatchObject({ ...masks, older: '•••text', emailIndex: null })
  })

  it('needs no key where the mask shows nothing, and a key where it shows something', async () => {
    const cold = fixture.another({ defaultTenant: undefined as never }).$forTenant('acme', { allow: [] })
    fixture.emulator.calls.reset()
    expect(await cold.person!.findUnique({ where, select: { secret: true, old: true } })).toEqual({
      secret: '•••',
      old: '•••',
    })
    expect(fixture.emulator.calls.count()).toBe(0)
    expect(cold.$encryption.stats().cachedDeks).toBe(0)
    const noTenant = fixture.prisma.$acrossTenants({ allow: [] })
    expect(await noTenant.person!.findMany({ where, select: { secret: true } })).toEqual([{ secret: '•••' }])
    expect(await cold.person!.findUnique({ where, select: { phone: true } })).toEqual({ phone: masks.phone })
    expect(cold.$encryption.stats().cachedDeks).toBe(1)
  })

  it('is what computed fields are made from', async () => {
    const extension = {
      result: { person: { short: { needs: { name: true }, compute: ({ name }: Row) => `<${name}>` } } },
    }
    const client = fixture.prisma.$extends(extension).$forTenant('acme', { allow: [] })
    expect(await client.person!.findUnique({ where, select: { short: true } })).toMatchObject({ short: '<A••• L•••>' })
  })

  it('is masked also for a tenant whose rows only a mask would be read of: another tenant’s are an error', async () => {
    const globex = fixture.prisma.$forTenant('globex', { allow: [] })
    expect(await refusalCode(() => globex.person!.findUnique({ where, select: { email: true } }))).toBe(
      'TENANT_MISMATCH',
    )
  })
})

describe('a mask', () => {
  const lost = { code: 'VALUE_INVALID', message: expect.stringContaining('looks like a mask') }

  it.each<[string, (client: FixtureClient) => Promise<unknown>]>([
    ['create', (client) => client.person!.create({ data: { ...fresh, name: masks.name }, select: { id: true } })],
    ['createMany', (client) => client.person!.createMany({ data: [{ ...fresh, card: masks.card }] })],
    ['update', (client) => client.person!.update({ where, data: { email: masks.email }, select: { id: true } })],
    [
      'update with set',
      (client) => client.person!.update({ where, data: { email: { set: masks.email } }, select: { id: true } }),
    ],
    ['updateMany', (client) => client.person!.updateMany({ data: { secret: '•••' } })],
    [
      'upsert',
      (client) => client.person!.upsert({ where, create: fresh, update: { phone: masks.phone }, select: { id: true } }),
    ],
    [
      'a nested update',
      (client) =>
        client.visit!.update({ where, data: { person: { update: { name: masks.name } } }, select: { id: true } }),
    ],
    ['encrypt', (client) => client.$encryption.encrypt('Person.name', masks.name)],
  ])('is not written in the place of the value, by no client: %s', async (_, write) => {
    for (const client of [all, limited()]) expect(await refusal(() => write(client))).toMatchObject(lost)
    expect(fixture.takeSql()).toEqual([])
    expect(await all.person!.findUnique({ where })).toMatchObject(plaintexts)
  })

  it('may be text in a field that has none', async () => {
    await limited().person!.update({ where, data: { pin: '•••', born: null }, select: { id: true } })
    expect(await all.person!.findUnique({ where, select: { pin: true } })).toEqual({ pin: '•••' })
  })
})

describe('a search by a field that may not be read', () => {
  const email = plaintexts.email
  const SEARCHES: { readonly [search: string]: (client: FixtureClient) => Promise<unknown> } = {
    equals: (client) => client.person!.findMany({ where: { email }, select: { id: true } }),
    'an empty in': (client) => client.person!.findMany({ where: { email: { in: [] } }, select: { id: true } }),
    not: (client) => client.person!.count({ where: { NOT: { OR: [{ email: { not: email } }] } } }),
    'through a relation': (client) => client.visit!.count({ where: { person: { is: { email } } } }),
    'some of a list': (client) => client.person!.count({ where: { reports: { some: { email } } } }),
    'a counted relation': (client) =>
      client.person!.findMany({ select: { _count: { select: { reports: { where: { email } } } } } }),
    'a filter of an include': (client) =>
      client.person!.findMany({ select: { reports: { where: { email }, select: { id: true } } } }),
    findUnique: (client) => client.person!.findUnique({ where: { email }, select: { id: true } }),
    'a compound unique': (client) =>
      client.person!.findUnique({ where: { orgId_pin: { orgId: 'acme', pin: '271828' } }, select: { id: true } }),
    'a combination': (client) => client.person!.count({ where: { pin: '271828', born: plaintexts.born } }),
    cursor: (client) => client.person!.findMany({ cursor: { email }, orderBy: { id: 'asc' }, select: { id: true } }),
    distinct: (client) => client.person!.findMany({ distinct: ['email'], select: { id: true } }),
    updateMany: (client) => client.person!.updateMany({ where: { email }, data }),
    deleteMany: (client) => client.person!.deleteMany({ where: { email, rank: 1 } }),
    connect: (client) =>
      client.person!.update({ where: { id: 2 }, data: { boss: { connect: { email } } }, select: { id: true } }),
    connectOrCreate: (client) =>
      client.person!.update({
        where: { id: 2 },
        data: { boss: { connectOrCreate: { where: { email }, create: fresh } } },
        select: { id: true },
      }),
    upsert: (client) => client.person!.upsert({ where: { email }, create: fresh, update: data, select: { id: true } }),
    'a nested updateMany': (client) =>
      client.person!.update({
        where,
        data: { reports: { updateMany: { where: { email }, data } } },
        select: { id: true },
      }),
    '$encryption.blindIndex': (client) => client.$encryption.blindIndex('Person.emailIndex', email),
    'the index column': (client) => client.person!.findMany({ where: { emailIndex: 'x' }, select: { id: true } }),
    'the index column in findUnique': (client) =>
      client.person!.findUnique({ where: { emailIndex: 'x' }, select: { id: true } }),
    'the index column in a compound unique': (client) =>
      client.person!.findUnique({ where: { orgId_pinIndex: { orgId: 'acme', pinIndex: 'x' } }, select: { id: true } }),
    'a plain column compared with the index': (client) =>
      client.person!.count({ where: { label: { equals: client.person!.fields.emailIndex } } }),
    'the order of the index': (client) =>
      client.person!.findMany({ orderBy: { emailIndex: 'asc' }, select: { id: true } }),
    'the order of a related index': (client) =>
      client.visit!.findMany({ orderBy: { person: { emailIndex: 'asc' } }, select: { id: true } }),
    'distinct by the index': (client) => client.person!.findMany({ distinct: ['emailIndex'], select: { id: true } }),
    'groups by the index': (client) => client.person!.groupBy({ by: ['emailIndex'], _count: true }),
    'having by the index': (client) =>
      client.person!.groupBy({ by: ['rank'], having: { emailIndex: { _min: { gt: 'x' } } } }),
    'the least index': (client) => client.person!.aggregate({ _min: { emailIndex: true } }),
  }

  it.each(Object.entries(SEARCHES))('is refused before any SQL: %s', async (_, search) => {
    const error = await refusal(() => search(limited(['Person.name', 'Visit.reason'])))
    expect(error).toMatchObject({
      code: 'ACCESS_DENIED',
      message: expect.stringMatching(/Person\.(email|pin) may not be read/),
    })
    expect(error.message).not.toContain('ada')
    expect(fixture.takeSql()).toEqual([])
  })

  it.each(Object.entries(SEARCHES))('works for who may read it: %s', async (_, search) => {
    await search(limited(['Person.name', 'Visit.reason', 'Person.email', 'Person.pin', 'Person.born']))
  })

  it('may ask for null, as ever', async () => {
    const client = limited()
    expect(await client.person!.count({ where: { phone: null } })).toBe(1)
    expect(await client.person!.count({ where: { email: { not: null }, emailIndex: { not: null } } })).toBe(2)
  })

  it('finds no blind index in rows to compare by', async () => {
    const row = await limited(['Person.pin']).person!.findUnique({
      where,
      select: { emailIndex: true, pinIndex: true, bornIndex: true },
    })
    expect(row).toEqual({ emailIndex: null, pinIndex: expect.any(String), bornIndex: null })
    const made = await limited()
      .person!.create({ data: { ...fresh, pin: '271828' }, select: { pinIndex: true } })
      .catch((error) => error.code)
    expect(made).toBe('P2002')
  })
})

describe('a limited client', () => {
  const pin = { where, select: { pin: true } }
  const code = (client: FixtureClient) => refusalCode(() => client.person!.findUnique(pin))

  it('makes none that may read more', async () => {
    const client = limited(['Person.name'])
    const wider = ['Person.name', 'Person.pin']
    expect(await code(client.$forTenant('acme'))).toBe('ACCESS_DENIED')
    expect(await code(client.$forTenant('acme', { allow: wider }))).toBe('ACCESS_DENIED')
    expect(await code(client.$acrossTenants({ allow: wider }))).toBe('ACCESS_DENIED')
    expect(await code(client.$extends({ name: 'later' }).$forTenant('acme'))).toBe('ACCESS_DENIED')
    expect(await code(client.$forTenant('globex').$forTenant('acme', { purpose: 'other' }))).toBe('ACCESS_DENIED')
    const named = await client
      .$forTenant('acme', { allow: wider })
      .person!.findUnique({ where, select: { name: true } })
    expect(named).toEqual({ name: plaintexts.name })
    const less = client.$forTenant('acme', { allow: ['Person.email'] })
    expect(await less.person!.findUnique({ where, select: { name: true, email: true } })).toEqual({
      name: masks.name,
      email: masks.email,
    })
  })

  it('keeps its limits in transactions, wherever their client is taken', async () => {
    const outside = new AsyncResource('outside')
    const inside = (tx: FixtureClient) =>
      new Promise((resolve, reject) => {
        outside.runInAsyncScope(() => {
          tx.person!.findUnique({ where, select: { name: true } }).then(resolve, reject)
        })
      })
    expect(await limited().$transaction(inside)).toEqual({ name: masks.name })
    expect(await refusalCode(() => limited().$transaction((tx) => tx.person!.findUnique(pin)))).toBe('ACCESS_DENIED')
    const wider = limited().$transaction((tx) =>
      tx.$forTenant('acme', { allow: ['Person.pin'] }).person!.findUnique(pin),
    )
    expect(await refusalCode(() => wider)).toBe('ACCESS_DENIED')
    const nested = all.$transaction((tx) => tx.$forTenant('acme', { allow: [] }).person!.findUnique(pin))
    expect(await refusalCode(() => nested)).toBe('ACCESS_DENIED')
  })

  it('leaves the client that it was made of, and queries of it in one batch, as they are', async () => {
    const batch = [
      limited().person!.findUnique({ where, select: { name: true } }),
      all.person!.findUnique({ where, select: { name: true } }),
    ]
    expect(await all.$transaction(batch)).toEqual([{ name: masks.name }, { name: plaintexts.name }])
    expect(await all.person!.findUnique(pin)).toEqual({ pin: plaintexts.pin })
  })

  it('keeps its limits in lazy queries that are awaited elsewhere', async () => {
    const query = limited().person!.findUnique({ where, select: { name: true } })
    expect(await withTenant('acme', async () => query)).toEqual({ name: masks.name })
    const fluent = limited().person!.findUnique({ where }).reports!({ select: { name: true } })
    expect(await fluent).toEqual([{ name: 'B•••' }])
  })

  it('of all tenants is limited too', async () => {
    const across = fixture.prisma.$acrossTenants({ allow: ['Person.name'] })
    expect(await across.person!.findMany({ where, select: { name: true, email: true } })).toEqual([
      { name: plaintexts.name, email: masks.email },
    ])
    expect(await code(across)).toBe('ACCESS_DENIED')
  })

  it('runs no maintenance, and has the figures', async () => {
    const database = openPool(fixture.url, { max: 2 })
    for (const operation of ['decrypt', 'verify'] as const) {
      expect(await refusalCode(() => limited().$encryption.maintain({ operation, database }))).toBe('ACCESS_DENIED')
    }
    expect(
      await all
        .$forTenant('acme', { purpose: 'audit' })
        .$encryption.maintain({ operation: 'verify', models: ['Visit'], database }),
    ).toMatchObject([{ skipped: 0 }])
    await database.end()
    expect(limited().$encryption.stats().cachedDeks).toBeGreaterThan(0)
  })

  it('gets masks also out of an extension that kept the rows of a client without limits, which hold ciphertext', async () => {
    const kept = new Map<string, unknown>()
    const keeping = {
      name: 'keeping',
      query: {
        person: {
          async findFirst({ args, query }: { args: Row; query: (args: Row) => Promise<unknown> }) {
            const key = JSON.stringify(args)
            if (!kept.has(key)) kept.set(key, await query(args))
            return kept.get(key)
          },
        },
      },
    }
    const client = fixture.prisma.$extends(keeping)
    const read = { where, select: { name: true } }
    expect(await client.$forTenant('acme').person!.findFirst(read)).toEqual({ name: plaintexts.name })
    expect(await client.$forTenant('acme').person!.findFirst(read)).toEqual({ name: plaintexts.name })
    expect(await client.$forTenant('acme', { allow: [] }).person!.findFirst(read)).toEqual({ name: masks.name })
    expect(JSON.stringify([...kept.values()])).toMatch(/^\[\{"name":"fs1\./)
  })

  it('still batches findUnique', async () => {
    const client = limited()
    await client.person!.findMany(WHOLE)
    fixture.takeSql()
    const rows = await Promise.all([1, 2].map((id) => client.person!.findUnique({ where: { id }, ...WHOLE })))
    expect(rows.map((row) => row?.name)).toEqual([masks.name, 'B•••'])
    expect(fixture.takeSql()).toHaveLength(1)
  })
})

describe('withTenant with limits', () => {
  const read = (client = fixture.prisma) => client.person!.findUnique({ where, select: { name: true, email: true } })
  const access = { purpose: 'support', allow: ['Person.name'] }

  it('limits whatever runs in it, also clients bound in it or outside', async () => {
    const shown = { name: plaintexts.name, email: masks.email }
    expect(await withTenant('acme', access, async () => read())).toEqual(shown)
    expect(await withTenant('acme', access, () => read())).toEqual(shown)
    expect(await withTenant('acme', access, async () => read(all))).toEqual(shown)
    const bound = () => read(fixture.prisma.$forTenant('acme', { allow: ['Person.email'] }))
    expect(await withTenant('acme', access, async () => bound())).toEqual({ name: masks.name, email: masks.email })
    expect(await read(all)).toEqual({ name: plaintexts.name, email: plaintexts.email })
  })

  it('only narrows inside another, and is gone after it', async () => {
    await withTenant('acme', access, async () => {
      expect(await withTenant('acme', async () => read())).toEqual({ name: plaintexts.name, email: masks.email })
      const other = { allow: ['Person.email'] }
      expect(await withTenant('acme', other, async () => read())).toEqual({ name: masks.name, email: masks.email })
      expect(await read()).toEqual({ name: plaintexts.name, email: masks.email })
    })
    expect(await withTenant('acme', async () => read())).toEqual({ name: plaintexts.name, email: plaintexts.email })
  })

  it('holds for $acrossTenants and in transactions', async () => {
    const across = withTenant('acme', access, async () => read(fixture.prisma.$acrossTenants()))
    expect(await across).toMatchObject({ email: masks.email })
    const inside = withTenant('acme', access, async () => fixture.prisma.$transaction((tx) => read(tx)))
    expect(await inside).toMatchObject({ email: masks.email })
  })
})

describe('the purpose', () => {
  function watched() {
    const entries: AuditEntry[] = []
    const events: EncryptionEvent[] = []
    const audit = { record: (entry: AuditEntry) => entries.push(entry) }
    const client = fixture.another({ defaultTenant: undefined as never, audit, onEvent: (event) => events.push(event) })
    return { client, events, took: () => entries.splice(0).map(({ at, actor, ...rest }) => rest) }
  }

  it('is in audit entries and events, which tell masked values from others', async () => {
    const { client, took, events } = watched()
    const support = client.$forTenant('acme', { purpose: 'support', allow: ['Person.name'] })
    await support.person!.findMany({ where, select: { name: true, email: true, secret: true } })
    const common = { tenant: 'acme', purpose: 'support', operation: 'findMany', rows: 1 }
    expect(took()).toEqual([
      { ...common, field: 'Person.name', mode: 'decrypt' },
      { ...common, field: 'Person.email', mode: 'mask' },
    ])
    expect(await refusalCode(() => support.person!.findMany())).toBe('ACCESS_DENIED')
    const told = events.filter(({ type }) => type === 'values' || type === 'refused')
    expect(told).toEqual([
      { type: 'values', field: 'Person.name', mode: 'decrypt', count: 1, purpose: 'support' },
      { type: 'values', field: 'Person.email', mode: 'mask', count: 1, purpose: 'support' },
      { type: 'refused', model: 'Person', operation: 'findMany', code: 'ACCESS_DENIED', purpose: 'support' },
    ])
  })

  it('is that of the client, else of the innermost withTenant that has one', async () => {
    const { client, took } = watched()
    const purposes = async (work: () => Promise<unknown>) => {
      await work()
      return took().map(({ purpose }) => purpose)
    }
    const read = (reader = client) => reader.person!.findMany({ where, select: { name: true } })
    const bound = client.$forTenant('acme', { purpose: 'bound' })
    expect(await purposes(() => read(client.$forTenant('acme')))).toEqual([undefined])
    expect(await purposes(() => read(bound))).toEqual(['bound'])
    expect(await purposes(() => read(bound.$forTenant('acme')))).toEqual(['bound'])
    expect(await purposes(() => read(bound.$forTenant('acme', { purpose: 'report' })))).toEqual(['report'])
    const around = (work: () => Promise<unknown>) => withTenant('acme', { purpose: 'around' }, work)
    expect(await purposes(() => around(async () => read()))).toEqual(['around'])
    expect(await purposes(() => around(async () => read(bound)))).toEqual(['bound'])
    expect(await purposes(() => around(() => withTenant('acme', async () => read())))).toEqual(['around'])
    expect(await purposes(() => around(() => withTenant('acme', { purpose: 'inner' }, async () => read())))).toEqual([
      'inner',
    ])
    expect(await purposes(() => read(client.$acrossTenants({ purpose: 'all' })))).toEqual(['all'])
    const rows = await all.$queryRawUnsafe('SELECT * FROM "Visit"')
    expect(await purposes(() => bound.$encryption.decryptRows('Visit', rows))).toEqual(['bound'])
  })
})
