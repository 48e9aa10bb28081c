import type { ClinicClient } from './clients.js'
import { DIAGNOSES, inventHistory, inventVisit } from './medicine.js'
import { inventPerson } from './people.js'
import { inventPhoto } from './photo.js'
import { Random } from './random.js'

/** The tenants. */
export const CLINICS = [
  { id: 'linden', name: 'Lindenklinik, Berlin' },
  { id: 'jing-an', name: '静安诊所, Shanghai' },
] as const

const DOCTORS = 6
const PATIENTS = 50

/** Writes the clinics and all they know. The code is that of any Prisma app, but for `$forTenant`. */
export async function writeRecords(prisma: ClinicClient): Promise<void> {
  await prisma.diagnosis.createMany({ data: [...DIAGNOSES] })
  for (const [position, clinic] of CLINICS.entries()) {
    const random = new Random(2025 + position)
    const tenant = prisma.$forTenant(clinic.id)
    await tenant.clinic.create({ data: clinic })
    const doctors = await hireDoctors(tenant, clinic.id, random)
    for (let number = 1; number <= PATIENTS; number++) {
      await tenant.patient.create({ data: newPatient({ clinicId: clinic.id, number, doctors, random }) })
    }
  }
}

/** A senior doctor, whose mentees are written with her. */
async function hireDoctors(prisma: ClinicClient, clinicId: string, random: Random): Promise<string[]> {
  const person = () => {
    const { name, phone } = inventPerson(random)
    return { clinicId, name, mobile: phone }
  }
  const mentees = Array.from({ length: DOCTORS - 1 }, person)
  const senior = await prisma.doctor.create({
    data: { ...person(), mentees: { create: mentees } },
    select: { id: true, mentees: { select: { id: true } } },
  })
  return [senior, ...senior.mentees].map(({ id }) => id)
}

/** A patient with contacts, insurance and visits: one nested write. What some patients lack stays NULL. */
function newPatient(given: { clinicId: string; number: number; doctors: readonly string[]; random: Random }) {
  const { clinicId, number, doctors, random } = given
  const { name, city, phone, handle } = inventPerson(random)
  return {
    clinicId,
    number,
    city,
    name,
    ...(random.chance(85) && { email: `${handle}.${number}@example.com` }),
    ...(random.chance(90) && { phone }),
    ...(random.chance(80) && { history: inventHistory(random) }),
    ...(random.chance(40) && { photo: inventPhoto(random) }),
    contacts: { create: Array.from({ length: random.below(3) }, () => newContact(random)) },
    ...(random.chance(90) && { insurance: { create: newInsurance(random) } }),
    visits: {
      create: Array.from({ length: random.between(1, 3) }, () => ({
        ...inventVisit(random),
        doctorId: random.pick(doctors),
      })),
    },
  }
}

function newContact(random: Random) {
  const { name, phone } = inventPerson(random)
  return { relationship: random.pick(['partner', 'parent', 'child', 'friend']), name, phone }
}

function newInsurance(random: Random) {
  const insurer = random.pick(['Barmer', '中国人寿', 'AXA', 'Techniker'])
  return { insurer, policy: `${random.pick(['A', 'K', 'X'])}-${random.digits(4)}-${random.digits(6)}` }
}
