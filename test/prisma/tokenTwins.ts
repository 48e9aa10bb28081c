import type { FixtureClient } from './fixtureClient.js'
import { openTwinFixtures, type Twins } from './twins.js'

export type { Twins } from './twins.js'

/** Opens the fixtures `tokens.prisma` and `tokensPlain.prisma`. */
export async function openTokenTwins(): Promise<Twins> {
  return openTwinFixtures({
    encrypted: 'tokens.prisma',
    plain: 'tokensPlain.prisma',
    indexes: /(Index|Parts|Folds|Cells|Tens|Days)$/,
    fill,
    contents,
  })
}

async function contents(client: FixtureClient): Promise<unknown> {
  const sorted = { orderBy: { id: 'asc' } }
  return { persons: await client.person!.findMany(sorted), teams: await client.team!.findMany(sorted) }
}

const at = (text: string) => new Date(`1990-${text}Z`)

/** Rows of which some have nothing but what they must have. */
export const PERSONS = [
  {
    id: 1,
    name: 'Ada Lovelace',
    title: 'Dr',
    nick: 'Ada',
    age: 36,
    pay: '0.25',
    born: at('03-01T00:00:00'),
    teamId: 1,
  },
  {
    id: 2,
    name: 'Ada',
    title: 'D',
    nick: 'ΟΔΟΣ',
    age: 0,
    pay: '0.3',
    born: at('03-01T09:00:00'),
    teamId: 1,
    bossId: 1,
  },
  { id: 3, name: null, title: '', nick: null, age: null, pay: null, born: null, teamId: null, bossId: 1 },
  { id: 4, name: 'Bob Ace', title: 'Mr', nick: 'ΟΔΟΣΑ', age: 120, pay: '-50', born: at('01-01T00:00:00'), bossId: 2 },
  { id: 5, name: '', title: 'dr', nick: '', age: 40, pay: '50', born: at('12-31T00:00:00'), teamId: 2, bossId: 3 },
  { id: 6, name: 'A', title: 'Dr Dr', nick: 'a', age: 17, pay: '-1.11', born: at('04-01T00:00:00'), teamId: 2 },
  {
    id: 7,
    name: 'Zoe\u0308 Ice',
    title: 'Zoë',
    nick: 'İI',
    age: 65,
    pay: '1.1',
    born: at('03-31T23:59:59.999'),
    bossId: 4,
  },
  {
    id: 8,
    name: '👩🏽‍⚕️ abcab',
    title: '👩',
    nick: '😀😀',
    age: 18,
    pay: '10.5',
    born: at('06-15T12:00:00'),
    teamId: 1,
  },
  { id: 9, name: '1%_x abca bcab', title: '%', nick: 'A_b%', age: 41, pay: '0', born: at('02-28T00:00:00'), bossId: 9 },
]

/** By the row that has it; the others have none. */
const DRAFTS = new Map([
  [1, 'abcd'],
  [2, 'abc'],
  [4, 'a'],
  [5, ''],
  [6, 'abxy'],
  [7, 'zz'],
])
/** By the row, as the drafts. */
const RATES = new Map([
  [1, 10],
  [2, 20],
  [4, 0],
  [5, 100],
  [6, 20],
])
/** By the row: what some have beside. */
const MORE = new Map([
  [1, { alias: 'Doe Jane Roe Poe', score: 10, code: '12 34', cost: '0.3' }],
  [2, { alias: 'DOE JANE ROE POE', score: 14, code: 'x' }],
  [5, { alias: 'D', cost: '7' }],
])
/** Of these rows the encrypted side holds the draft, the rate and the cost in plaintext, some under tokens of others. */
const PLAINTEXT = [2, 5, 6, 7]

async function fill(client: FixtureClient): Promise<void> {
  for (const model of ['person', 'team']) await client[model]!.deleteMany()
  await client.team!.createMany({
    data: [
      { id: 1, budget: -1000n },
      { id: 2, budget: 999n },
    ],
  })
  const persons = PERSONS.map((person, rank) => ({
    ...person,
    rank,
    draft: DRAFTS.get(person.id) ?? null,
    rate: RATES.get(person.id) ?? null,
    ...MORE.get(person.id),
  }))
  await client.person!.createMany({ data: persons })
  for (const id of '$encryption' in client ? PLAINTEXT : []) {
    const sql = `UPDATE "Person" p SET draft = $1, "draftParts" = o."draftParts", rate = $2, "rateCells" = o."rateCells",
      cost = $3, "costCells" = NULL FROM "Person" o WHERE o.id = 1 AND p.id = $4`
    const values = [DRAFTS.get(id), RATES.get(id)?.toString() ?? null, MORE.get(id)?.cost ?? null]
    await client.$executeRawUnsafe(sql, ...values, id)
  }
  // More places than the index holds, as plaintext may have them.
  const cost = '$encryption' in client ? `'0.305'` : '0.305'
  await client.$executeRawUnsafe(`UPDATE "Person" SET cost = ${cost} WHERE id = 2`)
}
