import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { FixtureClient } from '../fixtureClient.js'
import { openTwins, type Twins } from '../twins.js'

/*
 * Fields of which every other row is plaintext still (`migrating`) or again (`ejecting`).
 */

let twins: Twins
const NAMES = ['Ann', 'Bob', 'Cid', 'Dan', 'Eve', '']
const ROWS = Array.from({ length: 14 }, (_, id) => ({
  id,
  name: id < 12 ? `${NAMES[id % 6]}${id}` : null,
  age: id % 5 === 4 ? null : id % 4,
  city: id % 3 === 2 ? null : `c${id % 3}`,
  zip: `z${id % 2}`,
  since: new Date(id * 1_000),
  tag: id % 7 === 6 ? null : `t${id % 3}`,
}))
beforeAll(async () => {
  twins = await openTwins()
  const plaintext = ROWS.filter(({ id }) => id % 2 === 0)
  await twins.plain.plain.old!.createMany({ data: ROWS })
  await twins.encrypted.prisma.old!.createMany({ data: ROWS })
  for (const { id, name, age, city, zip, tag } of plaintext) {
    const indexes = { nameIndex: null, ageIndex: null, placeIndex: null }
    const data = { name, city, zip, age: age === null ? null : String(age), since: new Date(id * 1_000).toISOString() }
    await twins.encrypted.plain.old!.update({ where: { id }, data: { ...data, ...indexes, sinceIndex: null } })
    // Written before the field was ejecting.
    const sealed = tag === null ? null : await sealedTag(tag)
    await twins.encrypted.plain.old!.update({ where: { id }, data: sealed ?? { tag: null } })
  }
})
afterAll(() => twins?.close())

async function sealedTag(tag: string): Promise<object> {
  const { $encryption } = twins.encrypted.prisma
  return { tag: await $encryption.encrypt('Old.tag', tag), tagIndex: await $encryption.blindIndex('Old.tagIndex', tag) }
}

async function expectSame(work: (client: FixtureClient) => Promise<unknown>): Promise<void> {
  const { encrypted, plain } = await twins.both(work)
  expect(encrypted).toEqual(plain)
  expect(plain).not.toHaveProperty('error')
}

const filters = [
  {},
  { name: 'Ann0' },
  { name: { equals: 'Bob1' } },
  { name: { in: ['Ann0', 'Bob1', 'Cid2', 'Nobody'] } },
  { name: { in: [] } },
  { name: { notIn: ['Ann0', 'Bob1'] } },
  { name: { notIn: [] } },
  { name: { not: 'Ann0' } },
  { name: { not: { in: ['Ann0', 'Bob1'] } } },
  { name: { not: { not: 'Bob1' } } },
  { name: { equals: 'Ann0', in: ['Ann0', 'Bob1'] } },
  { name: { equals: 'Ann0', in: ['Bob1'] } },
  { name: { not: null, notIn: ['Ann0'] } },
  { name: null },
  { NOT: { name: 'Ann0' } },
  { NOT: { name: { in: ['Ann0', 'Bob1'] } } },
  { NOT: [{ name: 'Ann0' }, { age: 1 }] },
  { NOT: { NOT: { name: 'Bob1' } } },
  { OR: [{ name: 'Ann0' }, { name: null }, { age: 3 }] },
  { AND: [{ name: { not: 'Ann0' } }, { name: { not: 'Bob1' } }], age: { in: [0, 1] } },
  { age: 2 },
  { age: { not: 0 } },
  { NOT: { age: { notIn: [1, 2] } } },
  { city: 'c0', zip: 'z1' },
  { name: 'fs1.AAAA' },
  { name: { not: 'fs1.AAAA' } },
  { tag: 't1' },
  { tag: { notIn: ['t1'] } },
  { NOT: { tag: 't1' } },
]

describe('a filter by the value of a field that is plaintext in some rows', () => {
  it.each(filters)('finds both kinds of rows: %j', async (where) => {
    await expectSame((client) => client.old!.findMany({ where, orderBy: { id: 'asc' } }))
    await expectSame((client) => client.old!.count({ where }))
  })

  it.each(filters)('changes exactly those rows: %j', async (where) => {
    await expectSame((client) => client.old!.updateMany({ where, data: { zip: { set: 'moved' }, city: null } }))
    await expectSame((client) => client.old!.findMany({ where: { city: null }, orderBy: { id: 'asc' } }))
    await twins.both((client) =>
      Promise.all(ROWS.map(({ id, city, zip }) => client.old!.update({ where: { id }, data: { city, zip } }))),
    )
  })

  it('is found in what is written next', async () => {
    await twins.both((client) => client.old!.update({ where: { id: 0 }, data: { name: 'New', age: 99, tag: 'tnew' } }))
    const stored = await twins.encrypted.plain.old!.findFirst({ where: { id: 0 } })
    expect(stored!.name).toMatch(/^fs1\./)
    expect(stored).toMatchObject({ tag: 'tnew', tagIndex: null })
    await expectSame((client) => client.old!.findMany({ where: { name: 'New', age: 99, tag: 'tnew' } }))
  })

  const refusals: { readonly [name: string]: (client: FixtureClient) => Promise<unknown> } = {
    'a unique lookup': (c) => c.old!.findUnique({ where: { name: 'Ann0' } }),
    'an upsert': (c) => c.old!.upsert({ where: { name: 'Ann0' }, create: { id: 99 }, update: {} }),
    'a cursor': (c) => c.old!.findMany({ cursor: { name: 'Ann0' } }),
    distinct: (c) => c.old!.findMany({ distinct: ['name'] }),
    'a value with several forms': (c) => c.old!.findMany({ where: { since: new Date(0) } }),
    contains: (c) => c.old!.findMany({ where: { name: { contains: 'A' } } }),
  }
  it.each(Object.entries(refusals))(
    'is refused before any SQL where not every row has its index: %s',
    async (_, work) => {
      twins.encrypted.takeSql()
      await expect(work(twins.encrypted.prisma)).rejects.toMatchObject({ code: 'QUERY_UNSUPPORTED' })
      expect(twins.encrypted.takeSql()).toEqual([])
    },
  )
})
