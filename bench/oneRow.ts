import { type Contender, interleave, ratioOf, spreadOf, times } from './rounds.js'
import { makeRows, type Row } from './rows.js'
import { openWorld } from './world.js'

/*
 * Operations on one row: to the plain client, and to a plain client that sends the statement with the ciphertexts in it and
 * does nothing with them, which no encryption can be faster than. Once in rounds of 20, after each of which others have
 * driven the code out of the processor's caches, and once in rounds of 500, as a busy server runs it.
 */

const BEYOND = 1_000_000
const ROWS = 1_000
const emailOf = (i: number) => `ada.lovelace.${i}@example.com`

// biome-ignore lint/suspicious/noExplicitAny: one list of calls for models of the same shape
type Client = any

const world = await openWorld()
const only = process.argv[2] ?? ''
try {
  const [plain, acme] = [world.plain as Client, world.native.$forTenant('acme') as Client]
  const rows = makeRows('Note', ROWS)
  const contacts = rows.map(({ id }) => ({ id, tenant: 'acme', email: emailOf(id) }))
  await acme.note.createMany({ data: rows })
  await plain.plainNote.createMany({ data: rows })
  await acme.contact.createMany({ data: contacts })
  await plain.plainContact.createMany({ data: contacts })

  const [{ id: _, tenant, ...values }] = makeRows('Note', 1) as [Row]
  const [{ id: __, tenant: ___, ...stored }] = (await plain.note.findMany({ take: 1 })) as [Row]
  delete stored.folderId
  const indexes = (await plain.contact.findMany({ orderBy: { id: 'asc' } })).map(
    ({ emailIndex }: { emailIndex: string }) => emailIndex,
  )
  const at = (i: number) => 1 + ((i * 7) % (ROWS - 1))

  const creating = (table: Client, data: object) => (count: number) => ({
    prepare: () => table.deleteMany({ where: { id: { gte: BEYOND } } }),
    run: () => times(count, (i) => table.create({ data: { ...data, id: BEYOND + i } })),
  })
  const updating = (table: Client, data: object) => (count: number) => ({
    run: () => times(count, (i) => table.update({ where: { id: at(i) }, data })),
  })
  const finding = (table: Client) => (count: number) => ({
    run: () => times(count, (i) => table.findUnique({ where: { id: at(i) } })),
  })
  const listing = (table: Client) => (count: number) => ({
    run: () => times(count, () => table.findMany({ where: { id: { lte: 10 } } })),
  })
  const searching = (table: Client, whereOf: (i: number) => object) => (count: number) => ({
    run: () => times(count, (i) => table.findMany({ where: whereOf(at(i)) })),
  })

  type Sides = { readonly [name in 'plain' | 'carrying' | 'fieldseal']: (count: number) => Contender }
  const cases: { readonly [name: string]: Sides } = {
    'findUnique × 6': {
      plain: finding(plain.plainNote),
      carrying: finding(plain.note),
      fieldseal: finding(acme.note),
    },
    'findMany 10 × 6': {
      plain: listing(plain.plainNote),
      carrying: listing(plain.note),
      fieldseal: listing(acme.note),
    },
    'create 1 × 6': {
      plain: creating(plain.plainNote, { tenant, ...values }),
      carrying: creating(plain.note, { tenant, ...stored }),
      fieldseal: creating(acme.note, { tenant, ...values }),
    },
    'update 1 × 6': {
      plain: updating(plain.plainNote, values),
      carrying: updating(plain.note, stored),
      fieldseal: updating(acme.note, values),
    },
    'search by equality': {
      plain: searching(plain.plainContact, (i) => ({ email: emailOf(i) })),
      carrying: searching(plain.contact, (i) => ({ emailIndex: indexes[i - 1] })),
      fieldseal: searching(acme.contact, (i) => ({ email: emailOf(i) })),
    },
  }
  for (const [name, sides] of Object.entries(cases).filter(([name]) => name.includes(only))) {
    for (const [count, budget] of [
      [20, 6_000],
      [500, 15_000],
    ] as const) {
      const contenders = Object.fromEntries(Object.entries(sides).map(([side, of]) => [side, of(count)]))
      const { wall, cpu } = await interleave(contenders, { budget, fewest: 11, most: 400 })
      const show = (side: string, to: string) => {
        const [w, c] = [ratioOf(wall, side, to), ratioOf(cpu, side, to)]
        return `${w.median.toFixed(2)} [${w.low.toFixed(2)}–${w.high.toFixed(2)}], CPU ${c.median.toFixed(2)}`
      }
      const each = ((spreadOf(wall.plain!).median / count) * 1000).toFixed(0)
      console.log(
        `${name}, rounds of ${count}: plain ${each} µs; carrying ${show('carrying', 'plain')}; ` +
          `fieldseal ${show('fieldseal', 'plain')}; fieldseal to carrying ${show('fieldseal', 'carrying')}`,
      )
    }
  }
} finally {
  await world.close()
}
