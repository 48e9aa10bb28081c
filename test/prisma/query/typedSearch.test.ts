import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { FixtureClient } from '../fixtureClient.js'
import { openTwins, type Twins } from '../twins.js'

let twins: Twins
const born = (day: number) => new Date(`1815-12-${String(day).padStart(2, '0')}T00:00:00.000Z`)
const CONTACTS = [
  {
    id: 1,
    first: 'Ada',
    last: 'Byron',
    born: born(10),
    age: 36,
    amount: '1.50',
    vip: true,
    level: 'high',
    since: born(1),
  },
  {
    id: 2,
    first: 'Ada',
    last: 'King',
    born: born(10),
    age: 36,
    amount: '-0.5',
    vip: false,
    level: 'low',
    since: born(2),
  },
  { id: 3, first: null, last: 'Byron', born: born(11), age: 0, amount: '0', vip: null, level: null, since: null },
  {
    id: 4,
    first: 'Bob',
    last: null,
    born: born(10),
    age: null,
    amount: null,
    vip: false,
    level: 'low',
    since: born(1),
  },
]
beforeAll(async () => {
  twins = await openTwins()
  await twins.both((client) => client.contact!.createMany({ data: CONTACTS }))
})
afterAll(() => twins?.close())

async function expectSame(work: (client: FixtureClient) => Promise<unknown>): Promise<void> {
  const { encrypted, plain } = await twins.both(work)
  expect(encrypted).toEqual(plain)
  expect(plain).not.toHaveProperty('error')
}

describe('a filter by a value that is no text', () => {
  it.each([
    { age: 36 },
    { age: { in: [36, 0] } },
    { age: { not: 36 } },
    { age: { notIn: [0, 7] } },
    { NOT: { age: { equals: 0 } } },
    { amount: '1.5' },
    { amount: 1.5 },
    { amount: { in: ['1.500', -0.5] } },
    { amount: { not: 0 } },
    { vip: true },
    { vip: { not: true } },
    { vip: { equals: false } },
    { level: 'low' },
    { level: { in: ['high'] } },
    { level: { notIn: ['high'] } },
    { since: born(1) },
    { since: '1815-12-01T00:00:00Z' },
    { since: '1815-12-01T02:00:00.000+02:00' },
    { since: { in: [born(1), born(2)] } },
    { born: null },
    { first: { not: null }, age: 36 },
  ])('finds what the plain client finds: %j', async (where) => {
    await expectSame((client) => client.contact!.findMany({ where, orderBy: { id: 'asc' } }))
    await expectSame((client) => client.contact!.count({ where }))
  })

  it.each([{ age: '36' }, { age: 1.5 }, { amount: 'much' }, { vip: 1 }, { level: 'middle' }, { since: 'today' }])(
    'is refused before any SQL where the value is of another type: %j',
    async (where) => {
      twins.encrypted.takeSql()
      await expect(twins.encrypted.prisma.contact!.findMany({ where })).rejects.toMatchObject({ code: 'VALUE_INVALID' })
      expect(twins.encrypted.takeSql()).toEqual([])
    },
  )
})

describe('an index over several fields', () => {
  it.each([
    { last: 'Byron', born: born(10) },
    { last: { equals: 'King' }, born: '1815-12-10T00:00:00Z' },
    { last: 'Byron', born: born(10), age: 36 },
    { OR: [{ last: 'King', born: born(10) }, { id: 4 }] },
    { first: 'Ada', last: 'Byron' },
  ])('answers when each is asked for one value, beside each other: %j', async (where) => {
    await expectSame((client) => client.contact!.findMany({ where, orderBy: { id: 'asc' } }))
  })

  it('names a row where it is unique', async () => {
    const where = { first: 'Ada', last: 'King' }
    expect(await twins.encrypted.prisma.contact!.findUnique({ where })).toMatchObject({ id: 2 })
    const taken = twins.encrypted.prisma.contact!.create({ data: { id: 9, ...where } })
    await expect(taken).rejects.toMatchObject({ code: 'P2002' })
  })

  it.each([
    { last: 'Byron' },
    { born: born(10) },
    { last: { in: ['Byron'] }, born: born(10) },
    { last: { not: 'Byron' }, born: born(10) },
    { last: 'Byron', AND: { born: born(10) } },
    { last: 'Byron', born: null },
  ])('is refused before any SQL otherwise: %j', async (where) => {
    twins.encrypted.takeSql()
    const search = twins.encrypted.prisma.contact!.findMany({ where })
    await expect(search).rejects.toMatchObject({ code: 'QUERY_UNSUPPORTED', message: /search by .* together/ })
    expect(twins.encrypted.takeSql()).toEqual([])
  })

  it.each([{ NOT: { last: 'King', born: born(10) } }, { OR: [{ id: 1 }, { NOT: [{ first: 'Ada', last: 'King' }] }] }])(
    'is refused before any SQL in a NOT: NULL in one of them does not tell false from unknown: %j',
    async (where) => {
      twins.encrypted.takeSql()
      const search = twins.encrypted.prisma.contact!.findMany({ where })
      await expect(search).rejects.toMatchObject({ code: 'QUERY_UNSUPPORTED' })
      expect(twins.encrypted.takeSql()).toEqual([])
    },
  )
})
