import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Fixture, type FixtureClient, openFixture } from '../fixtureClient.js'

let fixture: Fixture
let prisma: FixtureClient
const ROWS = 600
beforeAll(async () => {
  fixture = await openFixture('search.prisma')
  prisma = fixture.prisma
  await prisma.team!.create({ data: { id: 1, title: 'all' } })
  const data = Array.from({ length: ROWS }, (_, i) => ({
    id: i,
    orgId: 'acme',
    name: 'n',
    rank: i,
    hint: `h${i}`,
    teamId: 1,
  }))
  await prisma.member!.createMany({ data })
  await prisma.member!.createMany({ data: [{ id: ROWS, orgId: 'acme', name: 'n', rank: ROWS, hint: null, teamId: 1 }] })
})
afterAll(() => fixture?.close())

describe('an index of 8 bits', () => {
  it('has few values, so that rows of other values are found too', async () => {
    const rows = await fixture.plain.member!.findMany({ select: { hintIndex: true } })
    expect(new Set(rows.map(({ hintIndex }) => hintIndex)).size).toBeLessThanOrEqual(257)
  })

  it('finds exactly the rows of the value all the same', async () => {
    for (let i = 0; i < ROWS; i += 7) {
      const rows = await prisma.member!.findMany({ where: { hint: `h${i}` }, select: { id: true } })
      expect(rows).toStrictEqual([{ id: i }])
    }
    expect(await prisma.member!.findMany({ where: { hint: 'nobody' } })).toEqual([])
  })

  it('finds by several values, beside other conditions and in AND', async () => {
    const hint = { in: ['h1', 'h2', 'h3', 'nobody'] }
    const rows = await prisma.member!.findMany({
      where: { AND: [{ hint }, { rank: { not: 2 } }], name: 'n' },
      orderBy: { id: 'asc' },
      select: { id: true, hint: true },
    })
    expect(rows).toStrictEqual([
      { id: 1, hint: 'h1' },
      { id: 3, hint: 'h3' },
    ])
  })

  it('leaves in a row what was asked for, and nothing else', async () => {
    const [omitted] = await prisma.member!.findMany({ where: { hint: 'h5' }, omit: { hint: true, hintIndex: true } })
    expect(Object.keys(omitted!)).not.toContain('hint')
    expect(JSON.stringify(omitted)).not.toContain('h5')
    const [nested] = await prisma.team!.findMany({
      include: { members: { where: { hint: { equals: 'h9' } }, select: { rank: true } } },
    })
    expect(nested!.members).toStrictEqual([{ rank: 9 }])
    const fluent = await prisma.team!.findUnique({ where: { title: 'all' } }).members!({ where: { hint: 'h9' } })
    expect(fluent).toMatchObject([{ id: 9, hint: 'h9' }])
  })

  const where = { hint: 'h1' }
  const refusals: { readonly [name: string]: (client: FixtureClient) => Promise<unknown> } = {
    count: (c) => c.member!.count({ where }),
    aggregate: (c) => c.member!.aggregate({ where, _count: true }),
    groupBy: (c) => c.member!.groupBy({ where, by: ['name'] }),
    updateMany: (c) => c.member!.updateMany({ where, data: { memo: 'x' } }),
    updateManyAndReturn: (c) => c.member!.updateManyAndReturn({ where, data: { memo: 'x' } }),
    deleteMany: (c) => c.member!.deleteMany({ where }),
    findFirst: (c) => c.member!.findFirst({ where }),
    'a unique where': (c) => c.member!.findUnique({ where: { id: 1, ...where } }),
    update: (c) => c.member!.update({ where: { id: 1, ...where }, data: { memo: 'x' } }),
    delete: (c) => c.member!.delete({ where: { id: 1, ...where } }),
    take: (c) => c.member!.findMany({ where, take: 1 }),
    skip: (c) => c.member!.findMany({ where, skip: 1 }),
    cursor: (c) => c.member!.findMany({ where, cursor: { id: 1 } }),
    distinct: (c) => c.member!.findMany({ where, distinct: 'name' }),
    'distinct of the field': (c) => c.member!.findMany({ distinct: 'hint' }),
    OR: (c) => c.member!.findMany({ where: { OR: [where, { id: 1 }] } }),
    NOT: (c) => c.member!.findMany({ where: { NOT: where } }),
    not: (c) => c.member!.findMany({ where: { hint: { not: 'h1' } } }),
    notIn: (c) => c.member!.findMany({ where: { hint: { notIn: ['h1'] } } }),
    'a relation filter': (c) => c.team!.findMany({ where: { members: { some: where } } }),
    _count: (c) => c.team!.findMany({ select: { _count: { select: { members: { where } } } } }),
    'a nested deleteMany': (c) => c.team!.update({ where: { id: 1 }, data: { members: { deleteMany: where } } }),
    'a nested updateMany': (c) =>
      c.team!.update({ where: { id: 1 }, data: { members: { updateMany: { where, data: { memo: 'x' } } } } }),
  }
  it.each(Object.entries(refusals))(
    'is refused before any SQL where others cannot be taken out: %s',
    async (_, work) => {
      fixture.takeSql()
      await expect(work(prisma)).rejects.toMatchObject({ code: 'QUERY_UNSUPPORTED', message: /Member\.hint/ })
      expect(fixture.takeSql()).toEqual([])
    },
  )

  it('is refused with the reason and what to use instead', async () => {
    await expect(prisma.member!.count({ where })).rejects.toThrow(
      /Member\.hint is searched through Member\.hintIndex, which has 8 bits .* not possible with count: use findMany/,
    )
  })
})
