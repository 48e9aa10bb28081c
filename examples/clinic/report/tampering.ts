import type { ClinicClient, PlainClient } from '../clients.js'
import { outcome } from '../outcome.js'
import { section, table } from '../terminal.js'

/** A change by somebody who can write to the database, and the row in which the app then reads it. */
interface Tampering {
  readonly what: string
  readonly id: string
  readonly change: { readonly name?: string; readonly email?: string; readonly phone?: string }
}

/** Changes ciphertexts by plain SQL, reads them through the app, and puts them back. */
export async function reportTampering(prisma: ClinicClient, plain: PlainClient): Promise<void> {
  section('What the app gets when somebody changes or moves ciphertexts in the database')
  const [victim, other] = await patientsOf(plain, 'linden')
  const [stranger] = await patientsOf(plain, 'jing-an')
  const tamperings: Tampering[] = [
    { what: 'one character of a name flipped', id: victim!.id, change: { name: flipped(victim!.name) } },
    { what: 'the name put into the e-mail column', id: victim!.id, change: { email: victim!.name } },
    { what: 'jing-an’s name put into linden’s row', id: victim!.id, change: { name: stranger!.name } },
    { what: 'a phone put into another patient’s row (bind: id)', id: other!.id, change: { phone: victim!.phone! } },
    { what: 'a name put into another patient’s row (no bind)', id: other!.id, change: { name: victim!.name } },
    { what: 'a readable name put into the column', id: victim!.id, change: { name: 'Mallory' } },
  ]
  const rows: string[][] = []
  for (const tampering of tamperings) rows.push([tampering.what, await suffered(prisma, plain, tampering)])
  table([36], ['changed by SQL', 'the app gets'], rows)
}

function patientsOf(plain: PlainClient, clinicId: string) {
  return plain.patient.findMany({
    where: { clinicId, email: { not: null }, phone: { not: null } },
    orderBy: { number: 'asc' },
    take: 2,
  })
}

async function suffered(prisma: ClinicClient, plain: PlainClient, { id, change }: Tampering): Promise<string> {
  const where = { id }
  const { name, email, phone } = await plain.patient.findUniqueOrThrow({ where })
  await plain.patient.update({ where, data: change })
  try {
    const read = () => prisma.$forTenant('linden').patient.findUniqueOrThrow({ where })
    return await outcome(read, (row) => `${row.name}: not noticed. Names are not bound to their row; bind: id would`)
  } finally {
    await plain.patient.update({ where, data: { name, email, phone } })
  }
}

function flipped(stored: string): string {
  const middle = Math.floor((stored.length + 28) / 2)
  return stored.slice(0, middle) + (stored[middle] === 'A' ? 'B' : 'A') + stored.slice(middle + 1)
}
