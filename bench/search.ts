import { openNotes } from './notes.js'
import { interleave, median, perRound, spread } from './rounds.js'

/*
 * Equality search through a blind index, to the same search on a plain indexed column.
 */

const ROWS = Number(process.env.ROWS ?? 1_000_000)
const ROUNDS = Number(process.env.ROUNDS ?? 300)
const BATCH = 10_000

const notes = await openNotes()
try {
  const { base, prisma } = notes.open()
  const acme = prisma.$forTenant('acme')
  await fill()
  let statements = 0
  base.$on('query', () => {
    statements += 1
  })

  const email = () => `person${Math.floor(Math.random() * ROWS)}@example.com`
  const many = () => Array.from({ length: 1_000 }, email)
  console.log(
    `${ROWS.toLocaleString('en')} rows, ${ROUNDS} rounds; median [quartiles] of the ratio to the plain client`,
  )
  await compare('findUnique by email', {
    plain: () => notes.plain.plainPerson.findUnique({ where: { email: email() } }),
    fieldseal: () => acme.person.findUnique({ where: { email: email() } }),
  })
  await compare('findMany by email', {
    plain: () => notes.plain.plainPerson.findMany({ where: { email: email() } }),
    fieldseal: () => acme.person.findMany({ where: { email: email() } }),
  })
  await compare('count by email', {
    plain: () => notes.plain.plainPerson.count({ where: { email: email() } }),
    fieldseal: () => acme.person.count({ where: { email: email() } }),
  })
  statements = 0
  await acme.person.count({ where: { email: { in: many() } } })
  console.log(`in with 1,000 values: ${statements} statement`)
  await compare('count by 1,000 emails', {
    plain: () => notes.plain.plainPerson.count({ where: { email: { in: many() } } }),
    fieldseal: () => acme.person.count({ where: { email: { in: many() } } }),
  })
  await base.$disconnect()

  async function fill(): Promise<void> {
    if ((await notes.plain.plainPerson.count()) === ROWS && (await notes.plain.person.count()) === ROWS) return
    await notes.plain.plainPerson.deleteMany()
    await notes.plain.person.deleteMany()
    for (let from = 0; from < ROWS; from += BATCH) {
      const data = Array.from({ length: BATCH }, (_, i) => ({
        id: from + i,
        tenant: 'acme',
        email: `person${from + i}@example.com`,
      }))
      await notes.plain.plainPerson.createMany({ data })
      await acme.person.createMany({ data })
    }
    await notes.plain.$executeRawUnsafe('ANALYZE')
  }
} finally {
  await notes.close()
}

async function compare(name: string, contenders: { plain: () => unknown; fieldseal: () => unknown }): Promise<void> {
  const times = await interleave(contenders, { rounds: ROUNDS, warmUp: 20 })
  const ratio = perRound(times, ({ plain, fieldseal }) => fieldseal / plain)
  const medians = `${median(times.fieldseal).toFixed(2)} ms to ${median(times.plain).toFixed(2)} ms`
  console.log(
    `${name}: ${spread(ratio)} (medians ${medians}: ${(median(times.fieldseal) / median(times.plain)).toFixed(2)})`,
  )
}
