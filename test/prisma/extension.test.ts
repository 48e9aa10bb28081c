import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type ClinicUnderTest, openClinic } from '../support/clinic.js'

let clinic: ClinicUnderTest
beforeAll(async () => {
  clinic = await openClinic()
})
afterAll(() => clinic.close())

describe('an extended client', () => {
  it('gives the app plaintext and the database ciphertext', async () => {
    const acme = clinic.prisma.$forTenant('acme')
    const ada = await acme.patient.create({
      data: { clinicId: 'acme', number: 1, name: 'Ada', email: 'ada@example.com' },
    })
    const stored = await clinic.plain.patient.findUniqueOrThrow({ where: { id: ada.id } })
    expect(ada).toMatchObject({ name: 'Ada', email: 'ada@example.com' })
    expect(stored.name).toMatch(/^fs1\.[\w-]+$/)
    expect(stored.email).toMatch(/^fs1\.[\w-]+$/)
  })
})
