import { localKms } from 'fieldseal/local-kms'
import { encryptionSchema } from '../generated/bench/encryption/index.js'
import { interleave, ratioOf, spreadOf } from './rounds.js'
import { makeRows } from './rows.js'
import { openWorld } from './world.js'

/*
 * What it takes to be told: the same operations with a listener to events, as telemetry is one, and with an audit hook, to
 * those of a client whom nobody listens to.
 */

const { fieldEncryption } = (await import(`${'../dist/prisma/index'}.js`)) as typeof import('fieldseal/prisma')

const ROUNDS = Number(process.env.ROUNDS ?? 60)
const BEYOND = 1_000_000

const world = await openWorld()
try {
  const options = { schema: encryptionSchema, kms: localKms({ key: 'ab'.repeat(32) }) }
  const open = (more: object) => world.plain.$extends(fieldEncryption({ ...options, ...more })).$forTenant('acme')
  const sides = {
    alone: open({}),
    'with events': open({ onEvent: () => {} }),
    'with audit': open({ audit: { record: () => {} } }),
  }
  await sides.alone.note.createMany({ data: makeRows('Note', 1000) as never })
  type Side = (typeof sides)['alone']
  const compare = async (name: string, run: (side: Side) => unknown, prepare?: () => unknown) => {
    const contenders = Object.fromEntries(
      Object.entries(sides).map(([side, client]) => [
        side,
        { run: () => run(client as Side), ...(prepare && { prepare }) },
      ]),
    )
    const { wall, cpu } = await interleave(contenders, { budget: 0, fewest: ROUNDS, most: ROUNDS })
    const told = ['with events', 'with audit'].map(
      (side) =>
        `${side} ${ratioOf(wall, side, 'alone').median.toFixed(2)}, CPU ${ratioOf(cpu, side, 'alone').median.toFixed(2)}`,
    )
    console.log(`${name}: alone ${spreadOf(wall.alone!).median.toFixed(2)} ms; ${told.join('; ')}`)
  }
  const data = makeRows('Note', 1000, { firstId: BEYOND })
  await compare('findMany 1,000 × 6', (side) => side.note.findMany({ where: { id: { lte: 1000 } } }))
  await compare('findUnique × 20', async (side) => {
    for (let id = 1; id <= 20; id++) await side.note.findUnique({ where: { id } })
  })
  await compare(
    'createMany 1,000 × 6',
    (side) => side.note.createMany({ data: data as never }),
    () => world.plain.note.deleteMany({ where: { id: { gte: BEYOND } } }),
  )
} finally {
  await world.close()
}
