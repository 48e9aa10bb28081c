import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import type { Fixture, FixtureClient } from '../fixtureClient.js'
import { openTwins, type Twins } from '../twins.js'

interface Statement {
  readonly query: string
  readonly params: string
}

/** One of the two sides, with what it sends to its database. */
interface Side {
  readonly client: FixtureClient
  readonly sent: Statement[]
  readonly database: pg.Client
}

const ROWS = 4_000
let twins: Twins
let encrypted: Side
let plain: Side
beforeAll(async () => {
  twins = await openTwins()
  encrypted = await open(twins.encrypted, twins.encrypted.prisma)
  plain = await open(twins.plain, twins.plain.plain)
}, 240_000)
afterAll(async () => {
  await Promise.all([encrypted, plain].map((side) => side?.database.end()))
  await twins?.close()
})

async function open(fixture: Fixture, client: FixtureClient): Promise<Side> {
  const sent: Statement[] = []
  const listen = fixture === twins.encrypted ? fixture.base : fixture.plain
  listen.$on('query', ({ query, params }) => sent.push({ query, params }))
  const ids = Array.from({ length: ROWS }, (_, i) => i)
  await client.team!.createMany({ data: ids.slice(0, 2_000).map((id) => ({ id, title: `t${id}` })) })
  await client.member!.createMany({
    data: ids.map((id) => ({
      id,
      orgId: 'acme',
      name: `n${id}`,
      email: `e${id}`,
      badge: `b${id}`,
      pin: Buffer.from(`p${id}`),
      teamId: id % 2_000,
    })),
  })
  const database = new pg.Client({ connectionString: fixture.url })
  await database.connect()
  await database.query('ANALYZE')
  sent.length = 0
  return { client, sent, database }
}

const thousand = Array.from({ length: 1_000 }, (_, i) => `e${i}`)

const operations: { readonly [name: string]: (client: FixtureClient) => Promise<unknown> } = {
  equals: (c) => c.member!.findMany({ where: { email: 'e7' } }),
  in: (c) => c.member!.findMany({ where: { email: { in: ['e7', 'e8'] } } }),
  'equals beside not null': (c) => c.member!.findMany({ where: { email: { equals: 'e7', not: null } } }),
  'bytes equals': (c) => c.member!.findMany({ where: { pin: Buffer.from('p7') } }),
  AND: (c) => c.member!.findMany({ where: { AND: [{ email: 'e7' }, { rank: 0 }] } }),
  OR: (c) => c.member!.findMany({ where: { OR: [{ email: 'e7' }, { pin: Buffer.from('p8') }] } }),
  'some of a relation': (c) => c.team!.findMany({ where: { members: { some: { email: 'e7' } } } }),
  'is of a relation': (c) => c.member!.findMany({ where: { team: { is: { title: 't7' } }, email: 'e7' } }),
  'an include': (c) => c.team!.findMany({ where: { title: 't7' }, include: { members: { where: { email: 'e7' } } } }),
  findUnique: (c) => c.member!.findUnique({ where: { email: 'e7' } }),
  'a compound unique': (c) => c.member!.findUnique({ where: { orgId_badge: { orgId: 'acme', badge: 'b7' } } }),
  count: (c) => c.member!.count({ where: { email: 'e7' } }),
  update: (c) => c.member!.update({ where: { email: 'e7' }, data: { memo: 'x' } }),
  updateMany: (c) => c.member!.updateMany({ where: { email: { in: ['e7'] } }, data: { memo: 'x' } }),
  deleteMany: (c) => c.member!.deleteMany({ where: { email: 'e3000', rank: 1 } }),
  upsert: (c) =>
    c.member!.upsert({
      where: { email: 'e7' },
      create: { id: 9_999, orgId: 'acme', name: 'x', email: 'e7' },
      update: { memo: 'y' },
    }),
  connect: (c) => c.member!.update({ where: { id: 7 }, data: { team: { connect: { title: 't9' } } } }),
  cursor: (c) => c.member!.findMany({ cursor: { email: 'e7' }, orderBy: { id: 'asc' }, take: 2 }),
  not: (c) => c.member!.findMany({ where: { email: { not: 'e7' } } }),
  notIn: (c) => c.member!.findMany({ where: { email: { notIn: ['e7', 'e8'] } } }),
  'NOT of equals': (c) => c.member!.findMany({ where: { NOT: { email: 'e7' } } }),
}
/** A condition that most rows meet is no case for an index, in plaintext either. */
const WITHOUT_INDEX = new Set(['not', 'notIn', 'NOT of equals'])

/** The indexes that PostgreSQL uses for the statements of one operation, by their columns. */
async function indexesUsed({ client, sent, database }: Side, work: (client: FixtureClient) => Promise<unknown>) {
  sent.length = 0
  await work(client)
  const reads = sent.filter(({ query }) => /^(SELECT|INSERT|UPDATE|DELETE)/.test(query))
  const plans: string[] = []
  for (const { query, params } of reads) {
    const { rows } = await database.query(`EXPLAIN ${query}`, JSON.parse(params))
    plans.push(rows.map((row) => row['QUERY PLAN']).join('\n'))
  }
  const found = plans.join('\n').matchAll(/(?:Index (?:Only )?Scan (?:using|on)|Arbiter Indexes:) "?(\w+)"?/g)
  return [...found].map(([, name]) => name!.replaceAll('Index', '')).sort()
}

describe('a search through a blind index', () => {
  it.each(Object.entries(operations))(
    'uses the database’s index where a plain column would: %s',
    async (name, work) => {
      const used = await indexesUsed(encrypted, work)
      expect(used).toEqual(await indexesUsed(plain, work))
      const wanted = WITHOUT_INDEX.has(name)
        ? expect.not.stringMatching(/email/)
        : expect.stringMatching(/email|pin|badge|title/)
      expect(used.join()).toEqual(wanted)
    },
  )

  it('asks for a thousand values in one statement', async () => {
    encrypted.sent.length = 0
    const rows = await encrypted.client.member!.findMany({ where: { email: { in: thousand } }, select: { id: true } })
    expect(rows).toHaveLength(1_000)
    expect(encrypted.sent).toHaveLength(1)
  })
})
