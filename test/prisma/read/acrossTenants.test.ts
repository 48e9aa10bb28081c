import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type ClinicUnderTest, openClinic } from '../../support/clinic.js'
import { refusal, refusalCode } from '../../support/refusal.js'

type Client = ClinicUnderTest['prisma']

let clinic: ClinicUnderTest
let ada: string
beforeAll(async () => {
  clinic = await openClinic()
  const add = async (clinicId: string, name: string) => {
    const data = { clinicId, number: 1, name, history: { of: name }, photo: new Uint8Array([1]), visits }
    return (await clinic.prisma.$forTenant(clinicId).patient.create({ data })).id
  }
  const visits = { create: { at: new Date(), reason: 'cough' } }
  ada = await add('acme', 'Ada')
  await add('globex', 'Grace')
})
afterAll(() => clinic.close())

const order = { orderBy: { clinicId: 'asc' } } as const
const READS: readonly [string, (client: Client) => PromiseLike<unknown>][] = [
  ['all fields', (client) => client.patient.findMany(order)],
  ['one field alone', (client) => client.patient.findMany({ select: { name: true }, ...order })],
  ['without the tenant column', (client) => client.patient.findMany({ omit: { clinicId: true }, ...order })],
  ['as rows of a relation', (client) => client.clinic.findMany({ select: { patients: { select: { name: true } } } })],
  ['by the fluent API', (client) => client.clinic.findUnique({ where: { id: 'acme' } }).patients()],
  ['as what a write returns', (client) => client.patient.update({ where: { id: ada }, data: { city: 'Rome' } })],
  [
    'from raw SQL',
    async (client) =>
      client.$encryption.decryptRows('Patient', await client.$queryRaw<object[]>`SELECT * FROM patients ORDER BY 2`),
  ],
]

describe.each(READS)('$acrossTenants() that reads rows, %s', (_, read) => {
  it('gives plaintext of every tenant, and no column that was not asked for', async () => {
    const rows = await read(clinic.prisma.$acrossTenants())
    expect(JSON.stringify(rows)).toContain('"Ada"')
    expect(JSON.stringify(rows)).not.toContain('fs1.')
  })

  it('refuses a row that holds a ciphertext of another tenant, keys in memory or not', async () => {
    const [before] = await clinic.plain.$queryRaw<
      { name: string }[]
    >`SELECT name FROM patients WHERE clinic_id = 'acme'`
    await clinic.plain.$executeRaw`
      UPDATE patients SET name = (SELECT name FROM patients WHERE clinic_id = 'globex') WHERE clinic_id = 'acme'`
    try {
      for (const client of [clinic.prisma, clinic.another()]) {
        const error = await refusal(() => read(client.$acrossTenants()))
        expect(error).toMatchObject({ code: 'TENANT_MISMATCH', message: expect.stringContaining('Patient.name') })
        expect(error.message).not.toMatch(/Grace|fs1\./)
      }
    } finally {
      await clinic.plain.$executeRaw`UPDATE patients SET name = ${before!.name} WHERE clinic_id = 'acme'`
    }
  })
})

describe('$acrossTenants()', () => {
  it('takes the tenant column out again where it was not asked for', async () => {
    const across = clinic.prisma.$acrossTenants()
    const rows = await across.patient.findMany({ select: { name: true }, ...order })
    expect(rows).toEqual([{ name: 'Ada' }, { name: 'Grace' }])
    expect(await across.patient.findMany({ select: { number: true }, ...order })).toEqual([
      { number: 1 },
      { number: 1 },
    ])
    const [nested] = await across.clinic.findMany({
      select: { patients: { select: { name: true } } },
      orderBy: { id: 'asc' },
    })
    expect(nested).toEqual({ patients: [{ name: 'Ada' }] })
    const [omitted] = await across.patient.findMany({ omit: { clinicId: true }, ...order })
    expect(Object.keys(omitted!)).not.toContain('clinicId')
  })

  it('cannot be made to write what is another tenant’s as this one’s', async () => {
    const across = clinic.prisma.$acrossTenants()
    const secret = await clinic.plain.patient.findFirstOrThrow({ where: { clinicId: 'globex' } })
    const own = await clinic.plain.patient.findFirstOrThrow({ where: { clinicId: 'acme' } })
    await clinic.plain.patient.update({ where: { id: ada }, data: { name: secret.name } })
    const writeBack = async () => {
      for (const { id, clinicId, name } of await across.patient.findMany()) {
        await across.patient.update({ where: { id }, data: { clinicId, name } })
      }
    }
    expect(await refusalCode(writeBack)).toBe('TENANT_MISMATCH')
    const stored = await clinic.plain.patient.findUniqueOrThrow({ where: { id: ada } })
    expect(stored.name).toBe(secret.name)
    await clinic.plain.patient.update({ where: { id: ada }, data: { name: own.name } })
  })

  it('reads a row whose tenant column is of a tenant, and whose fields are NULL', async () => {
    await clinic.plain.doctor.create({ data: { clinicId: 'acme', name: 'Dr' } })
    expect(await clinic.prisma.$acrossTenants().doctor.findMany({ select: { mobile: true } })).toEqual([
      { mobile: null },
    ])
  })

  it.each([
    ['takes it out', { query: { patient: { $allOperations: without('clinicId') } } }],
    ['does not select it', { query: { patient: { $allOperations: unselected('clinicId') } } }],
    ['renames it', { query: { patient: { $allOperations: renamed('clinicId', 'org') } } }],
  ])('refuses rows where a later extension %s: nothing tells whose they are', async (_, extension) => {
    const client = clinic.prisma.$extends(extension as object).$acrossTenants()
    const error = await refusal(() => client.patient.findMany({ select: { name: true } }))
    expect(error).toMatchObject({ code: 'TENANT_MISMATCH', message: expect.stringContaining('an extension') })
  })
})

interface Call {
  readonly args: { readonly select?: object }
  query(args: object): Promise<Record<string, unknown>[]>
}

function without(column: string) {
  return async ({ args, query }: Call) => (await query(args)).map(({ [column]: _, ...row }) => row)
}

function unselected(column: string) {
  return ({ args, query }: Call) => query({ ...args, select: { ...args.select, [column]: false } })
}

function renamed(column: string, name: string) {
  return async ({ args, query }: Call) =>
    (await query(args)).map(({ [column]: value, ...row }) => ({ ...row, [name]: value }))
}
