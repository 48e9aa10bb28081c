import { interleave, ratioOf, spreadOf } from './rounds.js'
import { openWorld } from './world.js'

/*
 * Equality search through a blind index, to the same search on a plain indexed column.
 */

const ROWS = Number(process.env.ROWS ?? 1_000_000)
const ROUNDS = Number(process.env.ROUNDS ?? 300)
const BATCH = 10_000

const world = await openWorld()
try {
  const acme = world.native.$forTenant('acme')
  await fill()

  const email = () => `person${Math.floor(Math.random() * ROWS)}@example.com`
  const many = () => Array.from({ length: 1_000 }, email)
  console.log(
    `${ROWS.toLocaleString('en')} rows, ${ROUNDS} rounds; median [quartiles] of the ratio to the plain client`,
  )
  await compare('findUnique by email', {
    plain: () => world.plain.plainPerson.findUnique({ where: { email: email() } }),
    fieldseal: () => acme.person.findUnique({ where: { email: email() } }),
  })
  await compare('findMany by email', {
    plain: () => world.plain.plainPerson.findMany({ where: { email: email() } }),
    fieldseal: () => acme.person.findMany({ where: { email: email() } }),
  })
  await compare('count by email', {
    plain: () => world.plain.plainPerson.count({ where: { email: email() } }),
    fieldseal: () => acme.person.count({ where: { email: email() } }),
  })
  console.log(`in with 1,000 values: ${await statementsOf(many())} statement`)
  await compare('count by 1,000 emails', {
    plain: () => world.plain.plainPerson.count({ where: { email: { in: many() } } }),
    fieldseal: () => acme.person.count({ where: { email: { in: many() } } }),
  })

  /** By a client that tells of its statements, which costs time of its own. */
  async function statementsOf(emails: string[]): Promise<number> {
    const { base, prisma } = world.another()
    const search = () => prisma.$forTenant('acme').person.count({ where: { email: { in: emails } } })
    await search()
    let statements = 0
    base.$on('query', () => {
      statements += 1
    })
    await search()
    await base.$disconnect()
    return statements
  }

  async function fill(): Promise<void> {
    if ((await world.plain.plainPerson.count()) === ROWS && (await world.plain.person.count()) === ROWS) return
    await world.plain.plainPerson.deleteMany()
    await world.plain.person.deleteMany()
    for (let from = 0; from < ROWS; from += BATCH) {
      const data = Array.from({ length: BATCH }, (_, i) => ({
        id: from + i,
        tenant: 'acme',
        email: `person${from + i}@example.com`,
      }))
      await world.plain.plainPerson.createMany({ data })
      await acme.person.createMany({ data })
    }
    await world.plain.$executeRawUnsafe('ANALYZE')
  }
} finally {
  await world.close()
}

async function compare(name: string, { plain, fieldseal }: { plain: () => unknown; fieldseal: () => unknown }) {
  const contenders = { plain: { run: plain }, fieldseal: { run: fieldseal } }
  const { wall } = await interleave(contenders, { budget: 0, fewest: ROUNDS })
  const { median, low, high } = ratioOf(wall, 'fieldseal', 'plain')
  const medians = (['fieldseal', 'plain'] as const).map((one) => `${spreadOf(wall[one]!).median.toFixed(2)} ms`)
  console.log(`${name}: ${median.toFixed(2)} [${low.toFixed(2)}–${high.toFixed(2)}] (medians ${medians.join(' to ')})`)
}
