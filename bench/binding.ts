/* What a bound client costs: to make one, and to ask through one, beside the plain client and one that is not bound. */
import { withTenant } from 'fieldseal'
import { interleave, ratioOf, spreadOf } from './rounds.js'
import { makeRows } from './rows.js'
import { openWorld } from './world.js'

const LOOKUPS = 200
const BINDINGS = 500
const LATER = { name: 'later', model: { note: { none: () => undefined } } }

const world = await openWorld()
try {
  const data = makeRows('Note', LOOKUPS, { firstId: 1 })
  const acme = world.native.$forTenant('acme')
  await acme.note.createMany({ data: data as never })
  await world.plain.plainNote.createMany({ data: data as never })
  const ids = data.map(({ id }) => id)
  const lookUp = (find: (args: { where: { id: number } }) => PromiseLike<unknown>) => ({
    run: async () => {
      for (const id of ids) await find({ where: { id: id as number } })
    },
  })
  const { wall } = await interleave(
    {
      plain: lookUp((args) => world.plain.plainNote.findUnique(args)),
      hook: lookUp((args) => world.hook.plainNote.findUnique(args)),
      bound: lookUp((args) => acme.note.findUnique(args)),
      withTenant: lookUp((args) => withTenant('acme', () => world.native.note.findUnique(args))),
    },
    { budget: 20_000, fewest: 30 },
  )
  for (const name of ['hook', 'bound', 'withTenant']) {
    const { median, low, high } = ratioOf(wall, name, 'plain')
    const each = (spreadOf(wall[name]!).median / LOOKUPS) * 1000
    console.log(
      `warm findUnique, ${name}: ${median.toFixed(3)} [${low.toFixed(3)}–${high.toFixed(3)}] of plain (${each.toFixed(0)} µs)`,
    )
  }

  const extended = [0, 1, 2, 3, 4, 5].reduce((client) => client.$extends(LATER) as never, world.native)
  const bind = (client: typeof world.native) => ({
    run: () => {
      for (let i = 0; i < BINDINGS; i++) client.$forTenant(`t${i}`).note
    },
  })
  const binding = await interleave({ alone: bind(world.native), 'six more': bind(extended) }, { budget: 5_000 })
  for (const name of ['alone', 'six more']) {
    const each = (spreadOf(binding.wall[name]!).median / BINDINGS) * 1000
    console.log(`$forTenant and a delegate, ${name}: ${each.toFixed(1)} µs`)
  }
} finally {
  await world.close()
}
