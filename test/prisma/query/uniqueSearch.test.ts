import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { FixtureClient } from '../fixtureClient.js'
import { openTwins, type Twins } from '../twins.js'

let twins: Twins
beforeAll(async () => {
  twins = await openTwins()
})
afterAll(() => twins?.close())
beforeEach(() => twins.reset())

type Work = (client: FixtureClient) => Promise<unknown>

const bytes = (...all: number[]) => new Uint8Array(all)
const member = { orgId: 'acme', name: 'New' }

/** Operations that name one row by an encrypted field whose blind index is unique. */
const operations: { readonly [name: string]: Work } = {
  findUnique: (c) => c.member!.findUnique({ where: { email: 'ann@x' } }),
  'findUnique that finds nothing': (c) => c.member!.findUnique({ where: { email: 'nobody' } }),
  'findUnique by bytes': (c) => c.member!.findUnique({ where: { pin: bytes(2) }, select: { name: true } }),
  'findUnique with a filter beside': (c) => c.member!.findUnique({ where: { email: 'ann@x', name: { not: 'Ann' } } }),
  'findUnique by id with a filter by value': (c) => c.member!.findUnique({ where: { id: 1, name: 'Ann' } }),
  'findUnique by id with a unique field too': (c) => c.member!.findUnique({ where: { id: 1, email: 'bob@x' } }),
  'findUnique with AND, OR and NOT': (c) =>
    c.member!.findUnique({
      where: { email: 'ann@x', OR: [{ name: 'Ann' }], NOT: { name: 'Bob' }, AND: [{ rank: 1 }] },
    }),
  'findUnique by null': (c) => c.member!.findUnique({ where: { email: null } }),
  'findUnique by nothing': (c) => c.member!.findUnique({ where: { email: undefined } }),
  findUniqueOrThrow: (c) => c.member!.findUniqueOrThrow({ where: { email: 'nobody' } }),
  'a compound unique': (c) => c.member!.findUnique({ where: { orgId_badge: { orgId: 'acme', badge: 'b2' } } }),
  'a compound unique of three': (c) =>
    c.member!.findUnique({ where: { place: { orgId: 'acme', name: 'Bob', rank: 3 } }, include: { boss: true } }),
  'a compound unique with null': (c) =>
    c.member!.findUnique({ where: { orgId_badge: { orgId: 'acme', badge: null } } }),
  'three at once': (c) =>
    Promise.all(['ann@x', 'bob@x', 'nobody'].map((email) => c.member!.findUnique({ where: { email } }))),
  'the fluent API': (c) => c.member!.findUnique({ where: { email: 'ann@x' } }).groups!({ orderBy: { id: 'asc' } }),
  'the fluent API with a filter': (c) =>
    c.team!.findUnique({ where: { title: 'red' } }).members!({ where: { name: 'Bob' } }),
  update: (c) => c.member!.update({ where: { email: 'ann@x' }, data: { email: 'ann@y', memo: 'm' } }),
  'update that finds nothing': (c) => c.member!.update({ where: { email: 'nobody' }, data: { memo: 'm' } }),
  'update to a value that is taken': (c) => c.member!.update({ where: { id: 1 }, data: { email: 'bob@x' } }),
  'update with a filter that does not hold': (c) =>
    c.member!.update({ where: { email: 'ann@x', name: { in: ['Bob'] } }, data: { memo: 'm' } }),
  delete: (c) => c.member!.delete({ where: { email: '' } }),
  'delete by a compound unique': (c) => c.member!.delete({ where: { orgId_badge: { orgId: 'acme', badge: 'b5' } } }),
  'upsert that updates': (c) =>
    c.member!.upsert({ where: { email: 'ann@x' }, create: { ...member, id: 9 }, update: { memo: 'u' } }),
  'upsert that creates': (c) =>
    c.member!.upsert({
      where: { email: 'new@x' },
      create: { ...member, id: 9, email: 'new@x' },
      update: { memo: 'u' },
    }),
  'upsert by a compound unique': (c) =>
    c.member!.upsert({
      where: { orgId_badge: { orgId: 'acme', badge: 'b9' } },
      create: { ...member, id: 9, badge: 'b9' },
      update: { memo: 'u' },
    }),
  'create with a value that is taken': (c) => c.member!.create({ data: { ...member, id: 9, email: 'ann@x' } }),
  'createMany that skips what is taken': (c) =>
    c.member!.createMany({
      data: [
        { ...member, id: 8, email: 'ann@x' },
        { ...member, id: 9, email: 'new@x' },
      ],
      skipDuplicates: true,
    }),
  connect: (c) => c.member!.update({ where: { id: 4 }, data: { team: { connect: { title: 'blue' } } } }),
  'connect to nothing': (c) => c.member!.update({ where: { id: 4 }, data: { team: { connect: { title: 'x' } } } }),
  'connect many': (c) =>
    c.member!.update({ where: { id: 4 }, data: { groups: { connect: [{ code: 'g1' }, { code: 'g2' }] } } }),
  'connectOrCreate that connects': (c) =>
    c.member!.update({
      where: { id: 4 },
      data: { team: { connectOrCreate: { where: { title: 'red' }, create: { id: 9, title: 'red' } } } },
    }),
  'connectOrCreate that creates': (c) =>
    c.member!.update({
      where: { id: 4 },
      data: { team: { connectOrCreate: { where: { title: 'new' }, create: { id: 9, title: 'new' } } } },
    }),
  'disconnect one of many': (c) =>
    c.member!.update({ where: { id: 1 }, data: { groups: { disconnect: { code: 'g1' } } } }),
  'disconnect where a filter holds': (c) =>
    c.member!.update({ where: { id: 1 }, data: { team: { disconnect: { title: 'red' } } } }),
  'disconnect where a filter does not hold': (c) =>
    c.member!.update({ where: { id: 1 }, data: { team: { disconnect: { title: { not: 'red' } } } } }),
  set: (c) => c.member!.update({ where: { id: 1 }, data: { groups: { set: [{ code: 'g2' }] } } }),
  'a nested delete': (c) => c.team!.update({ where: { title: 'blue' }, data: { members: { delete: { email: '' } } } }),
  'a nested deleteMany': (c) =>
    c.team!.update({ where: { id: 2 }, data: { members: { deleteMany: { email: { notIn: ['x'] } } } } }),
  'a nested deleteMany of alternatives': (c) =>
    c.team!.update({ where: { id: 2 }, data: { members: { deleteMany: [{ email: '' }, { name: 'Nobody' }] } } }),
  'a nested update': (c) =>
    c.team!.update({
      where: { title: 'red' },
      data: { members: { update: { where: { email: 'bob@x' }, data: { name: 'Rob' } } } },
    }),
  'a nested update of a to-one relation': (c) =>
    c.member!.update({
      where: { email: 'ann@x' },
      data: { team: { update: { where: { title: { in: ['red'] } }, data: { title: 'green' } } } },
    }),
  'a nested update of a to-one relation whose filter does not hold': (c) =>
    c.member!.update({
      where: { email: 'ann@x' },
      data: { team: { update: { where: { title: 'blue' }, data: { title: 'green' } } } },
    }),
  'a nested updateMany': (c) =>
    c.team!.update({
      where: { id: 1 },
      data: { members: { updateMany: { where: { email: { not: 'ann@x' } }, data: { memo: 'n', email: null } } } },
    }),
  'a nested upsert': (c) =>
    c.team!.update({
      where: { id: 1 },
      data: {
        members: {
          upsert: { where: { email: 'bob@x' }, create: { ...member, id: 9 }, update: { email: 'bob@y' } },
        },
      },
    }),
  'a cursor': (c) => c.member!.findMany({ cursor: { email: 'bob@x' }, orderBy: { id: 'asc' }, take: 2 }),
  'a cursor with skip, backwards': (c) =>
    c.member!.findMany({ cursor: { email: 'cid@x' }, orderBy: { rank: 'asc' }, skip: 1, take: -2 }),
  'a cursor without an order': (c) => c.member!.findMany({ cursor: { email: 'bob@x' }, take: 2 }),
  'a compound cursor': (c) =>
    c.member!.findMany({ cursor: { orgId_badge: { orgId: 'acme', badge: 'b2' } }, orderBy: { id: 'asc' } }),
  'a cursor in an include': (c) =>
    c.team!.findMany({
      orderBy: { id: 'asc' },
      include: { members: { cursor: { email: 'bob@x' }, orderBy: { id: 'asc' } } },
    }),
  distinct: (c) => c.member!.findMany({ distinct: ['name'], orderBy: { id: 'asc' }, select: { id: true } }),
  'distinct of a field with nulls': (c) => c.member!.findMany({ distinct: 'handle', orderBy: { id: 'asc' } }),
  'distinct of two': (c) => c.member!.findMany({ distinct: ['teamId', 'name'], orderBy: { id: 'desc' } }),
  'distinct with paging': (c) =>
    c.member!.findMany({ distinct: ['name'], orderBy: { id: 'asc' }, skip: 1, take: 2, where: { name: { not: '' } } }),
  'distinct in an include': (c) =>
    c.team!.findMany({ orderBy: { id: 'asc' }, include: { members: { distinct: ['name'], orderBy: { id: 'asc' } } } }),
  'filters in include, select and _count': (c) =>
    c.team!.findMany({
      orderBy: { id: 'asc' },
      include: {
        members: { where: { name: 'Bob' }, select: { email: true, groups: { where: { code: { not: 'g1' } } } } },
        _count: { select: { members: { where: { email: { not: 'ann@x' } } }, groups: true } },
      },
    }),
  updateManyAndReturn: (c) =>
    c.member!.updateManyAndReturn({
      where: { email: { in: ['ann@x'] } },
      data: { email: 'x' },
      select: { email: true },
    }),
  'deleteMany with a limit': (c) => c.member!.deleteMany({ where: { email: 'cid@x' }, limit: 1 }),
  'a batch': (c) =>
    (c as unknown as { $transaction(all: unknown[]): Promise<unknown> }).$transaction([
      c.member!.update({ where: { email: 'ann@x' }, data: { email: 'swap' } }),
      c.member!.update({ where: { email: 'bob@x' }, data: { email: 'ann@x' } }),
      c.member!.findMany({ where: { email: { in: ['swap', 'ann@x'] } }, orderBy: { id: 'asc' } }),
    ]),
  'an interactive transaction': (c) =>
    c.$transaction(async (tx) => {
      await tx.member!.update({ where: { email: 'ann@x' }, data: { email: 'gone' } })
      return tx.member!.findUnique({ where: { email: 'gone' } })
    }),
}

describe('an encrypted field whose blind index is unique', () => {
  it.each(Object.entries(operations))('names a row as the plain column does: %s', async (_, work) => {
    const { encrypted, plain } = await twins.both(work)
    expect(encrypted).toEqual(plain)
    const after = await twins.contents()
    expect(after.encrypted).toEqual(after.plain)
  })

  it('lets exactly one of many concurrent writers have a value', async () => {
    const { prisma } = twins.encrypted
    const writes = Array.from({ length: 12 }, (_, i) =>
      prisma.member!.create({ data: { ...member, id: 100 + i, rank: 100 + i, email: 'same@x' } }).then(
        () => 'written',
        (error: { code?: string }) => error.code,
      ),
    )
    const outcomes = await Promise.all(writes)
    expect(outcomes.filter((outcome) => outcome === 'written')).toHaveLength(1)
    expect(outcomes.filter((outcome) => outcome === 'P2002')).toHaveLength(11)
  })
})

describe('an encrypted field that is set to null', () => {
  it('is no longer found by its old value, which another row can take', async () => {
    const { prisma, plain } = twins.encrypted
    await prisma.member!.update({ where: { email: 'ann@x' }, data: { email: null } })
    expect(await plain.member!.findUnique({ where: { id: 1 } })).toMatchObject({ email: null, emailIndex: null })
    expect(await prisma.member!.findUnique({ where: { email: 'ann@x' } })).toBeNull()
    expect(await prisma.member!.findMany({ where: { email: { in: ['ann@x'] } } })).toEqual([])
    await prisma.member!.update({ where: { id: 2 }, data: { email: { set: 'ann@x' } } })
    expect(await prisma.member!.findUnique({ where: { email: 'ann@x' } })).toMatchObject({ id: 2 })
  })
})

describe('a unique where', () => {
  const refusals: { readonly [name: string]: [Work, RegExp] } = {
    'by a field whose index is not unique': [
      (c) => c.member!.findUnique({ where: { name: 'Ann' } }),
      /Member\.name .* no unique blind index.*findFirst/,
    ],
    'by a field without an index': [(c) => c.member!.findUnique({ where: { memo: 'm1' } }), /Member\.memo/],
    'by a field of a compound unique alone': [
      (c) => c.member!.update({ where: { badge: 'b1' }, data: {} }),
      /Member\.badge/,
    ],
    'as a cursor, by a field whose index is not unique': [
      (c) => c.member!.findMany({ cursor: { name: 'Ann' } }),
      /Member\.name .*"cursor"/,
    ],
  }
  it.each(Object.entries(refusals))('is refused before any SQL: %s', async (_, [work, message]) => {
    twins.encrypted.takeSql()
    await expect(work(twins.encrypted.prisma)).rejects.toMatchObject({ code: 'QUERY_UNSUPPORTED', message })
    expect(twins.encrypted.takeSql()).toEqual([])
  })
})
