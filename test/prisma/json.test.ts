import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Fixture, openFixture } from './fixtureClient.js'

let fixture: Fixture
beforeAll(async () => {
  fixture = await openFixture('typed.prisma', { normalizers: { noVowels: (text) => text } })
})
afterAll(() => fixture?.close())

describe('Json', () => {
  it('that is not encrypted is never touched, whatever its keys and texts are', async () => {
    const { prisma, plain } = fixture
    const inner = { text: 'fs1.x', set: 1, json: { names: ['a'] }, create: { int: 1 }, where: { text: 'b' } }
    for (const value of [inner, { set: inner }, [inner], 'fs1.AQ', { push: 1 }]) {
      const { id } = await prisma.guarded!.create({ data: { text: 'Ada', plain: value } })
      expect((await prisma.guarded!.findUniqueOrThrow({ where: { id } })).plain).toEqual(value)
      expect((await plain.guarded!.findUniqueOrThrow({ where: { id } })).plain).toEqual(value)
      await prisma.guarded!.update({ where: { id }, data: { plain: value } })
      expect(await prisma.guarded!.findFirst({ where: { id, plain: { equals: value } } })).toMatchObject({
        plain: value,
      })
    }
  })

  it('that is encrypted keeps DbNull and JsonNull apart', async () => {
    const { prisma, plain, Prisma } = fixture
    const { id } = await prisma.guarded!.create({ data: { json: Prisma.JsonNull, old: Prisma.DbNull } })
    expect(await prisma.guarded!.findUniqueOrThrow({ where: { id } })).toMatchObject({ json: null, old: null })
    const stored = await plain.guarded!.findUniqueOrThrow({ where: { id } })
    expect(stored).toMatchObject({ json: expect.stringMatching(/^fs1\./), old: null })
    const rows = await prisma.guarded!.findMany({ where: { id, old: { equals: Prisma.DbNull } } })
    expect(rows).toHaveLength(1)
  })
})
