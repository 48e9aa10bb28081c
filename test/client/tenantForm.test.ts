import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Fixture, openFixture } from '../prisma/fixtureClient.js'
import { refusal } from '../support/refusal.js'

const ID = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'
const OTHER_FORMS = [ID.toUpperCase(), ID.replaceAll('-', ''), `{${ID}}`]

let uuids: Fixture
let short: Fixture
beforeAll(async () => {
  ;[uuids, short] = await Promise.all([openFixture('tenantColumns.prisma', { defaultTenant: ID }), openShort()])
  await uuids.prisma.account!.create({ data: { id: 1, tenantId: ID, email: 'ada@example.com' } })
})
afterAll(() => Promise.all([uuids?.close(), short?.close()]))

const openShort = () => openFixture('shortTenant.prisma', { defaultTenant: 'acme' })

describe('a tenant whose column is a UUID', () => {
  it.each(OTHER_FORMS)('is refused as %s, which the column would store as another text', async (tenant) => {
    const { account } = uuids.another({ defaultTenant: undefined } as object).$forTenant(tenant)
    for (const work of [
      () => account!.create({ data: { id: 2, tenantId: tenant, email: 'grace@example.com' } }),
      () => account!.findMany({ where: { email: 'ada@example.com' } }),
      () => account!.findMany(),
    ]) {
      const error = await refusal(work)
      expect(error).toMatchObject({ code: 'TENANT_INVALID', message: expect.stringContaining(`"${ID}": write it so`) })
    }
    expect(await uuids.plain.account!.count()).toBe(1)
  })

  it('is refused in another form where $acrossTenants() finds it in the data, or the default tenant is it', async () => {
    const [upper] = OTHER_FORMS
    const data = { id: 2, tenantId: upper, email: 'grace@example.com' }
    const clients = [uuids.prisma.$acrossTenants(), uuids.another({ defaultTenant: upper! })]
    for (const { account } of clients)
      expect(await refusal(() => account!.create({ data }))).toMatchObject({ code: 'TENANT_INVALID' })
  })

  it('is served in the form in which it is stored', async () => {
    expect(await uuids.prisma.account!.findMany({ where: { email: 'ada@example.com' } })).toHaveLength(1)
    expect(await uuids.prisma.$acrossTenants().account!.findMany()).toMatchObject([{ email: 'ada@example.com' }])
  })
})

describe('a tenant whose column has a length', () => {
  it('is refused when it is longer: blanks at its end would be cut off', async () => {
    const tenant = 'acme  '
    const { account } = short.another({ defaultTenant: tenant })
    const error = await refusal(() => account!.create({ data: { id: 1, tenantId: tenant, email: 'a' } }))
    expect(error).toMatchObject({ code: 'TENANT_INVALID', message: expect.stringContaining('holds 5 characters') })
  })

  it.each(['acme', 'acme ', '😀😀😀😀😀'])('is served where it fits: "%s"', async (tenant) => {
    const { account } = short.another({ defaultTenant: tenant })
    await account!.create({ data: { id: 1, tenantId: tenant, email: 'a' } })
    expect(await account!.findMany()).toEqual([{ id: 1, tenantId: tenant, email: 'a', emailIndex: expect.any(String) }])
    await short.plain.account!.deleteMany()
  })
})

describe('a value that a ciphertext is bound to', () => {
  it('is refused when its column would shorten it', async () => {
    const create = () => uuids.prisma.parcel!.createMany({ data: [{ id: 1, code: 'abcde ', content: 'books' }] })
    expect(await refusal(create)).toMatchObject({ code: 'VALUE_INVALID' })
    await uuids.prisma.parcel!.create({ data: { id: 1, code: 'abcd ', content: 'books' } })
    expect(await uuids.prisma.parcel!.findMany()).toEqual([{ id: 1, code: 'abcd ', content: 'books' }])
  })
})
