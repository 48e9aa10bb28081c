import { bareDecrypt, bareEncrypt } from './bareLoop.js'
import { FIELDS, makeNotes, openNotes } from './notes.js'
import { interleave, perRound, spread, type Times } from './rounds.js'

/* 1,000 rows × 6 strings with warm keys: what fieldseal adds to the plain client, against a bare node:crypto loop. */

const ROWS = 1000
const world = await openNotes()
const { prisma } = world.open()
const acme = prisma.$forTenant('acme')
const notes = makeNotes(ROWS)
const values = notes.flatMap((note) => FIELDS.map((field) => note[field]))
const ciphertexts = bareEncrypt(values)

await world.plain.plainNote.createMany({ data: notes })
await acme.note.createMany({ data: notes })

report(
  'findMany 1,000 × 6',
  await interleave(
    {
      plain: () => world.plain.plainNote.findMany(),
      fieldseal: () => acme.note.findMany(),
      bare: () => bareDecrypt(ciphertexts),
    },
    { rounds: 60, warmUp: 10 },
  ),
)

report(
  'createMany 1,000 × 6',
  await interleave(
    {
      plain: () => emptied(world.plain.plainNote, () => world.plain.plainNote.createMany({ data: notes })),
      fieldseal: () => emptied(world.plain.note, () => acme.note.createMany({ data: notes })),
      bare: () => bareEncrypt(values),
    },
    { rounds: 25 },
  ),
)

const unmarked = await interleave(
  {
    plain: async () => many(() => world.plain.plainNote.findFirst({ where: { id: 7 } })),
    extended: async () => many(() => acme.plainNote.findFirst({ where: { id: 7 } })),
    unbound: async () => many(() => prisma.plainNote.findFirst({ where: { id: 7 } })),
  },
  { rounds: 40 },
)
console.log(
  `model without encrypted fields, findFirst × 50, to plain: unbound ${spread(perRound(unmarked, (t) => t.unbound / t.plain))}, bound ${spread(perRound(unmarked, (t) => t.extended / t.plain))}`,
)
const large = await interleave(
  { plain: () => world.plain.plainNote.findMany(), unbound: () => prisma.plainNote.findMany() },
  { rounds: 60, warmUp: 10 },
)
console.log(
  `model without encrypted fields, findMany 1,000 × 6, to plain: ${spread(perRound(large, (t) => t.unbound / t.plain))}`,
)
await prisma.$disconnect()
await world.close()

async function many(work: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < 50; i++) await work()
}

async function emptied(table: { deleteMany(): Promise<unknown> }, work: () => Promise<unknown>): Promise<void> {
  await table.deleteMany()
  await work()
}

function report(name: string, times: Times<'plain' | 'fieldseal' | 'bare'>): void {
  console.log(
    `${name}: plain ${spread(times.plain)} ms, fieldseal ${spread(times.fieldseal)} ms, bare loop ${spread(times.bare)} ms`,
  )
  console.log(`  fieldseal to plain: ${spread(perRound(times, (t) => t.fieldseal / t.plain))}`)
  console.log(`  added time to bare loop: ${spread(perRound(times, (t) => (t.fieldseal - t.plain) / t.bare))}`)
}
