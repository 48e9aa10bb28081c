import { bareDecrypt, bareEncrypt, mapFields } from './bareLoop.js'
import { type Contender, times } from './rounds.js'
import { FIELDS, makeRows, type Row, SIZES, type Size } from './rows.js'
import type { World } from './world.js'

/** What is compared: each contender does the same work on tables of its own. */
export interface Case {
  readonly name: string
  readonly contenders: { readonly [name: string]: Contender }
}

/** The part of a model's delegate that is used. */
interface Table {
  findMany(args?: object): Promise<Row[]>
  findUnique(args: object): Promise<unknown>
  create(args: object): Promise<unknown>
  createMany(args: object): Promise<unknown>
  update(args: object): Promise<unknown>
  deleteMany(args?: object): Promise<unknown>
}

type Tables = { readonly [model: string]: Table }

export const CONTENDERS = ['plain', 'hook', 'native', 'node', 'bare', 'other'] as const
export type Name = (typeof CONTENDERS)[number]

/** A client of each contender, bound to the tenant where it has one, and the prefix of its models. */
interface Side {
  readonly tables: Tables
  readonly prefix: '' | 'plain' | 'bare' | 'other'
}

function sidesOf(world: World): { readonly [name in Name]: Side } {
  const side = (client: unknown, prefix: Side['prefix']): Side => ({ tables: client as Tables, prefix })
  return {
    plain: side(world.plain, 'plain'),
    hook: side(world.hook, 'plain'),
    native: side(world.native.$forTenant('acme'), ''),
    node: side(world.node.$forTenant('acme'), ''),
    bare: side(world.plain, 'bare'),
    other: side(world.other, 'other'),
  }
}

function table({ tables, prefix }: Side, model: string): Table {
  return tables[prefix ? prefix + model : model.charAt(0).toLowerCase() + model.slice(1)]!
}

const BATCH = 1000
const BEYOND = 1_000_000

/** Fills the tables that are read. */
export async function seed(world: World, rows: number): Promise<void> {
  const sides = sidesOf(world)
  for (const size of Object.keys(SIZES) as Size[]) {
    for (let from = 1; from <= rows; from += BATCH) {
      const data = makeRows(size, Math.min(BATCH, rows - from + 1), { firstId: from })
      for (const name of ['native', 'other'] as const) await table(sides[name], size).createMany({ data })
      await insert(world, `Plain${size}`, data)
      await insert(world, `Bare${size}`, mapFields(data, FIELDS[size], bareEncrypt))
    }
  }
  await seedRelated(sides)
}

/** Past Prisma, which takes its time for many rows. */
async function insert({ plain }: World, model: string, rows: readonly Row[]): Promise<void> {
  const sql = `INSERT INTO "${model}" SELECT * FROM json_populate_recordset(NULL::"${model}", $1::json)`
  await plain.$executeRawUnsafe(sql, JSON.stringify(rows))
}

const FOLDERS = 100
const CONTACTS = 1000
const emailOf = (i: number) => `ada.lovelace.${i}@example.com`

async function seedRelated(sides: { readonly [name in Name]: Side }): Promise<void> {
  const emails = Array.from({ length: CONTACTS }, (_, i) => ({ id: i, tenant: 'acme', email: emailOf(i) }))
  const notes = makeRows('Note', FOLDERS * 10, { firstId: BEYOND / 10 })
  for (const name of ['plain', 'native', 'other'] as const) {
    const side = sides[name]
    await table(side, 'Folder').createMany({ data: Array.from({ length: FOLDERS }, (_, id) => ({ id })) })
    await table(side, 'Note').createMany({ data: notes.map((row, i) => ({ ...row, folderId: i % FOLDERS })) })
    await table(side, 'Contact').createMany({ data: emails })
  }
}

/** All cases, the largest results up to so many rows. */
export function casesOf(world: World, most: number): Case[] {
  const sides = sidesOf(world)
  const reads = [10, 1000, 10_000]
    .filter((count) => count <= most)
    .flatMap((count) => (Object.keys(SIZES) as Size[]).map((size) => findMany(sides, size, count)))
  return [
    ...reads,
    each('findUnique × 20', sides, (side) => ({
      run: () => times(20, (i) => table(side, 'Note').findUnique({ where: { id: i + 1 } })),
    })),
    each('findMany 100 with 10 × 6 included', sides, (side) => ({
      run: () => table(side, 'Folder').findMany({ include: { notes: true } }),
    })),
    each('create 1 × 6, 20 times', sides, create),
    each('createMany 1,000 × 6', sides, createMany),
    each('update 1 × 6, 20 times', sides, update),
    each('search by equality × 20', sides, (side) => ({
      run: () => times(20, (i) => table(side, 'Contact').findMany({ where: { email: emailOf(i * 7) } })),
    })),
    unmarked(world, 'findMany 1,000 × 6, no encrypted fields', (tables) =>
      tables.plainNote!.findMany({ where: { id: { lte: 1000 } } }),
    ),
    unmarked(world, 'findUnique × 20, no encrypted fields', (tables) =>
      times(20, (i) => tables.plainNote!.findUnique({ where: { id: i + 1 } })),
    ),
  ]
}

/** The bare loop stands for no library, so it is only where there is a loop over values. */
function each(name: string, sides: { readonly [name in Name]: Side }, work: (side: Side) => Contender): Case {
  const { plain, hook, native, node, other } = sides
  return {
    name,
    contenders: { plain: work(plain), hook: work(hook), native: work(native), node: work(node), other: work(other) },
  }
}

function findMany(sides: { readonly [name in Name]: Side }, size: Size, count: number): Case {
  const name = `findMany ${count.toLocaleString('en')} × ${SIZES[size]}`
  const args = { where: { id: { lte: count } } }
  const { contenders } = each(name, sides, (side) => ({ run: () => table(side, size).findMany(args) }))
  const loop = async () => mapFields(await table(sides.bare, size).findMany(args), FIELDS[size], bareDecrypt)
  return { name, contenders: { ...contenders, bare: { run: loop } } }
}

function create(side: Side): Contender {
  const [row] = makeRows('Note', 1) as [Row]
  const notes = table(side, 'Note')
  return {
    prepare: () => notes.deleteMany({ where: { id: { gte: BEYOND } } }),
    run: () => times(20, (i) => notes.create({ data: { ...row, id: BEYOND + i } })),
  }
}

function createMany(side: Side): Contender {
  const data = makeRows('Note', BATCH, { firstId: BEYOND })
  const notes = table(side, 'Note')
  return {
    prepare: () => notes.deleteMany({ where: { id: { gte: BEYOND } } }),
    run: () => notes.createMany({ data }),
  }
}

function update(side: Side): Contender {
  const [{ id, tenant, ...data }] = makeRows('Note', 1) as [Row]
  return { run: () => times(20, (i) => table(side, 'Note').update({ where: { id: id + i }, data })) }
}

function unmarked(world: World, name: string, work: (tables: Tables) => Promise<unknown>): Case {
  const run = (client: unknown) => ({ run: () => work(client as Tables) })
  return {
    name,
    contenders: { plain: run(world.plain), native: run(world.native), node: run(world.node), other: run(world.other) },
  }
}
