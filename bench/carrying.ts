import { randomBytes } from 'node:crypto'
import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import { PrismaClient } from '../generated/bench/prisma/client.js'
import { startEmbeddedPostgres } from '../scripts/lib/embeddedPostgres.js'
import { applySchema } from '../scripts/lib/schemaEngine.js'
import { type Contender, interleave, ratioOf, spreadOf } from './rounds.js'
import { FIELDS } from './rows.js'

/*
 * What it takes to read values of other lengths and types, with nothing done to them: what a ciphertext costs to carry, and
 * what another format would save. 1,000 rows of six values of 40 characters.
 */

const ROUNDS = Number(process.env.ROUNDS ?? 100)
const ROWS = 1_000
const PLAIN = 40
/** Nonce, tag and codec; then the header as it is, and one that names the tenant's key by a number of its own. */
const SEALED = PLAIN + 12 + 16 + 1
const [HEADER, SHORT_HEADER] = [18, 6]

const textOf = (bytes: number) => `fs1.${randomBytes(bytes).toString('base64url')}`
const TEXTS = {
  PlainNote: () => 'x'.repeat(PLAIN),
  Note: () => textOf(HEADER + SEALED),
  BareNote: () => textOf(SHORT_HEADER + SEALED),
}
const BYTES = {
  whole: () => randomBytes(1 + HEADER + SEALED),
  short: () => randomBytes(1 + SHORT_HEADER + SEALED),
}

const server = process.env.TEST_DATABASE_URL ? undefined : await startEmbeddedPostgres()
const url = process.env.TEST_DATABASE_URL ?? server!.url
await applySchema(url, 'bench/schema.prisma')
const pool = new pg.Pool({ connectionString: url, max: 1 })
const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: url, max: 1 }) })
try {
  const fill = async (table: string, newValue: () => unknown) => {
    const rows = Array.from({ length: ROWS }, (_, i) => {
      const values = FIELDS.Note.map((name) => [name, newValue()])
      return { id: i + 1, tenant: 'acme', ...Object.fromEntries(values) }
    })
    const sql = `INSERT INTO "${table}" SELECT * FROM json_populate_recordset(NULL::"${table}", $1::json)`
    await pool.query(sql, [JSON.stringify(rows)])
  }
  for (const [table, newValue] of Object.entries(TEXTS)) await fill(table, newValue)
  for (const [table, bytesOf] of Object.entries(BYTES)) {
    const columns = FIELDS.Note.map((name) => `"${name}" bytea`).join(', ')
    await pool.query(`CREATE TABLE "${table}" (id integer PRIMARY KEY, ${columns})`)
    await fill(table, () => `\\x${bytesOf().toString('hex')}`)
  }
  const columns = FIELDS.Note.map((name) => `"${name}"`).join(', ')
  const select = (table: string, binary = false): Contender => ({
    run: () => pool.query({ text: `SELECT id, ${columns} FROM "${table}"`, binary } as pg.QueryConfig),
  })
  const fields = { id: true, a: true, b: true, c: true, d: true, e: true, f: true } as const
  await compare('Prisma', {
    plain: { run: () => prisma.plainNote.findMany({ select: fields }) },
    ciphertexts: { run: () => prisma.note.findMany({ select: fields }) },
    'ciphertexts with a header of 6 bytes': { run: () => prisma.bareNote.findMany({ select: fields }) },
  })
  await compare('pg', {
    plain: select('PlainNote'),
    ciphertexts: select('Note'),
    'ciphertexts with a header of 6 bytes': select('BareNote'),
    'bytea, as text': select('whole'),
    'bytea, as text, with a header of 6 bytes': select('short'),
    'bytea, in binary': select('whole', true),
    'bytea, in binary, with a header of 6 bytes': select('short', true),
  })
} finally {
  await prisma.$disconnect()
  await pool.end()
  await server?.stop()
}

async function compare(by: string, contenders: { readonly [name: string]: Contender }): Promise<void> {
  const { wall, cpu } = await interleave(contenders, { budget: 0, fewest: ROUNDS, most: ROUNDS })
  console.log(`${by}: plain ${spreadOf(wall.plain!).median.toFixed(2)} ms`)
  for (const name of Object.keys(contenders).slice(1)) {
    const [w, c] = [ratioOf(wall, name, 'plain'), ratioOf(cpu, name, 'plain')]
    console.log(
      `  ${name}: ${w.median.toFixed(2)} [${w.low.toFixed(2)}–${w.high.toFixed(2)}], CPU ${c.median.toFixed(2)}`,
    )
  }
}
