import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { FixtureClient } from '../fixtureClient.js'
import { openTwins, type Twins } from '../twins.js'

let twins: Twins
beforeAll(async () => {
  twins = await openTwins()
})
afterAll(() => twins?.close())
beforeEach(() => twins.reset())

type Where = { readonly [key: string]: unknown }

const bytes = (...all: number[]) => new Uint8Array(all)

/** Filters of a Member that its blind indexes answer. */
const filters: { readonly [name: string]: Where } = {
  'a value': { name: 'Bob' },
  'a value that no row has': { name: 'bob' },
  'an empty text': { name: '', email: '' },
  equals: { email: { equals: 'ann@x' } },
  in: { email: { in: ['ann@x', 'cid@x', 'nobody'] } },
  'in of nothing': { email: { in: [] } },
  'in with a value twice': { email: { in: ['ann@x', 'ann@x'] } },
  notIn: { email: { notIn: ['ann@x', 'bob@x'] } },
  'notIn of nothing': { email: { notIn: [] } },
  'notIn on a required field': { name: { notIn: ['Bob'] } },
  not: { email: { not: 'ann@x' } },
  'not not': { email: { not: { not: 'ann@x' } } },
  'not equals': { email: { not: { equals: 'ann@x' } } },
  'not in': { email: { not: { in: ['ann@x', 'bob@x'] } } },
  'not notIn': { email: { not: { notIn: ['ann@x', 'bob@x'] } } },
  'not null and a value': { email: { not: null, in: ['ann@x', 'bob@x'] } },
  'not null and not a value': { email: { notIn: ['ann@x'], not: null } },
  'null or a value': { OR: [{ email: null }, { email: 'ann@x' }] },
  'equals and not': { email: { equals: 'ann@x', not: 'ann@x' } },
  'the default mode': { email: { equals: 'ann@x', mode: 'default' } },
  'an undefined operand': { email: { equals: undefined, not: 'ann@x' } },
  'bytes by value': { pin: bytes(2) },
  'bytes by in': { pin: { in: [bytes(1), bytes()] } },
  'bytes by not': { pin: { not: bytes(1) } },
  'a global index': { handle: 'a' },
  'two fields': { name: 'Bob', email: 'bob@x' },
  'the same field by its index and its value': { AND: [{ name: 'Bob' }, { name: { not: 'Cid' } }] },
  AND: { AND: { name: 'Bob', AND: [{ rank: { gt: 2 } }] } },
  OR: { OR: [{ name: 'Ann' }, { email: 'cid@x' }, { OR: [] }] },
  NOT: { NOT: { email: 'ann@x' } },
  'NOT of a list': { NOT: [{ email: 'ann@x' }, { name: 'Bob' }] },
  'NOT of in': { NOT: { email: { in: ['ann@x'] } } },
  'NOT NOT': { NOT: { NOT: { email: 'ann@x' } } },
  'to one: is': { team: { is: { title: 'red' } } },
  'to one: isNot': { team: { isNot: { title: 'red' } } },
  'to one: short': { team: { title: 'blue' } },
  'to one: null': { team: null },
  'to one: not in': { team: { is: { title: { notIn: ['red'] } } } },
  'to many: some': { reports: { some: { email: { not: 'cid@x' } } } },
  'to many: every': { reports: { every: { email: { not: '' } } } },
  'to many: none': { reports: { none: { name: 'Bob' } } },
  'many to many: some': { groups: { some: { code: 'g1' } } },
  'many to many: every': { groups: { every: { code: { in: ['g1', 'g2'] } } } },
  'many to many: none': { groups: { none: { code: { not: 'g1' } } } },
  'through three models': { team: { groups: { some: { members: { some: { email: 'ann@x' } } } } } },
  'a model with itself': { boss: { is: { boss: null, reports: { some: { name: { in: ['Bob', ''] } } } } } },
}
const named = Object.entries(filters)

async function expectSame(work: (client: FixtureClient) => Promise<unknown>): Promise<unknown> {
  const { encrypted, plain } = await twins.both(work)
  expect(encrypted).toEqual(plain)
  return plain
}

describe('a filter by the value of an indexed field', () => {
  it.each(named)('finds the rows that the plain client finds: %s', async (_, where) => {
    await expectSame((client) => client.member!.findMany({ where, orderBy: { id: 'asc' } }))
  })

  it.each(named)('counts, aggregates and groups them: %s', async (_, where) => {
    await expectSame((client) => client.member!.count({ where }))
    await expectSame((client) => client.member!.aggregate({ where, _sum: { rank: true }, _count: { email: true } }))
    const groups = { where, by: ['teamId'], orderBy: { teamId: 'asc' }, _count: true }
    await expectSame((client) => client.member!.groupBy(groups))
  })

  it('has groups sorted and chosen by how many have a value', async () => {
    const groups: object[] = [
      { having: { email: { _count: { gt: 1 } } } },
      { having: { NOT: { memo: { _count: { equals: 0 } } } } },
      { having: { OR: [{ badge: { _count: { lt: 1 } } }, { teamId: { in: [2] } }] } },
      { orderBy: [{ _count: { badge: 'desc' } }, { teamId: 'asc' }] },
      { orderBy: [{ _count: { memo: 'asc' } }, { teamId: 'asc' }], take: 2, _count: { memo: true, email: true } },
    ]
    for (const group of groups)
      await expectSame((client) => client.member!.groupBy({ by: ['teamId'], orderBy: { teamId: 'asc' }, ...group }))
  })

  it.each(named)('updates exactly them: %s', async (_, where) => {
    await expectSame((client) =>
      client.member!.updateMany({ where, data: { memo: 'changed', rank: { increment: 10 } } }),
    )
    const { encrypted, plain } = await twins.contents()
    expect(encrypted).toEqual(plain)
  })

  it.each(named)('deletes exactly them: %s', async (_, where) => {
    await expectSame((client) => client.member!.updateMany({ data: { bossId: null } }))
    await expectSame((client) => client.member!.deleteMany({ where }))
    const { encrypted, plain } = await twins.contents()
    expect(encrypted).toEqual(plain)
  })

  it('tells rows apart at all', async () => {
    const counts = await Promise.all(
      named.map(async ([, where]) => ((await twins.encrypted.prisma.member!.findMany({ where })) as unknown[]).length),
    )
    expect(new Set(counts).size).toBeGreaterThanOrEqual(5)
  })
})
