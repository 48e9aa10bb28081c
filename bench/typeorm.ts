import { loadavg } from 'node:os'
import { type Contender, interleave, ratioOf, spreadOf, times } from './rounds.js'
import { makeRows } from './rows.js'
import { type Name, openTypeormWorld, type Side, type TypeormWorld } from './typeormWorld.js'

/*
 * What TypeORM's operations take with a data source that encrypts, to one that does not, with typeorm-encrypted beside it.
 */

const ROUNDS = Number(process.env.ROUNDS ?? 60)
const ROWS = 1_000
const CONTACTS = 1_000
const BEYOND = 1_000_000
/** As many rows of three columns as the parameters of one statement are enough for. */
const LONGEST = 10_000

const emailOf = (i: number) => `ada.lovelace.${i}@example.com`

const world = await openTypeormWorld()
try {
  await seed(world)
  console.log(
    `${ROUNDS} rounds, load ${loadavg()[0]!.toFixed(1)}; median [quartiles] of the ratio to the plain data source`,
  )
  const find = ({ note }: Side) => note.find()
  const findOne = ({ note }: Side) => times(20, (i) => note.findOneBy({ id: i + 1 }))
  const search = ({ contact }: Side) => times(20, (i) => contact.findOneBy({ email: emailOf(i * 7) }))
  await compare(
    'find 1,000 × 6',
    each((side) => ({ run: () => find(side) })),
    2.5,
  )
  await compare(
    'findOneBy id × 20, 6 columns',
    each((side) => ({ run: () => findOne(side) })),
    1.25,
  )
  // Equal values have no equal ciphertexts, so typeorm-encrypted finds none.
  const { plain, fieldseal } = each((side) => ({ run: () => search(side) }))
  await compare('findOneBy email × 20', { plain, fieldseal }, 1.25)
  await compare('insert 1,000 × 6', each(insert), 1.2)
  await compareUnmarked('find 1,000 × 6, no encrypted columns', find)
  await compareUnmarked('findOneBy id × 20, no encrypted columns', findOne)
  await stretches()
} finally {
  await world.close()
}

async function seed({ sides }: TypeormWorld): Promise<void> {
  for (const { note, contact } of Object.values(sides)) {
    await note.insert(makeRows('Note', ROWS))
    await contact.insert(Array.from({ length: CONTACTS }, (_, i) => ({ id: i, tenant: 'acme', email: emailOf(i) })))
  }
}

function each(work: (side: Side) => Contender): { readonly [name in Name]: Contender } {
  const { plain, fieldseal, other } = world.sides
  return { plain: work(plain), fieldseal: work(fieldseal), other: work(other) }
}

function insert({ note }: Side): Contender {
  const rows = makeRows('Note', ROWS, { firstId: BEYOND })
  const { tableName } = note.metadata
  return {
    prepare: () => world.pool.query(`DELETE FROM "${tableName}" WHERE id >= ${BEYOND}`),
    run: () => note.insert(rows),
  }
}

async function compareUnmarked(name: string, work: (side: Side) => Promise<unknown>): Promise<void> {
  const contenders = { plain: { run: () => work(world.sides.plain) }, fieldseal: { run: () => work(world.unmarked) } }
  await compare(name, contenders, 1.05)
}

async function compare(name: string, contenders: { readonly [name: string]: Contender }, target: number) {
  const { wall, cpu } = await interleave(contenders, { budget: 0, fewest: ROUNDS, most: ROUNDS })
  const told = Object.keys(contenders).flatMap((one) => {
    if (one === 'plain') return []
    const { median, low, high } = ratioOf(wall, one, 'plain')
    const inCpu = ratioOf(cpu, one, 'plain').median.toFixed(2)
    return `${one === 'other' ? 'typeorm-encrypted' : one} ${median.toFixed(2)} [${low.toFixed(2)}–${high.toFixed(2)}], CPU ${inCpu}`
  })
  console.log(`${name}: plain ${spreadOf(wall.plain!).median.toFixed(2)} ms; ${told.join('; ')} (target ≤ ${target})`)
}

/** For how long an INSERT keeps everything else waiting on its way to the database. */
async function stretches(): Promise<void> {
  const rows = makeRows('Note', LONGEST, { firstId: BEYOND })
  const columns = ['id', 'tenant', 'a', 'b', 'c'] as const
  const values = rows.flatMap((row) => columns.map((column) => row[column]))
  const lists = rows.map((_, row) => `(${columns.map((_name, i) => `$${row * columns.length + i + 1}`).join(', ')})`)
  const text = `INSERT INTO "small"(${columns.map((name) => `"${name}"`).join(', ')}) VALUES ${lists.join(', ')}`
  const [longest, whole]: [number[], number[]] = [[], []]
  for (let round = -2; round < ROUNDS / 4; round++) {
    const measured = await stretchOf(text, values)
    if (round < 0) continue
    longest.push(measured.longest)
    whole.push(measured.whole)
  }
  const { median, high } = spreadOf(longest)
  console.log(
    `INSERT of ${LONGEST.toLocaleString('en')} × 3: prepared in ${spreadOf(whole).median.toFixed(0)} ms, at most ${median.toFixed(1)} ms ` +
      `at a stretch (upper quartile ${high.toFixed(1)}, worst ${Math.max(...longest).toFixed(1)}; target ≤ 20)`,
  )
}

/** Until the statement is ready; it is not sent. */
async function stretchOf(text: string, values: unknown[]): Promise<{ longest: number; whole: number }> {
  let [longest, isDone, last] = [0, false, 0]
  const look = () => {
    const now = performance.now()
    if (!isDone) longest = Math.max(longest, now - last)
    last = now
    if (!isDone) setImmediate(look)
  }
  world.sent.instead = () => {
    look()
    isDone = true
    return []
  }
  // What is waited for from here on is the preparation alone.
  const begin = performance.now()
  last = begin
  setImmediate(look)
  await world.acme.query(text, values)
  world.sent.instead = undefined
  return { longest, whole: last - begin }
}
