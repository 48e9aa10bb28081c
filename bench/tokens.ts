import pg from 'pg'
import { interleave, ratioOf, spreadOf } from './rounds.js'
import { openWorld } from './world.js'

/*
 * Ranges and beginnings of texts through token indexes, to a btree and to pg_trgm on the same values in plaintext; what
 * the indexes cost when rows are written; and `reindex`, to the same UPDATEs with constants.
 */

const ROWS = Number(process.env.ROWS ?? 1_000_000)
const ROUNDS = Number(process.env.ROUNDS ?? 100)
const BATCH = 5_000
/** Salaries are even over so many, so that an interval of a part of them holds that part of the rows. */
const SALARIES = 2 ** 20
const LETTERS = 'abcdefghijkl'

const world = await openWorld()
const database = new pg.Pool({ connectionString: world.url, max: 2 })
try {
  const acme = world.native.$forTenant('acme')
  const { plainEmployee: plain } = world.plain
  await fill()
  console.log(`${ROWS.toLocaleString('en')} rows, ${ROUNDS} rounds; medians, and the ratio with its quartiles`)

  for (const rows of [10, 1_000]) {
    const between = () => interval((rows * SALARIES) / ROWS)
    await compare(`count of about ${rows} rows in a range`, {
      plain: () => plain.count({ where: { salary: between() } }),
      fieldseal: () => acme.employee.count({ where: { salary: between() } }),
    })
  }
  const few = () => interval((10 * SALARIES) / ROWS)
  await compare('the first 20 by id of about 10 rows in a range, to their count', {
    plain: () => acme.employee.count({ where: { salary: few() } }),
    fieldseal: () =>
      acme.employee.findMany({ where: { salary: few() }, orderBy: { id: 'asc' }, take: 20, select: { id: true } }),
  })
  await compare('count of about 48 rows by 4 characters, to pg_trgm', {
    plain: () => plain.count({ where: { name: { startsWith: letters(4) } } }),
    fieldseal: () => acme.employee.count({ where: { name: { startsWith: letters(4) } } }),
  })
  let next = ROWS
  const thousand = () => Array.from({ length: 1_000 }, () => person(next++))
  await compare('createMany of 1,000, to the same without indexes', {
    plain: () => acme.sealed.createMany({ data: thousand() }),
    fieldseal: () => acme.employee.createMany({ data: thousand() }),
  })
  await reindex()

  async function fill(): Promise<void> {
    for (const table of ['Employee', 'PlainEmployee', 'Sealed']) await database.query(`TRUNCATE "${table}"`)
    await database.query('CREATE EXTENSION IF NOT EXISTS pg_trgm')
    await database.query('CREATE INDEX IF NOT EXISTS plain_trgm ON "PlainEmployee" USING gin (name gin_trgm_ops)')
    for (const column of ['salaryCells', 'nameParts']) {
      await database.query(`ALTER INDEX "Employee_${column}_idx" SET (fastupdate = off)`)
      await database.query(`ALTER TABLE "Employee" ALTER COLUMN "${column}" SET STATISTICS 1000`)
    }
    for (let from = 0; from < ROWS; from += BATCH) {
      const data = Array.from({ length: Math.min(BATCH, ROWS - from) }, (_, i) => person(from + i))
      await Promise.all([plain.createMany({ data }), acme.employee.createMany({ data })])
    }
    await database.query('VACUUM ANALYZE')
  }

  /** Rows per second, in turn with UPDATEs of as many rows at a time with tokens that are there already. */
  async function reindex(): Promise<void> {
    const rows = Math.min(ROWS, 50_000)
    await database.query('DELETE FROM "Employee" WHERE id >= $1', [rows])
    const rates: { reindex: number[]; constants: number[] } = { reindex: [], constants: [] }
    for (let round = 0; round < 3; round++) {
      await database.query(`UPDATE "Employee" SET "salaryCells" = NULL, "nameParts" = NULL`)
      await database.query('VACUUM ANALYZE "Employee"')
      rates.reindex.push(
        await rate(rows, () =>
          world.native.$encryption.maintain({ operation: 'reindex', database, models: ['Employee'] }),
        ),
      )
      await database.query('VACUUM ANALYZE "Employee"')
      rates.constants.push(await rate(rows, () => constants(rows)))
    }
    const [made, constant] = [spreadOf(rates.reindex).median, spreadOf(rates.constants).median]
    console.log(
      `reindex: ${made.toFixed(0)} rows a second, ${((100 * made) / constant).toFixed(0)} % of ${constant.toFixed(0)} with constants`,
    )
  }

  async function constants(rows: number): Promise<void> {
    for (let from = 0; from < rows; from += 2_000) {
      await database.query(
        `UPDATE "Employee" e SET "salaryCells" = o."salaryCells", "nameParts" = o."nameParts" FROM "Employee" o
         WHERE o.id = (e.id + 1) % $1 AND e.id >= $2 AND e.id < $3`,
        [rows, from, from + 2_000],
      )
    }
  }
} finally {
  await database.end()
  await world.close()
}

function person(id: number) {
  const name = `${letters(4)}${letters(4 + (id % 5))} ${letters(4 + (id % 4))}`
  return { id, tenant: 'acme', salary: Math.floor(Math.random() * SALARIES), name }
}

function letters(length: number): string {
  return Array.from({ length }, () => LETTERS[Math.floor(Math.random() * LETTERS.length)]).join('')
}

function interval(width: number): { gte: number; lt: number } {
  const from = Math.floor(Math.random() * (SALARIES - width))
  return { gte: from, lt: Math.ceil(from + width) }
}

async function rate(rows: number, work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return rows / ((performance.now() - start) / 1000)
}

async function compare(name: string, { plain, fieldseal }: { plain: () => unknown; fieldseal: () => unknown }) {
  const contenders = { plain: { run: plain }, fieldseal: { run: fieldseal } }
  const { wall } = await interleave(contenders, { budget: 0, fewest: ROUNDS })
  const { median, low, high } = ratioOf(wall, 'fieldseal', 'plain')
  const medians = (['fieldseal', 'plain'] as const).map((one) => `${spreadOf(wall[one]!).median.toFixed(2)} ms`)
  console.log(`${name}: ${medians.join(' to ')}, ratio ${median.toFixed(2)} [${low.toFixed(2)}–${high.toFixed(2)}]`)
}
