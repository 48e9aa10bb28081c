import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type ClinicUnderTest, openClinic } from '../../support/clinic.js'
import { refusalCode } from '../../support/refusal.js'

/* Results of more rows than are decrypted at a time. */

const ROWS = 1_500
const SECOND = 900
const CONTACTS = new Set([0, 700, ROWS - 1])

let clinic: ClinicUnderTest
const orderBy = { number: 'asc' } as const

const nameOf = (number: number) => `patient ${number}`
const phoneOf = (number: number) => (number % 3 === 0 ? null : `+86 20 ${number}`)

beforeAll(async () => {
  clinic = await openClinic()
  const across = clinic.another().$acrossTenants()
  await across.patient.createMany({
    data: Array.from({ length: ROWS }, (_, number) => ({
      clinicId: number < SECOND ? 'acme' : 'globex',
      number,
      name: nameOf(number),
      phone: phoneOf(number),
      history: { number },
    })),
  })
  for (const { id, number, clinicId } of await clinic.plain.patient.findMany({ orderBy })) {
    if (!CONTACTS.has(number)) continue
    const data = { patientId: id, relationship: 'self', name: nameOf(number) }
    await clinic.another().$forTenant(clinicId).contact.create({ data })
  }
})
afterAll(() => clinic.close())

describe('a long result', () => {
  it('has every value of every row and of the rows in them', async () => {
    const rows = await clinic
      .another()
      .$acrossTenants()
      .patient.findMany({ orderBy, include: { contacts: true } })
    expect(rows.map(({ name, phone, history }) => ({ name, phone, history }))).toEqual(
      Array.from({ length: ROWS }, (_, number) => ({
        name: nameOf(number),
        phone: phoneOf(number),
        history: { number },
      })),
    )
    expect(rows.flatMap(({ contacts }) => contacts.map(({ name }) => name))).toEqual([...CONTACTS].map(nameOf))
  })

  it('is the same where the keys of later rows are not in memory, and asks for them at once', async () => {
    const reader = clinic.prisma
    await reader.$forTenant('acme').patient.findFirstOrThrow({ where: { number: 1 } })
    clinic.takeSql()
    const rows = await reader.$acrossTenants().patient.findMany({ orderBy })
    expect(rows.map(({ name }) => name)).toEqual(Array.from({ length: ROWS }, (_, number) => nameOf(number)))
    expect(clinic.takeSql().filter((sql) => sql.includes('encryption_keys'))).toHaveLength(1)
  })

  it.each(['in memory', 'not in memory'])('fails for a value far down, with its field; keys %s', async (keys) => {
    const reader = clinic.another().$acrossTenants()
    if (keys === 'in memory') await reader.patient.findMany({ take: 1, orderBy: { number: 'desc' } })
    if (keys === 'in memory') await reader.patient.findMany({ take: 1, orderBy })
    const torn = { clinicId_number: { clinicId: 'globex', number: ROWS - 2 } }
    const { name } = await clinic.plain.patient.findUniqueOrThrow({ where: torn })
    await clinic.plain.patient.update({ where: torn, data: { name: `${name.slice(0, -4)}AAAA` } })
    const failed = await reader.patient.findMany({ orderBy }).catch((error: Error) => error)
    await clinic.plain.patient.update({ where: torn, data: { name } })
    expect(failed).toMatchObject({ code: 'DECRYPTION_FAILED', message: expect.stringMatching(/^Patient\.name/) })
  })

  it('fails for rows of another tenant far down', async () => {
    const acme = clinic.prisma.$forTenant('acme')
    expect(await refusalCode(() => acme.patient.findMany({ orderBy }))).toBe('TENANT_MISMATCH')
  })

  it('is told as one operation to the audit hook', async () => {
    const entries: unknown[] = []
    const audit = { record: ({ field, rows }: { field: string; rows: number }) => entries.push([field, rows]) }
    const acme = clinic.another({ audit }).$forTenant('acme')
    await acme.patient.findMany({ where: { clinicId: 'acme' }, select: { name: true } })
    expect(entries).toEqual([['Patient.name', SECOND]])
  })
})
