import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { FixtureClient, Row } from '../fixtureClient.js'
import { openTokenTwins, type Twins } from '../tokenTwins.js'

let twins: Twins
let prisma: FixtureClient
beforeAll(async () => {
  twins = await openTokenTwins()
  prisma = twins.encrypted.prisma
}, 120_000)
afterAll(() => twins?.close())
beforeEach(() => prisma.person!.deleteMany())

const data = { id: 1, title: 't', age: 40, name: 'Ada' }

async function stored(id = 1): Promise<Row> {
  const [row] = await prisma.$queryRawUnsafe('SELECT * FROM "Person" WHERE id = $1', id)
  return row!
}

const ids = async (where: object) =>
  (await prisma.person!.findMany({ where, select: { id: true } })).map(({ id }) => id)

describe('tokens in the column', () => {
  it('are UUIDs in order, without duplicates, and as many as the index says', async () => {
    await prisma.person!.create({ data })
    const { ageCells, nameParts } = (await stored()) as { ageCells: string[]; nameParts: string[] }
    expect(ageCells).toHaveLength(4)
    // Beginnings Ad and Ada, endings da and Ada, the word, its beginnings Ad and Ada, and the gram Ada.
    expect(nameParts).toHaveLength(8)
    for (const tokens of [ageCells, nameParts]) {
      expect(tokens).toEqual([...new Set(tokens)].sort())
      for (const token of tokens) expect(token).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    }
  })

  it('tell nothing of another field with the same value, or of another tenant', async () => {
    const other = twins.encrypted.prisma.$forTenant('other')
    await prisma.person!.create({ data: { ...data, name: 'ab', title: 'ab' } })
    await other.person!.create({ data: { ...data, id: 2, name: 'ab', title: 'ab' } })
    const rows = [await stored(1), await stored(2)]
    const all = rows.flatMap(({ nameParts, titleParts }) => [...(nameParts as string[]), ...(titleParts as string[])])
    expect(new Set(all).size).toBe(all.length)
  })

  it('are null of a new row without a value, and none of a text too short for any', async () => {
    await prisma.person!.create({ data: { id: 1, title: '', name: null } })
    expect(await stored()).toMatchObject({ nameParts: null, ageCells: null, titleParts: [] })
  })
})

describe('every way of writing', () => {
  const writes: { readonly [name: string]: () => Promise<unknown> } = {
    update: () => prisma.person!.update({ where: { id: 1 }, data: { age: 70, name: 'Bob' } }),
    'update with set': () =>
      prisma.person!.update({ where: { id: 1 }, data: { age: { set: 70 }, name: { set: 'Bob' } } }),
    updateMany: () => prisma.person!.updateMany({ where: { age: { gt: 30 } }, data: { age: 70, name: 'Bob' } }),
    updateManyAndReturn: () => prisma.person!.updateManyAndReturn({ where: { id: 1 }, data: { age: 70, name: 'Bob' } }),
    upsert: () => prisma.person!.upsert({ where: { id: 1 }, create: data, update: { age: 70, name: 'Bob' } }),
    'nested update': () =>
      prisma.team!.create({ data: { id: 1, budget: 1n } }).then(async () => {
        await prisma.person!.update({ where: { id: 1 }, data: { teamId: 1 } })
        const persons = { update: { where: { id: 1 }, data: { age: 70, name: 'Bob' } } }
        await prisma.team!.update({ where: { id: 1 }, data: { persons } })
      }),
  }

  it.each(Object.entries(writes))('fills them: %s', async (_, write) => {
    await prisma.team!.deleteMany()
    await prisma.person!.create({ data })
    await write()
    expect(await ids({ age: { gt: 65 } })).toEqual([1])
    expect(await ids({ name: { startsWith: 'Bo' } })).toEqual([1])
    expect(await ids({ age: { lt: 65 } })).toEqual([])
    expect(await ids({ name: { startsWith: 'Ad' } })).toEqual([])
  })

  it('fills those of nested new rows', async () => {
    await prisma.team!.deleteMany()
    await prisma.team!.create({ data: { id: 1, budget: 1n, persons: { create: data } } })
    expect(await ids({ age: { gte: 40, lte: 40 } })).toEqual([1])
  })

  it('empties them with the value', async () => {
    await prisma.person!.create({ data })
    await prisma.person!.update({ where: { id: 1 }, data: { age: null, name: null } })
    expect(await stored()).toMatchObject({ age: null, ageCells: [], nameParts: [] })
    expect(await ids({ NOT: { age: { gt: 1 } } })).toEqual([])
    expect(await ids({ name: { not: { startsWith: 'Ad' } } })).toEqual([])
  })

  it('leaves those alone whose field is not written', async () => {
    await prisma.person!.create({ data })
    await prisma.person!.update({ where: { id: 1 }, data: { rank: 5 } })
    expect(await ids({ age: { gt: 39 }, name: { endsWith: 'da' } })).toEqual([1])
  })

  it('refuses to write their columns by hand', async () => {
    const invalid = { code: 'QUERY_UNSUPPORTED' }
    await expect(prisma.person!.create({ data: { ...data, ageCells: [] } })).rejects.toMatchObject(invalid)
    await expect(prisma.person!.updateMany({ data: { nameParts: { push: 'x' } } })).rejects.toMatchObject(invalid)
  })
})

describe('a value at the ends of a range index', () => {
  it.each([0, 120])('is stored and found: %d', async (age) => {
    await prisma.person!.create({ data: { ...data, age } })
    expect(await ids({ age: { gte: age, lte: age } })).toEqual([1])
    expect(await ids({ OR: [{ age: { gt: age } }, { age: { lt: age } }] })).toEqual([])
  })

  it.each([
    ['one below', { age: -1 }],
    ['one above', { age: 121 }],
    ['a decimal place too many', { pay: '0.001' }],
    ['a decimal above', { pay: '50.01' }],
    ['a day above', { born: new Date('1991-01-01') }],
  ])('is refused one beyond, before any SQL: %s', async (_, beyond) => {
    twins.encrypted.takeSql()
    const written = prisma.person!.create({ data: { ...data, ...beyond } })
    await expect(written).rejects.toMatchObject({ code: 'VALUE_INVALID' })
    await expect(written).rejects.not.toThrow(/ -1|121|0\.001|50\.01|1991/)
    expect(twins.encrypted.takeSql()).toEqual([])
  })
})

it('finds nothing by tokens in a row whose list was set to null by raw SQL, under a negation neither', async () => {
  await prisma.person!.create({ data })
  await prisma.$executeRawUnsafe('UPDATE "Person" SET "ageCells" = NULL, "nameParts" = NULL')
  expect(await ids({ age: { gt: 1 } })).toEqual([])
  expect(await ids({ NOT: { age: { gt: 100 } } })).toEqual([])
})
