import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import type { World } from './world.js'

/** What one value of so many bytes takes. */
export interface DiskCost {
  readonly bytes: number
  /** In a text column without encryption, in a text column with, and in a Bytes column with: as stored by PostgreSQL. */
  readonly plain: number
  readonly text: number
  readonly raw: number
  /** As sent over the wire, in the text format that Prisma's adapter asks for. */
  readonly wire: { readonly plain: number; readonly text: number; readonly raw: number }
}

/** Incompressible text, as ids and names are once PostgreSQL looks at them one by one. */
function textOf(bytes: number): string {
  return randomBytes(bytes).toString('base64').slice(0, bytes)
}

/** Measures values of each length in PostgreSQL: `pg_column_size` of what is stored, and the length of its text. */
export async function diskCosts(world: World, lengths: readonly number[]): Promise<DiskCost[]> {
  const acme = world.native.$forTenant('acme')
  const client = new Client({ connectionString: world.url })
  await client.connect()
  await Promise.all([acme.one.deleteMany(), acme.scan.deleteMany(), world.plain.plainOne.deleteMany()])
  const data = lengths.map((bytes, id) => ({ id, tenant: 'acme', a: textOf(bytes) }))
  await world.plain.plainOne.createMany({ data })
  await acme.one.createMany({ data })
  await acme.scan.createMany({ data: data.map(({ id, tenant, a }) => ({ id, tenant, bytes: Buffer.from(a) })) })
  const sizes = async (model: string, column: string) => {
    const sql = `SELECT pg_column_size("${column}") AS stored, octet_length("${column}"::text) AS wire FROM "${model}" ORDER BY id`
    return (await client.query<{ stored: number; wire: number }>(sql)).rows
  }
  const [plain, text, raw] = [await sizes('PlainOne', 'a'), await sizes('One', 'a'), await sizes('Scan', 'bytes')]
  await client.end()
  return lengths.map((bytes, i) => ({
    bytes,
    plain: plain[i]!.stored,
    text: text[i]!.stored,
    raw: raw[i]!.stored,
    wire: { plain: plain[i]!.wire, text: text[i]!.wire, raw: raw[i]!.wire },
  }))
}
