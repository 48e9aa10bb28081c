import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { refusal } from '../../support/refusal.js'
import { type Fixture, type FixtureClient, openFixture } from '../fixtureClient.js'

let encrypted: Fixture
beforeAll(async () => {
  encrypted = await openFixture('access.prisma', { defaultTenant: 'acme' })
})
afterAll(() => encrypted?.close())

const ada = { id: 1, orgId: 'acme', name: 'Ada', email: 'ada@example.com' }
beforeEach(async () => {
  await encrypted.plain.visit!.deleteMany()
  await encrypted.plain.person!.deleteMany()
  await encrypted.prisma.person!.create({ data: ada })
})

/** What Prisma writes as what its `toJSON` returns. */
const hidden = (value: unknown) => ({ toJSON: () => value })
/** What Prisma passes on without looking, also from a request's body. */
const raw = (values: unknown) => ({ __prismaRawParameters__: true, values })

const grace = { id: 2, orgId: 'acme', name: 'Grace', email: 'grace@example.com' }
const visit = { id: 1, orgId: 'acme', reason: 'cough' }

type Wrap = (value: unknown) => unknown
const CALLS: readonly [string, (client: FixtureClient, wrap: Wrap) => Promise<unknown>][] = [
  ['the data of a create', (c, wrap) => c.person!.create({ data: wrap(grace) })],
  ['the data of a createMany', (c, wrap) => c.person!.createMany({ data: wrap([grace]) })],
  ['a record of a createMany', (c, wrap) => c.person!.createMany({ data: [wrap(grace)] })],
  ['the data of an update', (c, wrap) => c.person!.update({ where: { id: 1 }, data: wrap({ name: 'Augusta' }) })],
  ['the data of an updateMany', (c, wrap) => c.person!.updateMany({ data: wrap({ name: 'Augusta' }) })],
  ['a value of a field', (c, wrap) => c.person!.update({ where: { id: 1 }, data: { name: wrap('Augusta') } })],
  ['a value of a Json field', (c, wrap) => c.person!.update({ where: { id: 1 }, data: { notes: { a: wrap([1]) } } })],
  ['a nested create', (c, wrap) => c.person!.create({ data: { ...grace, visits: { create: wrap(visit) } } })],
  ['a nested write', (c, wrap) => c.person!.create({ data: { ...grace, visits: wrap({ create: visit }) } })],
  ['a where', (c, wrap) => c.person!.findMany({ where: wrap({ email: ada.email }) })],
  ['a condition', (c, wrap) => c.person!.findMany({ where: { email: wrap({ equals: ada.email }) } })],
  ['a NOT', (c, wrap) => c.person!.deleteMany({ where: { id: 1, NOT: wrap({ email: ada.email }) } })],
  ['an element of an OR', (c, wrap) => c.person!.count({ where: { OR: [wrap({ email: ada.email })] } })],
  ['a filter through a relation', (c, wrap) => c.visit!.findMany({ where: { person: wrap({ email: ada.email }) } })],
  ['a unique where', (c, wrap) => c.person!.findUnique({ where: wrap({ email: ada.email }) })],
  ['the where of a relation', (c, wrap) => c.person!.findMany({ include: { visits: { where: wrap({ id: 1 }) } } })],
]

/** What the call did and answered: every row afterwards, by the encrypted client. */
async function effect(work: () => Promise<unknown>): Promise<unknown> {
  const answer = await work()
  return {
    answer,
    people: await encrypted.prisma.person!.findMany({ include: { visits: true }, orderBy: { id: 'asc' } }),
  }
}

async function afresh(): Promise<void> {
  await encrypted.plain.visit!.deleteMany()
  await encrypted.plain.person!.deleteMany()
  await encrypted.prisma.person!.create({ data: ada })
}

/** Every cell that only a ciphertext may be in. */
async function plaintextCells(): Promise<unknown[]> {
  const people = await encrypted.plain.$queryRawUnsafe('SELECT name, email FROM "Person"')
  const visits = await encrypted.plain.$queryRawUnsafe('SELECT reason FROM "Visit"')
  const cells = [...people, ...visits].flatMap((row) => Object.values(row))
  return cells.filter((cell) => cell !== null && !String(cell).startsWith('fs1.'))
}

describe.each(CALLS)('%s, as an object that says itself how it is written', (_, call) => {
  it('is taken for what its toJSON returns', async () => {
    const wanted = await effect(() => call(encrypted.prisma, (value) => value))
    await afresh()
    expect(await effect(() => call(encrypted.prisma, hidden))).toEqual(wanted)
    expect(await plaintextCells()).toEqual([])
  })

  it('is refused before any SQL where Prisma would pass it on unseen', async () => {
    encrypted.takeSql()
    const error = await refusal(() => call(encrypted.prisma, raw))
    expect(error).toMatchObject({ code: 'QUERY_UNSUPPORTED', message: expect.stringContaining('from a request') })
    expect(encrypted.takeSql()).toEqual([])
  })
})

describe('arguments with a toJSON', () => {
  it.each([
    ['orderBy', { orderBy: hidden({ email: 'asc' }) }],
    ['a filter that no index answers', { where: hidden({ email: { gt: 'a' } }) }],
    ['distinct', { distinct: hidden(['name']) }],
  ])('are refused as what they stand for: %s', async (_, args) => {
    expect(await refusal(() => encrypted.prisma.person!.findMany(args))).toMatchObject({ code: 'QUERY_UNSUPPORTED' })
  })

  it('do not let a client search that may not', async () => {
    const limited = encrypted.prisma.$forTenant('acme', { allow: [] })
    const search = () => limited.person!.count({ where: hidden({ emailIndex: { startsWith: '' } }) })
    expect(await refusal(search)).toMatchObject({ code: 'ACCESS_DENIED' })
  })

  it('do not fill a blind index by hand', async () => {
    const forge = () => encrypted.prisma.person!.updateMany({ data: hidden({ emailIndex: 'forged' }) })
    expect(await refusal(forge)).toMatchObject({ code: 'QUERY_UNSUPPORTED' })
  })

  it('leave what toJSON returned as it was', async () => {
    const data = { ...grace, visits: { create: { ...visit } } }
    const before = structuredClone(data)
    await encrypted.prisma.person!.create({ data: hidden(data) })
    expect(data).toEqual(before)
  })

  it('serve as values of plain columns, as a library of dates has them', async () => {
    const rank = { toJSON: () => 7 }
    await encrypted.prisma.person!.update({ where: { id: 1 }, data: { rank } })
    expect(await encrypted.prisma.person!.findMany({ where: { rank } })).toMatchObject([{ id: 1, rank: 7 }])
  })

  it('that return another such object, or themselves, are refused', async () => {
    const itself = {
      toJSON() {
        return this
      },
    }
    for (const where of [hidden(hidden({ id: 1 })), itself])
      expect(await refusal(() => encrypted.prisma.person!.findMany({ where }))).toMatchObject({
        code: 'QUERY_UNSUPPORTED',
      })
  })
})
