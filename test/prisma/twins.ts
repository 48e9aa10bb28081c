import { isDecimal } from '../../src/crypto/decimal.js'
import { type Fixture, type FixtureClient, openFixture } from './fixtureClient.js'

/** The same models twice: encrypted and searched through blind indexes, and in plaintext. */
export interface Twins {
  readonly encrypted: Fixture
  readonly plain: Fixture
  /** Does the same on both sides, and answers what each said. */
  both(work: (client: FixtureClient) => Promise<unknown>): Promise<{ encrypted: unknown; plain: unknown }>
  /** All rows of both sides, decrypted. */
  contents(): Promise<{ encrypted: unknown; plain: unknown }>
  /** Puts the same few rows into both, and nothing else. */
  reset(): Promise<void>
  close(): Promise<void>
}

/** What twins are opened of. */
export interface TwinFixtures {
  readonly encrypted: string
  readonly plain: string
  /** Columns that only the encrypted side has. */
  readonly indexes: RegExp
  /** Puts the same few rows into either, and nothing else. */
  readonly fill: (client: FixtureClient) => Promise<void>
  readonly contents: (client: FixtureClient) => Promise<unknown>
}

/** Opens the fixtures `search.prisma` and `searchPlain.prisma`. */
export async function openTwins(): Promise<Twins> {
  return openTwinFixtures({
    encrypted: 'search.prisma',
    plain: 'searchPlain.prisma',
    indexes: /^[a-z]+Index$/,
    fill,
    contents,
  })
}

export async function openTwinFixtures({ indexes, ...names }: TwinFixtures): Promise<Twins> {
  const [encrypted, plain] = await Promise.all([openFixture(names.encrypted), openFixture(names.plain)])
  const both: Twins['both'] = async (work) => ({
    encrypted: await answer(work(encrypted.prisma), indexes),
    plain: await answer(work(plain.plain), indexes),
  })
  return {
    encrypted,
    plain,
    both,
    contents: () => both(names.contents),
    async reset() {
      await both(names.fill)
    },
    async close() {
      await Promise.all([encrypted.close(), plain.close()])
    },
  }
}

/** A result without what only one side has, or the code of the error. */
async function answer(result: Promise<unknown>, indexes: RegExp): Promise<unknown> {
  try {
    return comparable(await result, indexes)
  } catch (error) {
    const { code, name } = error as { code?: string; name: string }
    return { error: code ?? name }
  }
}

function comparable(value: unknown, indexes: RegExp): unknown {
  if (ArrayBuffer.isView(value)) return `bytes ${Buffer.from(value as Uint8Array).toString('hex')}`
  if (typeof value !== 'object' || value === null) return value
  if (isDecimal(value)) return `decimal ${value.toFixed()}`
  if (value instanceof Date) return `time ${value.getTime()}`
  if (Array.isArray(value)) return value.map((element) => comparable(element, indexes))
  const own = Object.entries(value).filter(([key]) => !indexes.test(key))
  return Object.fromEntries(own.map(([key, part]) => [key, comparable(part, indexes)]).sort())
}

async function contents(client: FixtureClient): Promise<unknown> {
  const sorted = { orderBy: { id: 'asc' } }
  return {
    members: await client.member!.findMany({ ...sorted, include: { groups: sorted } }),
    teams: await client.team!.findMany({ ...sorted, include: { groups: sorted } }),
    groups: await client.group!.findMany(sorted),
  }
}

const bytes = (...all: number[]) => new Uint8Array(all)
const MEMBERS = [
  {
    id: 1,
    name: 'Ann',
    email: 'ann@x',
    badge: 'b1',
    pin: bytes(1),
    hint: 'red',
    handle: 'a',
    memo: 'm1',
    rank: 1,
    teamId: 1,
  },
  {
    id: 2,
    name: 'Bob',
    email: 'bob@x',
    badge: 'b2',
    pin: bytes(2),
    hint: 'red',
    handle: 'b',
    memo: null,
    rank: 2,
    teamId: 1,
  },
  {
    id: 3,
    name: 'Bob',
    email: null,
    badge: null,
    pin: null,
    hint: null,
    handle: null,
    memo: 'm3',
    rank: 3,
    teamId: 2,
    bossId: 1,
  },
  {
    id: 4,
    name: 'Cid',
    email: 'cid@x',
    badge: null,
    pin: bytes(4),
    hint: 'blue',
    handle: 'a',
    memo: null,
    rank: 4,
    teamId: null,
    bossId: 2,
  },
  {
    id: 5,
    name: '',
    email: '',
    badge: 'b5',
    pin: bytes(),
    hint: '',
    handle: '',
    memo: '',
    rank: 5,
    teamId: 2,
    bossId: 2,
  },
]

async function fill(client: FixtureClient): Promise<void> {
  for (const model of ['member', 'team', 'group']) await client[model]!.deleteMany()
  await client.group!.createMany({
    data: [
      { id: 1, code: 'g1' },
      { id: 2, code: 'g2' },
      { id: 3, code: null },
    ],
  })
  await client.team!.create({ data: { id: 1, title: 'red', groups: { connect: [{ id: 1 }, { id: 2 }] } } })
  await client.team!.create({ data: { id: 2, title: 'blue', groups: { connect: { id: 2 } } } })
  await client.member!.createMany({ data: MEMBERS.map((member) => ({ orgId: 'acme', ...member })) })
  await client.member!.update({ where: { id: 1 }, data: { groups: { connect: [{ id: 1 }, { id: 2 }] } } })
  await client.member!.update({ where: { id: 2 }, data: { groups: { connect: [{ id: 3 }] } } })
}
