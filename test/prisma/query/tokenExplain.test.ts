import { afterAll, beforeAll, expect, it } from '@jest/globals'
import pg from 'pg'
import type { FixtureClient } from '../fixtureClient.js'
import { openTokenTwins, type Twins } from '../tokenTwins.js'

const ROWS = 6_000
const sent: { readonly query: string; readonly params: string }[] = []
let twins: Twins
let database: pg.Client
beforeAll(async () => {
  twins = await openTokenTwins()
  const { base, prisma, url } = twins.encrypted
  base.$on('query', (event) => sent.push(event))
  await prisma.team!.createMany({ data: [{ id: 1, budget: 0n }] })
  const letter = (n: number) => String.fromCodePoint(97 + (Math.floor(n) % 26))
  await prisma.person!.createMany({
    data: Array.from({ length: ROWS }, (_, id) => ({
      id,
      title: 't',
      name: `${letter(id)}${letter(id / 26)}${letter(id / 676)} x${letter(id * 7)}${letter(id / 9)}`,
      age: id % 121,
      pay: String((id % 400) / 4 - 50),
      born: new Date(Date.UTC(1990, 0, 1 + (id % 364))),
      bossId: id > 100 ? id % 100 : null,
    })),
  })
  database = new pg.Client({ connectionString: url })
  await database.connect()
  for (const column of ['nameParts', 'ageCells', 'payCells', 'bornDays']) {
    await database.query(`ALTER TABLE "Person" ALTER COLUMN "${column}" SET STATISTICS 1000`)
  }
  await database.query('VACUUM ANALYZE "Person"')
}, 240_000)
afterAll(async () => {
  await database?.end()
  await twins?.close()
})

const find = (where: object) => (c: FixtureClient) => c.person!.findMany({ where })

const operations: { readonly [name: string]: readonly [string, (client: FixtureClient) => Promise<unknown>] } = {
  gt: ['ageCells', find({ age: { gt: 119 } })],
  gte: ['ageCells', find({ age: { gte: 119 } })],
  lt: ['ageCells', find({ age: { lt: 2 } })],
  lte: ['ageCells', find({ age: { lte: 1 } })],
  'an interval': ['ageCells', find({ age: { gte: 40, lt: 42 } })],
  'not of a bound': ['ageCells', find({ age: { not: { lt: 119 } } })],
  'NOT of a bound': ['ageCells', find({ NOT: { age: { lt: 119 } } })],
  'a decimal between steps': ['payCells', find({ pay: { gt: '49.3' } })],
  'a time': ['bornDays', find({ born: { gte: new Date('1990-12-28T00:00:00Z') } })],
  startsWith: ['nameParts', find({ name: { startsWith: 'abc' } })],
  'startsWith of more than the longest': ['nameParts', find({ name: { startsWith: 'abc xh' } })],
  endsWith: ['nameParts', find({ name: { endsWith: 'xha' } })],
  contains: ['nameParts', find({ name: { contains: 'c xh' } })],
  words: ['nameParts', find({ name: { words: 'abc xh*' } })],
  AND: ['ageCells', find({ AND: [{ age: { gt: 119 } }, { rank: 0 }] })],
  OR: ['ageCells', find({ OR: [{ age: { gt: 119 } }, { age: { lt: 1 } }] })],
  'a page in another order': [
    'ageCells',
    (c) => c.person!.findMany({ where: { age: { gt: 119 } }, orderBy: { id: 'asc' }, take: 20 }),
  ],
  count: ['ageCells', (c) => c.person!.count({ where: { age: { gt: 119 } } })],
  updateMany: ['ageCells', (c) => c.person!.updateMany({ where: { age: { gt: 119 } }, data: { rank: 1 } })],
  deleteMany: ['nameParts', (c) => c.person!.deleteMany({ where: { name: { startsWith: 'zzz' } } })],
  'some of a relation': ['ageCells', (c) => c.team!.findMany({ where: { persons: { some: { age: { gt: 119 } } } } })],
}

it.each(Object.entries(operations))('asks the GIN index of the column: %s', async (_, [column, work]) => {
  sent.length = 0
  await work(twins.encrypted.prisma)
  const statements = sent.filter(({ query }) => /^(SELECT|UPDATE|DELETE)/.test(query) && query.includes(column))
  expect(statements).toHaveLength(1)
  const [{ query, params }] = statements as [(typeof sent)[number]]
  const { rows } = await database.query(`EXPLAIN ${query}`, JSON.parse(params))
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
  expect(plan).toContain(`Bitmap Index Scan on "Person_${column}_idx"`)
})
