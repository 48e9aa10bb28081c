import type { ClinicClient, PlainClient } from '../clients.js'
import { CLINICS } from '../records.js'
import { showPlain, showStored } from '../show.js'
import { dim, line, section, table } from '../terminal.js'

type Row = { readonly [field: string]: unknown }

/** The same queries by both clients: with encryption and without. */
export async function reportSideBySide(prisma: ClinicClient, plain: PlainClient): Promise<void> {
  section('The same rows, as the app reads them and as the database holds them')
  const lists = await Promise.all(CLINICS.map(({ id }) => firstPatients(prisma, plain, id)))
  table([10, 4, 22, 14], ['clinic', 'no.', 'name, in the app', 'city', 'name, in the database'], lists.flat())

  const id = await richestPatient(plain)
  const [read, stored] = await Promise.all([readPatient(prisma.$forTenant('jing-an'), id), readPatient(plain, id)])
  line()
  line(dim(`   Patient ${String(stored['Patient.number'])} of jing-an, from four tables by one query with include:`))
  line()
  const rows = Object.keys(stored).map((name) => [name, showPlain(read[name], 34), showStored(stored[name], 38)])
  table([22, 36], ['field', 'in the app', 'in the database'], rows)
}

async function firstPatients(prisma: ClinicClient, plain: PlainClient, clinicId: string): Promise<string[][]> {
  const query = { where: { clinicId }, orderBy: { number: 'asc' }, take: 4 } as const
  const read = await prisma.$forTenant(clinicId).patient.findMany(query)
  const stored = await plain.patient.findMany(query)
  return read.map(({ number, name, city }, position) => [
    clinicId,
    String(number),
    showPlain(name, 21),
    city ?? '',
    showStored(stored[position]!.name, 42),
  ])
}

/** One who has everything. What is NULL can be asked for without a key. */
async function richestPatient(plain: PlainClient): Promise<string> {
  const { id } = await plain.patient.findFirstOrThrow({
    where: {
      clinicId: 'jing-an',
      email: { not: null },
      phone: { not: null },
      photo: { not: null },
      contacts: { some: {} },
      insurance: { isNot: null },
    },
    orderBy: { number: 'asc' },
  })
  return id
}

async function readPatient(
  client: Pick<PlainClient, 'patient'> | Pick<ClinicClient, 'patient'>,
  id: string,
): Promise<Row> {
  const include = { contacts: { take: 1 }, insurance: true, visits: { take: 1, orderBy: { at: 'asc' } } } as const
  const { contacts, insurance, visits, ...patient } = await (client as PlainClient).patient.findUniqueOrThrow({
    where: { id },
    include,
  })
  const { number, name, email, emailIndex, phone, history, photo } = patient
  return Object.fromEntries([
    ...named('Patient', { number, name, email, emailIndex, phone, history, photo }),
    ...named('Contact', { name: contacts[0]?.name, phone: contacts[0]?.phone }),
    ...named('Insurance', { insurer: insurance?.insurer, policy: insurance?.policy }),
    ...named('Visit', { at: visits[0]?.at, reason: visits[0]?.reason, notes: visits[0]?.notes }),
  ])
}

function named(model: string, row: Row): [string, unknown][] {
  return Object.entries(row).map(([field, value]) => [`${model}.${field}`, value])
}
