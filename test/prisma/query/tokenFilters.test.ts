import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { FixtureClient } from '../fixtureClient.js'
import { openTokenTwins, type Twins } from '../tokenTwins.js'

let twins: Twins
beforeAll(async () => {
  twins = await openTokenTwins()
  await twins.reset()
}, 120_000)
afterAll(() => twins?.close())

type Where = { readonly [key: string]: unknown }

const day = (text: string) => new Date(`1990-${text}T00:00:00Z`)

/** Filters of a Person that its token indexes answer exactly, wherever they stand. */
const filters: { readonly [name: string]: Where } = {
  gt: { age: { gt: 40 } },
  gte: { age: { gte: 40 } },
  lt: { age: { lt: 40 } },
  lte: { age: { lte: 40 } },
  between: { age: { gte: 18, lt: 65 } },
  'the least value': { age: { lte: 0 } },
  'the greatest value': { age: { gte: 120 } },
  'below the least value': { age: { lt: 0 } },
  'above the greatest value': { age: { gt: 120 } },
  'bounds far outside': { age: { gt: -1_000, lt: 1_000_000 } },
  'an interval with nothing in it': { age: { gt: 50, lt: 51 } },
  'bounds the wrong way round': { age: { gt: 50, lt: 20 } },
  'undefined operands': { age: { gt: undefined, lt: 50 } },
  'not gt': { age: { not: { gt: 40 } } },
  'not of an interval, which negates each bound': { age: { not: { gt: 18, lt: 65 } } },
  'not not': { age: { not: { not: { gt: 40 } } } },
  'an interval and a value': { age: { gt: 18, in: [18, 40, 120] } },
  'an interval and not null': { age: { lt: 50, not: null } },
  'not of a value and of a bound': { age: { not: { equals: 40, lt: 18 } } },
  NOT: { NOT: { age: { gt: 40 } } },
  'NOT NOT': { NOT: { NOT: { age: { gt: 40 } } } },
  'NOT of not': { NOT: { age: { not: { gt: 40 } } } },
  'NOT of two': { NOT: { age: { gt: 40 }, rank: { gt: 2 } } },
  'NOT of a list': { NOT: [{ age: { gt: 40 } }, { name: { startsWith: 'Ad' } }] },
  'NOT of nothing': { NOT: { age: { gt: 200 } } },
  'NOT of everything': { NOT: { age: { gte: 0 } } },
  OR: { OR: [{ age: { lt: 18 } }, { age: { gt: 65 } }, { age: null }] },
  'a decimal on the step': { pay: { gte: '0.25', lt: 10.5 } },
  'a decimal beyond the places of the index': { pay: { lt: '-49.7501', gte: '-50' } },
  'a time on the step': { born: { gte: day('03-01'), lt: day('04-01') } },
  'the first day of a time index': { born: { gte: day('01-01'), lt: '1990-01-02T00:00:00.000Z' } },
  startsWith: { name: { startsWith: 'Ad' } },
  'startsWith, as long as the longest': { name: { startsWith: 'Ada ' } },
  endsWith: { name: { endsWith: 'ce' } },
  'startsWith and endsWith': { name: { startsWith: 'Ad', endsWith: 'ce' } },
  'startsWith of a required field': { title: { startsWith: 'D' } },
  'letters of two code units': { name: { startsWith: '👩🏽' } },
  'a letter without the mark that follows it': { name: { startsWith: 'Zoe' } },
  'characters that LIKE would take for a pattern': { name: { startsWith: '1%_' } },
  'not startsWith': { name: { not: { startsWith: 'Ad' } } },
  'not startsWith of a required field': { title: { not: { startsWith: 'D' } } },
  'not startsWith and not endsWith': { name: { not: { startsWith: 'Ad', endsWith: 'ce' } } },
  'not not startsWith': { name: { not: { not: { startsWith: 'Ad' } } } },
  'NOT startsWith': { NOT: { name: { startsWith: 'Ad' } } },
  'NOT NOT startsWith': { NOT: { NOT: { name: { startsWith: 'Ad' } } } },
  'NOT of not startsWith': { NOT: { name: { not: { startsWith: 'Ad' } } } },
  'startsWith and a value': { name: { startsWith: 'Ad', in: ['Ada Lovelace', 'Bob'] } },
  'some rows in plaintext': { draft: { startsWith: 'ab' } },
  'some rows in plaintext, not': { draft: { not: { startsWith: 'ab' } } },
  'some rows in plaintext, NOT': { NOT: { draft: { startsWith: 'ab' } } },
  'some rows in plaintext that is like a ciphertext': { draft: { startsWith: 'fs1' } },
  'to one: is': { boss: { is: { age: { gt: 30 } } } },
  'to one: isNot': { boss: { isNot: { age: { gt: 30 } } } },
  'to one: short': { boss: { age: { lt: 30 } } },
  'to one: NOT': { NOT: { boss: { age: { lt: 30 } } } },
  'to one: NOT of isNot': { NOT: { boss: { isNot: { name: { startsWith: 'Ad' } } } } },
  'to many: some': { reports: { some: { age: { gt: 30 } } } },
  'to many: every': { reports: { every: { age: { gt: 30 } } } },
  'to many: none': { reports: { none: { age: { gt: 30 } } } },
  'to many: none of NOT': { reports: { none: { NOT: { age: { gt: 30 } } } } },
  'to many: NOT of some': { NOT: { reports: { some: { NOT: { name: { startsWith: 'Ad' } } } } } },
  'to many: NOT of every': { NOT: { reports: { every: { name: { startsWith: 'Ad' } } } } },
  'to many: every of not': { reports: { every: { name: { not: { startsWith: 'Ad' } } } } },
  'through two models': { team: { persons: { some: { age: { lt: 18 } } }, budget: { gte: 0n } } },
  'a negative bound': { team: { budget: { lte: -500 } } },
}
const named = Object.entries(filters)

/** Filters of which the index finds others too: they are taken out after decryption. */
const filtered: { readonly [name: string]: Where } = {
  'a decimal between steps': { pay: { gt: '0.3' } },
  'a decimal between steps, not': { pay: { not: { gt: '0.3' } } },
  'a decimal beyond the places of the index': { pay: { lt: '-49.9999' } },
  'a time within a day': { born: { gte: new Date('1990-03-01T08:30:00Z') } },
  'startsWith of more than the longest': { name: { startsWith: 'Ada Lovel' } },
  'startsWith of a whole text': { name: { startsWith: 'Ada Lovelace' } },
  'endsWith of more than the longest': { name: { endsWith: 'lace' } },
  contains: { name: { contains: 'vel' } },
  'contains with all parts in other places': { name: { contains: 'abcab' } },
  'beside exact ones': { pay: { lt: '1.11' }, age: { gt: 18 }, name: { contains: 'a L' } },
  'under AND': { AND: [{ name: { contains: 'ovel' } }, { AND: { pay: { gte: '-1.11' } } }] },
  'some rows in plaintext, of more places than the index': { cost: { gt: '0.3' } },
  'some rows in plaintext, a bound of more places than the index': { cost: { gte: '0.304' } },
  'some rows in plaintext, not of more places than the index': { cost: { not: { gt: '0.3' } } },
  'some rows in plaintext, a bound': { rate: { gte: 20 } },
  'some rows in plaintext, not a bound': { rate: { not: { gte: 20 } } },
  'some rows in plaintext, an interval': { rate: { gt: 9, lt: 100 }, age: { gt: 0 } },
  'some rows in plaintext, longer': { draft: { startsWith: 'abcd' } },
}

async function expectSame(work: (client: FixtureClient) => Promise<unknown>): Promise<unknown> {
  const { encrypted, plain } = await twins.both(work)
  expect(encrypted).toEqual(plain)
  return plain
}

describe('a comparison or a part of a text that token indexes answer', () => {
  it.each(named)('finds the rows that the plain client finds: %s', async (_, where) => {
    const found = await expectSame((client) => client.person!.findMany({ where, orderBy: { id: 'asc' } }))
    expect(found).toBeInstanceOf(Array)
  })

  it.each(named)('counts and aggregates them: %s', async (_, where) => {
    await expectSame((client) => client.person!.count({ where }))
    await expectSame((client) => client.person!.aggregate({ where, _sum: { rank: true }, _count: { age: true } }))
  })

  it.each(named)('finds a page of them: %s', async (_, where) => {
    const page = { where, orderBy: { id: 'asc' }, skip: 1, take: 3 }
    await expectSame((client) => client.person!.findMany(page))
    await expectSame((client) => client.person!.findFirst({ where, orderBy: { id: 'desc' } }))
  })
})

describe('a condition of which a token index finds others too', () => {
  it.each(Object.entries(filtered))('finds in findMany what the plain client finds: %s', async (_, where) => {
    const found = await expectSame((client) => client.person!.findMany({ where, orderBy: { id: 'asc' } }))
    expect(found).toBeInstanceOf(Array)
    await expectSame((client) => client.person!.findMany({ where, orderBy: { id: 'asc' }, select: { id: true } }))
  })

  it.each(Object.entries(filtered))('is refused where rows cannot be taken out: %s', async (_, where) => {
    const { person } = twins.encrypted.prisma
    twins.encrypted.takeSql()
    const refused = { code: 'QUERY_UNSUPPORTED' }
    await expect(person!.count({ where })).rejects.toMatchObject(refused)
    await expect(person!.findMany({ where, take: 2 })).rejects.toMatchObject(refused)
    await expect(person!.findFirst({ where })).rejects.toMatchObject(refused)
    await expect(person!.deleteMany({ where })).rejects.toMatchObject(refused)
    await expect(person!.findMany({ where: { OR: [where, { id: 1 }] } })).rejects.toMatchObject(refused)
    await expect(person!.findMany({ where: { NOT: where } })).rejects.toMatchObject(refused)
    await expect(person!.findMany({ where: { reports: { some: where } } })).rejects.toMatchObject(refused)
    expect(twins.encrypted.takeSql()).toEqual([])
  })
})
