import type { PlainClient } from '../clients.js'
import { showPlain, showStored } from '../show.js'
import { section, table } from '../terminal.js'

const HEAD_CHARACTERS = 28
const NONCE_TAG_CODEC = 12 + 16 + 1

/** One patient to somebody who has the whole database, and neither the KMS nor a process of the app. */
export async function reportThief(plain: PlainClient): Promise<void> {
  section(
    'What a thief with the whole database knows of one patient',
    'The keys table is no help: it is wrapped. What is not encrypted is readable, and so are lengths.',
  )
  const patient = await plain.patient.findFirstOrThrow({
    where: { clinicId: 'linden', email: { not: null }, phone: { not: null } },
    orderBy: { number: 'asc' },
    include: { visits: { take: 1 }, _count: { select: { visits: true, contacts: true } } },
  })
  const { clinicId, number, city, name, email, emailIndex, phone, createdAt, visits, _count } = patient
  const visit = visits[0]!
  table(
    [18, 40],
    ['column', 'what is there', 'what it tells'],
    [
      ['clinic_id', showPlain(clinicId, 38), 'the tenant'],
      ['number, city', showPlain(`${number}, ${city}`, 38), 'everything: they are not marked @encrypted'],
      ['name', showStored(name, 38), `a name of ${bytesIn(name)} bytes`],
      ['email', showStored(email, 38), `an address of ${bytesIn(email!)} bytes`],
      ['email_index', showPlain(emailIndex, 38), 'whether two of this clinic have the same'],
      ['phone', showStored(phone, 38), `a number of ${bytesIn(phone!)} bytes`],
      ['created_at', showPlain(createdAt, 38), 'when the row was made'],
      ['visits.reason', showStored(visit.reason, 38), `a reason of ${bytesIn(visit.reason)} bytes`],
      ['visits.at', showPlain(visit.at, 38), 'when the visit was'],
      ['how many', showPlain(`${_count.visits} visits, ${_count.contacts} contacts`, 38), 'how rows belong together'],
    ],
  )
}

/** The length of a plaintext, which its ciphertext shows to everybody. */
function bytesIn(stored: string): number {
  return Math.floor(((stored.length - HEAD_CHARACTERS) * 3) / 4) - NONCE_TAG_CODEC
}
