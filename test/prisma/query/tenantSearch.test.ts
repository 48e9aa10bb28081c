import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { withTenant } from 'fieldseal'
import { fieldEncryption } from 'fieldseal/prisma'
import { emulatedKms } from '../../support/clinic.js'
import { type Fixture, type FixtureClient, openFixture } from '../fixtureClient.js'

type TenantClient = FixtureClient & { $forTenant(id: string): FixtureClient; $acrossTenants(): FixtureClient }

let fixture: Fixture
let prisma: TenantClient
beforeAll(async () => {
  fixture = await openFixture('search.prisma')
  const encryption = fieldEncryption({ schema: fixture.schema, kms: emulatedKms(fixture.emulator) })
  prisma = fixture.open().$extends(encryption) as TenantClient
  for (const [id, orgId] of ['acme', 'globex'].entries()) {
    const data = { id, orgId, name: 'Ann', email: 'ann@x', badge: 'b1', handle: 'h', rank: id }
    await prisma.$forTenant(orgId).member!.create({ data })
  }
})
afterAll(() => fixture?.close())

const orgId = 'acme'

describe('a blind index', () => {
  it('is another one for each tenant, and the same for all where its scope is global', async () => {
    const [acme, globex] = await fixture.plain.member!.findMany({ orderBy: { id: 'asc' } })
    for (const index of ['nameIndex', 'emailIndex', 'badgeIndex']) {
      expect(acme![index]).toEqual(expect.stringMatching(/^[\w-]{22}$/))
      expect(acme![index]).not.toBe(globex![index])
    }
    expect(acme!.handleIndex).toBe(globex!.handleIndex)
  })

  it('finds a tenant its own rows only', async () => {
    expect(await prisma.$forTenant('acme').member!.findMany({ where: { email: 'ann@x' } })).toMatchObject([{ id: 0 }])
    expect(await withTenant('globex', () => prisma.member!.findUnique({ where: { email: 'ann@x' } }))).toMatchObject({
      id: 1,
    })
    expect(await prisma.$forTenant('acme').member!.count({ where: { name: 'Ann' } })).toBe(1)
  })

  it('of global scope finds every tenant’s rows, whose values stay closed', async () => {
    const where = { handle: 'h' }
    expect(await prisma.$forTenant('acme').member!.count({ where })).toBe(2)
    await expect(prisma.$forTenant('acme').member!.findMany({ where })).rejects.toMatchObject({
      code: 'TENANT_MISMATCH',
    })
    expect(await prisma.$acrossTenants().member!.findMany({ where, orderBy: { id: 'asc' } })).toMatchObject([
      { handle: 'h' },
      { handle: 'h' },
    ])
  })
})

describe('a search across tenants', () => {
  it('takes the tenant from the @tenant column beside the value, wherever it stands', async () => {
    const across = prisma.$acrossTenants()
    const found = { id: 0, email: 'ann@x' }
    expect(await across.member!.findMany({ where: { orgId, email: 'ann@x' } })).toMatchObject([found])
    expect(await across.member!.findMany({ where: { orgId: { equals: orgId }, AND: [{ name: 'Ann' }] } })).toHaveLength(
      1,
    )
    expect(await across.member!.findUnique({ where: { orgId_badge: { orgId, badge: 'b1' } } })).toMatchObject(found)
    const either = ['acme', 'globex'].map((tenant) => ({ orgId: tenant, email: 'ann@x' }))
    expect(await across.member!.count({ where: { OR: either } })).toBe(2)
    const reports = { some: { orgId, name: { not: 'Ann' } } }
    expect(await across.member!.count({ where: { reports } })).toBe(0)
  })

  it('is refused without one, before any SQL', async () => {
    const search = prisma.$acrossTenants().member!.findMany({ where: { email: 'ann@x' } })
    await expect(search).rejects.toMatchObject({
      code: 'TENANT_MISSING',
      message: /Member\.email.*@tenant column beside it/s,
    })
  })
})

describe('distinct across tenants', () => {
  it.each<[string, object, number[]]>([
    ['beside the tenant', { distinct: ['orgId', 'name'] }, [0, 1]],
    ['of one tenant', { where: { orgId }, distinct: ['name'] }, [0]],
    ['by an index of global scope', { distinct: ['handle'] }, [0]],
    ['by an index column itself, which differs', { distinct: ['nameIndex'] }, [0, 1]],
  ])('has the answer of the plain client %s', async (_, query, ids) => {
    const rows = await prisma.$acrossTenants().member!.findMany({ ...query, orderBy: { id: 'asc' } })
    expect(rows.map(({ id }) => id)).toEqual(ids)
  })

  it.each([{}, { where: { orgId: { in: ['acme', 'globex'] } } }, { where: { OR: [{ orgId }] } }])(
    'is refused before any SQL where equal values of two tenants would count as two: %j',
    async (query) => {
      fixture.takeSql()
      const found = prisma.$acrossTenants().member!.findMany({ ...query, distinct: ['name'] })
      await expect(found).rejects.toMatchObject({
        code: 'QUERY_UNSUPPORTED',
        message: expect.stringContaining('name "orgId" in "distinct" or one in the "where", or use $forTenant'),
      })
      expect(fixture.takeSql()).toEqual([])
    },
  )
})

describe('a search of one tenant in rows that are named as another’s', () => {
  it.each([
    { orgId: 'globex', email: 'ann@x' },
    { orgId: { equals: 'globex' }, AND: { name: 'Ann' } },
    { OR: [{ orgId: 'globex', name: { in: ['Ann'] } }] },
  ])('is refused: it would find nothing (%j)', async (where) => {
    const search = prisma.$forTenant('acme').member!.findMany({ where })
    await expect(search).rejects.toMatchObject({ code: 'TENANT_MISMATCH' })
  })

  it('is refused without a tenant too', async () => {
    await expect(prisma.member!.count({ where: { email: 'ann@x' } })).rejects.toMatchObject({ code: 'TENANT_MISSING' })
  })
})
