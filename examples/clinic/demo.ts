import { assertEncrypted } from 'fieldseal/prisma'
import { encryptedClient, plainClient } from './clients.js'
import type { DemoDatabase } from './database.js'
import type { DemoKms } from './kms/demoKms.js'
import { writeRecords } from './records.js'
import { reportKeysTable } from './report/keysTable.js'
import { CallBook } from './report/kmsCalls.js'
import { reportRefusals } from './report/refusals.js'
import { reportSideBySide } from './report/sideBySide.js'
import { reportTampering } from './report/tampering.js'
import { reportThief } from './report/thief.js'
import { reportWritten, type Tally, tally } from './report/written.js'
import { count } from './terminal.js'

/** Runs the clinic and prints what it shows. Answers a summary in one line. */
export async function runDemo(database: DemoDatabase, kms: DemoKms): Promise<string> {
  const plain = plainClient(database.url)
  const writer = encryptedClient(database.url, kms.keys)
  const reader = encryptedClient(database.url, kms.keys)
  const calls = new CallBook(kms)
  assertEncrypted(writer)
  try {
    await writeRecords(writer)
    const tallies = await tally(plain)
    const { rows, cells, readable } = sum(tallies)
    calls.note('writes all records of both clinics', cells)
    for (const what of ['a fresh client, as after a restart, reads them', 'the same client reads them again']) {
      await readAll(reader)
      calls.note(what, cells)
    }
    reportWritten(tallies)
    await reportSideBySide(reader, plain)
    const keys = await reportKeysTable(plain)
    calls.report()
    await reportRefusals(reader)
    await reportThief(plain)
    await reportTampering(reader, plain)
    if (readable > 0) throw new Error(`${readable} of ${cells} encrypted cells hold no ciphertext`)
    return `${count(rows)} rows, ${count(cells)} encrypted cells: all ciphertext. ${keys} wrapped keys, ${calls.total} KMS calls.`
  } finally {
    await Promise.all([plain, writer, reader].map((client) => client.$disconnect()))
  }
}

function sum(tallies: readonly Tally[]): Pick<Tally, 'rows' | 'cells' | 'readable'> {
  return tallies.reduce(
    (total, { rows, cells, readable }) => ({
      rows: total.rows + rows,
      cells: total.cells + cells,
      readable: total.readable + readable,
    }),
    { rows: 0, cells: 0, readable: 0 },
  )
}

async function readAll(prisma: ReturnType<typeof encryptedClient>): Promise<void> {
  const all = prisma.$acrossTenants()
  await all.doctor.findMany()
  await all.patient.findMany({ include: { contacts: true, insurance: true, visits: true } })
}
