import type { EncryptionSchema } from 'fieldseal/prisma'
import { encryptionSchema } from '../../../generated/encryption/index.js'
import { Prisma } from '../../../generated/prisma/client.js'
import type { PlainClient } from '../clients.js'
import { count, section, table } from '../terminal.js'

/** Rows of a table and its encrypted cells that are not NULL. */
export interface Tally {
  readonly model: string
  readonly rows: number
  readonly cells: number
  /** Of the cells, those that hold something else than a ciphertext. */
  readonly readable: number
  readonly fields: readonly string[]
}

const { models }: EncryptionSchema = encryptionSchema

/** Counts in the database itself, by SQL. */
export async function tally(plain: PlainClient): Promise<Tally[]> {
  const names = Object.keys(models).filter((model) => model !== encryptionSchema.keysModel && model !== 'Room')
  return Promise.all(names.map((model) => tallyOf(plain, model)))
}

async function tallyOf(plain: PlainClient, model: string): Promise<Tally> {
  const { table: name, columns, encrypted } = models[model]!
  const fields = Object.keys(encrypted)
  const sums = fields.map((field) => {
    const column = `"${columns[field]}"`
    return {
      filled: `count(${column})`,
      sealed: `count(*) FILTER (WHERE ${isCiphertext(column, encrypted[field]!.type)})`,
    }
  })
  const sum = (terms: readonly string[]) => ['0', ...terms].join(' + ')
  const [filled, sealed] = [sum(sums.map(({ filled }) => filled)), sum(sums.map(({ sealed }) => sealed))]
  const sql = `SELECT count(*)::int AS rows, (${filled})::int AS cells, (${sealed})::int AS sealed FROM "${name}"`
  const [found] = await plain.$queryRaw<{ rows: number; cells: number; sealed: number }[]>(Prisma.raw(sql))
  const { rows, cells, sealed: ciphertexts } = found!
  return { model, rows, cells, readable: cells - ciphertexts, fields }
}

function isCiphertext(column: string, type: 'String' | 'Bytes' | 'Json'): string {
  switch (type) {
    case 'String':
      return `starts_with(${column}, 'fs1.')`
    case 'Json':
      return `starts_with(${column} #>> '{}', 'fs1.')`
    case 'Bytes':
      return `substring(${column} FROM 1 FOR 4) = 'fs1.'::bytea`
  }
}

export function reportWritten(tallies: readonly Tally[]): void {
  section('What the app wrote', 'Two clinics, each a tenant, by ordinary Prisma creates with nested writes.')
  const rows = tallies.map(({ model, rows, cells, fields }) => [
    model,
    count(rows),
    fields.length ? count(cells) : '–',
    fields.join(', ') || 'none',
  ])
  table([14, 8, 18], ['model', 'rows', 'encrypted cells', 'encrypted fields'], rows)
}
