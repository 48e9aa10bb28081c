import type { EncryptionSchema } from 'fieldseal/prisma'
import type pg from 'pg'
import { encryptionSchema } from '../../generated/encryption/index.js'

/** An encrypted cell as plain SQL finds it, with all that its AAD is made of. */
export interface StoredCell {
  /** `Model.field` and the row's id. */
  readonly name: string
  readonly type: 'String' | 'Bytes' | 'Json'
  readonly context: string
  readonly tenant: string
  readonly bound: readonly string[]
  readonly stored: unknown
}

export const { models }: EncryptionSchema = encryptionSchema
export const encryptedModels = Object.keys(models).filter((name) => Object.keys(models[name]!.encrypted).length > 0)

/** Every encrypted cell of a database that is not NULL. */
export async function storedCells(client: pg.Client): Promise<StoredCell[]> {
  const cells: StoredCell[] = []
  for (const model of encryptedModels) {
    for (const field of Object.keys(models[model]!.encrypted)) cells.push(...(await cellsOf(client, model, field)))
  }
  return cells
}

async function cellsOf(client: pg.Client, model: string, field: string): Promise<StoredCell[]> {
  const { table, columns, encrypted } = models[model]!
  const { type, context, bind } = encrypted[field]!
  const column = (name: string) => `t."${columns[name]}"`
  const { rows } = await client.query<{ id: string; tenant: string; bound: string[]; stored: unknown }>(`
    SELECT t.id::text AS id, (${tenantOf(model)}) AS tenant, ${column(field)} AS stored,
      ARRAY[${bind.map((name) => `${column(name)}::text`).join()}]::text[] AS bound
    FROM "${table}" t WHERE ${column(field)} IS NOT NULL`)
  return rows.map(({ id, ...cell }) => ({ ...cell, name: `${model}.${field} ${id}`, type, context }))
}

/** SQL for the tenant of a row `t`: its own column, or that of the row it belongs to. */
function tenantOf(model: string): string {
  const { tenant, columns, relations } = models[model]!
  if (tenant) return `t."${columns[tenant]}"`
  const owner = Object.values(relations).find((relation) => !relation.list && models[relation.model]!.tenant)!
  const { table, columns: theirs, tenant: ownerTenant } = models[owner.model]!
  const join = owner.from.map((from, position) => `o."${theirs[owner.to[position]!]}" = t."${columns[from]}"`)
  return `SELECT o."${theirs[ownerTenant!]}" FROM "${table}" o WHERE ${join.join(' AND ')}`
}
