import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Fixture, openFixture } from './fixtureClient.js'

let fixture: Fixture
beforeAll(async () => {
  fixture = await openFixture('legacy.prisma')
})
afterAll(() => fixture?.close())

describe('a client of the generator prisma-client-js', () => {
  it('encrypts, decrypts and refuses as that of prisma-client does', async () => {
    const { prisma, plain, Prisma } = fixture
    const sorted = prisma.pet!.findMany({ orderBy: { extra: 'asc' } })
    await expect(sorted).rejects.toMatchObject({ code: 'QUERY_UNSUPPORTED' })
    const owner = await prisma.owner!.create({
      data: {
        name: 'Ada',
        pets: {
          create: [
            { chip: 'c1', extra: Prisma.JsonNull },
            { chip: 'c2', extra: Prisma.DbNull },
          ],
        },
      },
      select: { name: true, pets: { select: { chip: true } } },
    })
    expect(owner).toStrictEqual({ name: 'Ada', pets: [{ chip: 'c1' }, { chip: 'c2' }] })
    expect(await prisma.pet!.findMany({ where: { extra: { equals: Prisma.DbNull } } })).toMatchObject([{ chip: 'c2' }])
    for (const pet of await plain.pet!.findMany()) expect(pet.chip).toMatch(/^fs1\./)
    const renamed = prisma.pet!.updateMany({ where: { chip: { equals: prisma.pet!.fields.id } }, data: {} })
    await expect(renamed).rejects.toMatchObject({ code: 'QUERY_UNSUPPORTED' })
  })
})
