import { bareDecrypt, bareEncrypt } from './bareLoop.js'
import { FIELDS, makeNotes, openNotes } from './notes.js'
import { type Contender, interleave, perRound, spread, type Times } from './rounds.js'

/* 1,000 rows × 6 strings with warm keys: what fieldseal adds to the plain client, against a bare node:crypto loop. */

const ROWS = 1000
const world = await openNotes()
const { base, prisma } = world.open()
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

const empty = base.$extends({ name: 'empty' })
const clients = { plain: base, empty, unbound: prisma, bound: acme } as { [name: string]: PlainNotes }
const one = (client: PlainNotes) => () => many(() => client.plainNote.findFirst({ where: { id: 7 } }))
const all = (client: PlainNotes) => () => client.plainNote.findMany()
reportUnmarked('findFirst × 20', await interleave(mapped(one), { rounds: 200, warmUp: 20 }))
reportUnmarked('findMany 1,000 × 6', await interleave(mapped(all), { rounds: 200, warmUp: 20 }))
await prisma.$disconnect()
await world.close()

interface PlainNotes {
  readonly plainNote: { findFirst(args: object): Promise<unknown>; findMany(): Promise<unknown> }
}

function mapped(work: (client: PlainNotes) => Contender): { [name: string]: Contender } {
  return Object.fromEntries(Object.entries(clients).map(([name, client]) => [name, work(client)]))
}

function reportUnmarked(name: string, times: Times<string>): void {
  const ratio = (client: string) => `${client} ${spread(perRound(times, (t) => t[client]! / t.plain!))}`
  console.log(
    `model without encrypted fields, ${name}, to plain: ${['empty', 'unbound', 'bound'].map(ratio).join(', ')}`,
  )
}

async function many(work: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < 20; i++) await work()
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
