import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Operation } from 'fieldseal/prisma'
import { openPool } from '../support/pool.js'
import { type Fixture, type FixtureClient, openFixture, type Row } from './fixtureClient.js'

let encrypted: Fixture
let plain: Fixture
beforeAll(async () => {
  ;[encrypted, plain] = await Promise.all([openFixture('inherited.prisma'), openFixture('inheritedPlain.prisma')])
})
afterAll(() => Promise.all([encrypted?.close(), plain?.close()]))

const INDEXES = new Set(['hasOwnProperty', 'propertyIsEnumerable'])

/** A result without what only one side has, or the code of the error. */
async function answer(work: () => Promise<unknown>): Promise<unknown> {
  try {
    return JSON.parse(JSON.stringify(await work()), function (this: object, key, value) {
      return INDEXES.has(key) ? undefined : value
    })
  } catch (error) {
    const { code, name } = error as { code?: string; name: string }
    return { error: code ?? name }
  }
}

/** A row with it must not be taken for a promise. */
const THEN = 'then'
const car = { id: 1, toLocaleString: 'acme', valueOf: 'v' }
const full = { ...car, constructor: 'McLaren', toString: 'red', [THEN]: 'soon' }

describe('fields with names that every object has', () => {
  const calls: [string, (client: FixtureClient) => Promise<unknown>][] = [
    ['are left out of a create', (c) => c.car!.create({ data: { ...car, id: 2, valueOf: 'w' } })],
    ['are written', (c) => c.car!.create({ data: { ...full, wheels: { create: { id: 1, toString: 'flat' } } } })],
    ['are read', (c) => c.car!.findMany({ orderBy: { id: 'asc' } })],
    [
      'are not read where others are selected',
      (c) => c.car!.findMany({ select: { id: true }, orderBy: { id: 'asc' } }),
    ],
    ['are selected', (c) => c.car!.findMany({ select: { constructor: true, toString: true }, orderBy: { id: 'asc' } })],
    ['are omitted', (c) => c.car!.findMany({ omit: { constructor: true, [THEN]: true }, orderBy: { id: 'asc' } })],
    ['are searched', (c) => c.car!.findFirst({ where: { constructor: 'McLaren' } })],
    ['are searched together', (c) => c.car!.findMany({ where: { toString: 'red', [THEN]: 'soon' } })],
    ['are not searched where others are', (c) => c.car!.findMany({ where: { plain: null }, orderBy: { id: 'asc' } })],
    ['are searched by null', (c) => c.car!.findMany({ where: { toString: null, [THEN]: null } })],
    ['name a row', (c) => c.car!.findUnique({ where: { constructor: 'McLaren' } })],
    ['do not name a row that others name', (c) => c.car!.findUnique({ where: { id: 2 } })],
    ['are updated', (c) => c.car!.update({ where: { constructor: 'McLaren' }, data: { constructor: 'Lotus' } })],
    ['are left alone by an update', (c) => c.car!.update({ where: { id: 1 }, data: { plain: 'p' } })],
    ['are unique', (c) => c.car!.update({ where: { id: 2 }, data: { constructor: 'Lotus' } })],
    [
      'are counted',
      (c) => c.car!.groupBy({ by: ['valueOf'], _count: { constructor: true }, orderBy: { valueOf: 'asc' } }),
    ],
    ['are included', (c) => c.wheel!.findMany({ include: { constructor: true } })],
    ['are not included unasked', (c) => c.wheel!.findMany()],
    [
      'are a relation to filter by',
      (c) => c.wheel!.findMany({ where: { constructor: { is: { constructor: 'Lotus' } } } }),
    ],
    [
      'are a relation to write through',
      (c) => c.wheel!.update({ where: { id: 1 }, data: { constructor: { update: { constructor: 'Lada' } } } }),
    ],
  ]

  it('answer as the plain client does', async () => {
    for (const [title, work] of calls) {
      const expected = await answer(() => work(plain.plain))
      expect({ title, answer: await answer(() => work(encrypted.prisma)) }).toEqual({ title, answer: expected })
    }
  })

  it('are encrypted where they are written, and nowhere made up', async () => {
    const rows = await encrypted.plain.car!.findMany({ orderBy: { id: 'asc' } })
    const [first, second] = rows as [Row, Row]
    for (const name of ['constructor', 'toString', 'then']) expect(first[name]).toMatch(/^fs1\./)
    expect(second).toMatchObject({ constructor: null, hasOwnProperty: null, toString: null, [THEN]: null })
  })

  it('are no nested writes', async () => {
    const write = encrypted.prisma.car!.create({ data: { ...car, id: 3, wheels: { toString: { id: 4 } } } })
    await expect(write).rejects.toMatchObject({ code: 'QUERY_UNSUPPORTED' })
  })

  it('are decrypted in rows of raw SQL that have them, and left out of those that have not', async () => {
    const { $encryption } = encrypted.prisma.$forTenant('acme')
    const stored = await encrypted.plain.car!.findMany({ select: { id: true, constructor: true }, where: { id: 1 } })
    expect(await $encryption.decryptRows('Car', stored)).toEqual([{ id: 1, constructor: 'Lada' }])
    expect(await $encryption.decryptRows('Car', [{ id: 1 }])).toEqual([{ id: 1 }])
    const limited = encrypted.prisma.$forTenant('acme', { allow: ['Car.then'] })
    expect(await limited.$encryption.decryptRows('Car', [{ id: 1 }])).toEqual([{ id: 1 }])
  })

  it('can be allowed, and hide no index that was not read', async () => {
    const limited = encrypted.prisma.$forTenant('acme', { allow: ['Car.constructor'] })
    const select = { constructor: true }
    expect(await limited.car!.findMany({ where: { id: 1 }, select })).toEqual([{ constructor: 'Lada' }])
    const closed = encrypted.prisma.$forTenant('acme', { allow: ['Car.then'] })
    const [row] = await closed.car!.findMany({ where: { id: 1 }, select: { id: true } })
    expect(Object.keys(row!)).toEqual(['id'])
  })

  it('are encrypted and decrypted where they are stored, each row by what it has', async () => {
    const pool = openPool(encrypted.url)
    await pool.query(`INSERT INTO "Wheel" VALUES (10, 1, 'flat'), (11, 1, NULL)`)
    const run = (operation: Operation, model: string) =>
      encrypted.another().$encryption.maintain({ operation, database: pool, models: [model] })
    expect(await run('encrypt', 'Wheel')).toMatchObject([{ changed: 1, skipped: 0 }])
    await encrypted.plain.car!.updateMany({ where: { id: 1 }, data: { hasOwnProperty: null } })
    await encrypted.plain.car!.updateMany({ where: { id: 1 }, data: { propertyIsEnumerable: 'wrong' } })
    await encrypted.prisma.car!.create({ data: { ...full, id: 5, constructor: 'Fiat' } })
    await encrypted.plain.car!.updateMany({ where: { id: 5 }, data: { propertyIsEnumerable: null } })
    expect(await run('reindex', 'Car')).toMatchObject([{ changed: 2, skipped: 0 }])
    expect(await run('verify', 'Car')).toMatchObject([{ skipped: 0 }])
    const found = await encrypted.prisma.car!.findMany({ where: { constructor: { in: ['Lada', 'Fiat'] } } })
    expect(found.map(({ id }) => id).sort()).toEqual([1, 5])
    await pool.end()
  })

  it('are no models, fields and relations of their own', async () => {
    const database = openPool(encrypted.url)
    for (const tenants of [{ constructor: 'x' }, { Wheel: 'toString.valueOf' }, { Wheel: 'constructor.hasOwn' }]) {
      const survey = encrypted.prisma.$encryption.survey({ database, tenants })
      await expect(survey).rejects.toMatchObject({ code: 'OPTIONS_INVALID' })
    }
    const encrypt = encrypted.prisma.$encryption.encrypt('constructor.constructor', 'x')
    await expect(encrypt).rejects.toMatchObject({ code: 'OPTIONS_INVALID' })
    await database.end()
  })
})

describe('arguments from JSON with a key __proto__', () => {
  const parsed = (text: string) => JSON.parse(text) as object

  it('give no value that the plain client would not take', async () => {
    const data = parsed('{"id": 7, "toLocaleString": "acme", "valueOf": "v", "__proto__": {"then": "secret"}}')
    await encrypted.prisma.car!.create({ data })
    await plain.plain.car!.create({ data })
    const [own, other] = [encrypted.plain, plain.plain].map((c) => c.car!.findUniqueOrThrow({ where: { id: 7 } }))
    expect((await own)!.then).toBe((await other)!.then)
  })

  it('say nothing of the tenant', async () => {
    const across = encrypted.prisma.$acrossTenants()
    const where = parsed('{"id": 1, "__proto__": {"toLocaleString": "globex"}}')
    const update = across.car!.update({ where, data: { constructor: 'x' } })
    await expect(update).rejects.toMatchObject({ code: 'TENANT_MISSING' })
  })
})

describe('tenants with names that every object has', () => {
  it.each(['__proto__', 'constructor', 'toString'])('are tenants like others: %s', async (tenant) => {
    const bound = encrypted.prisma.$forTenant(tenant)
    const data = { ...full, id: 100 + tenant.length, toLocaleString: tenant, constructor: tenant }
    await bound.car!.create({ data })
    const where = { constructor: tenant }
    expect(await bound.car!.findMany({ where })).toMatchObject([data])
    expect(await encrypted.another().$forTenant(tenant).car!.findMany({ where })).toMatchObject([data])
    expect(await encrypted.another().$encryption.rotate({ tenants: tenant })).toMatchObject({ changed: 1 })
    await expect(encrypted.prisma.car!.findMany({ where: { id: data.id } })).rejects.toMatchObject({
      code: 'TENANT_MISMATCH',
    })
  })
})
