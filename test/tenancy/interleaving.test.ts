import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { withTenant } from 'fieldseal'
import { type ClinicUnderTest, openClinic } from '../support/clinic.js'
import { refusalCode } from '../support/refusal.js'

let clinic: ClinicUnderTest
const TENANTS = Array.from({ length: 20 }, (_, i) => `tenant-${i}`)
beforeAll(async () => {
  clinic = await openClinic()
  await clinic.plain.clinic.createMany({ data: TENANTS.map((id) => ({ id, name: id })) })
})
afterAll(() => clinic.close())

const KINDS = ['bound write', 'ambient write', 'lazy write', 'nested write', 'own read', 'foreign read'] as const

const operation = fc.record({
  tenant: fc.constantFrom(...TENANTS),
  other: fc.constantFrom(...TENANTS),
  kind: fc.constantFrom(...KINDS),
  before: fc.nat(5),
  between: fc.nat(3),
})
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never

let number = 0

/** Runs one operation and tells whether it did as it should. */
async function run({ tenant, other, kind, before, between }: Operation): Promise<boolean> {
  await setTimeout(before)
  const { prisma } = clinic
  number += 1
  const data = { clinicId: tenant, number, name: `${tenant} secret`, email: `${number}@${tenant}` }
  switch (kind) {
    case 'bound write': {
      const client = prisma.$forTenant(tenant)
      await setTimeout(between)
      return (await client.patient.create({ data: { ...data } })).name === data.name
    }
    case 'ambient write':
      return withTenant(tenant, async () => {
        await setTimeout(between)
        return (await prisma.patient.create({ data })).name === data.name
      })
    case 'lazy write': {
      const query = withTenant(tenant, () => prisma.patient.create({ data }))
      await setTimeout(between)
      return (await query).name === data.name
    }
    case 'nested write':
      return withTenant(other, async () => {
        await setTimeout(between)
        const row = await withTenant(tenant, () => prisma.patient.create({ data }))
        return row.name === data.name
      })
    case 'own read': {
      const rows = await prisma.$forTenant(tenant).patient.findMany({ where: { clinicId: tenant }, take: 3 })
      return rows.every(({ name }) => name === `${tenant} secret`)
    }
    case 'foreign read': {
      const where = { clinicId: other }
      const read = () => prisma.$forTenant(tenant).patient.findMany({ where, take: 3 })
      const strange = tenant !== other && (await clinic.plain.patient.count({ where })) > 0
      return strange ? (await refusalCode(read)) === 'TENANT_MISMATCH' : Array.isArray(await read())
    }
  }
}

describe('1,000 interleaved operations of 20 tenants', () => {
  it('never mix', async () => {
    const batches = fc.array(operation, { minLength: 200, maxLength: 200 })
    const property = fc.asyncProperty(batches, async (operations) => {
      const outcomes = await Promise.all(operations.map(run))
      expect(operations.filter((_, i) => !outcomes[i])).toEqual([])
    })
    await fc.assert(property, { numRuns: 5, endOnFailure: true })

    const rows = await clinic.another().$acrossTenants().patient.findMany()
    expect(rows.length).toBeGreaterThan(100)
    expect(
      rows.filter(
        ({ clinicId, name, number: n, email }) => name !== `${clinicId} secret` || email !== `${n}@${clinicId}`,
      ),
    ).toEqual([])
    const keys = await clinic.plain.encryptionKey.groupBy({ by: ['tenant', 'purpose'], _count: true })
    expect(keys.filter(({ _count }) => _count !== 1)).toEqual([])
  }, 60_000)
})
