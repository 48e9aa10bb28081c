import { textHead } from '../crypto/ciphertext.js'
import { encodeHeader, FLAG_PADDED, SUITE_AES_256_GCM } from '../crypto/header.js'
import { FieldsealError } from '../errors.js'
import type { KeyTraces, MissingKey } from '../keys/keyTraces.js'
import type { EncryptionSchema, ModelSchema } from '../schema/encryptionSchema.js'
import { GLOBAL_TENANT } from '../tenancy/tenant.js'
import { clientName } from './clientModels.js'
import { primaryOf } from './primary.js'

interface RowsDelegate {
  findFirst(args: object): Promise<object | null>
}

/** The columns of a model that keys of one kind fill. */
interface IndexedModel {
  readonly model: string
  readonly schema: ModelSchema
  readonly columns: readonly string[]
}

/**
 * Looks into the tables through the user's Prisma client, as `prismaKeyStore` does: with one query a model, for one row.
 * A tenant's rows are known by their `@tenant` column, otherwise by the head of a ciphertext in a text column; those of
 * models with neither it does not see.
 */
export function prismaKeyTraces(client: object, { models }: EncryptionSchema): KeyTraces {
  const indexedModels = (scope: 'tenant' | 'global') =>
    Object.entries(models).flatMap(([model, schema]): IndexedModel[] => {
      const columns = Object.keys(schema.indexes).filter((field) => schema.indexes[field]!.scope === scope)
      return columns.length > 0 ? [{ model, schema, columns }] : []
    })
  const scopes = { tenant: indexedModels('tenant'), global: indexedModels('global') }
  return {
    async find(key) {
      if (key.purpose !== 'index') return null
      for (const indexed of scopes[key.tenant === GLOBAL_TENANT ? 'global' : 'tenant']) {
        const whose = await ownedBy(indexed, key)
        const row = whose && (await findRow(client, indexed, whose))
        if (row) return nameOf(indexed, row)
      }
      return null
    },
  }
}

/** What is true of the rows of a tenant; `undefined` when nothing tells them. */
async function ownedBy({ schema }: IndexedModel, { tenant, deks }: MissingKey): Promise<object | undefined> {
  if (tenant === GLOBAL_TENANT) return {}
  if (schema.tenant !== undefined) return { [schema.tenant]: tenant }
  const fields = textFields(schema)
  const heads = fields.length > 0 ? (await deks()).flatMap(headsOf) : []
  if (heads.length === 0) return undefined
  return { OR: fields.flatMap((field) => heads.map((head) => ({ [field]: { startsWith: head } }))) }
}

/** Encrypted fields whose ciphertexts name their DEK, in columns that can be searched by their beginning. */
function textFields({ encrypted }: ModelSchema): string[] {
  const isSearchable = ({ type, list, mode }: ModelSchema['encrypted'][string]) => type === 'String' && !list && !mode
  return Object.keys(encrypted).filter((field) => isSearchable(encrypted[field]!))
}

function headsOf(dekId: string): string[] {
  return [0, FLAG_PADDED].map((flags) => textHead(encodeHeader({ suite: SUITE_AES_256_GCM, flags, dekId })))
}

async function findRow(client: object, { model, columns }: IndexedModel, whose: object): Promise<object | null> {
  const rows = (primaryOf(client) as { [model: string]: RowsDelegate })[clientName(model)]!
  const filled = { OR: columns.map((column) => ({ [column]: { not: null } })) }
  const select = Object.fromEntries(columns.map((column) => [column, true]))
  try {
    return await rows.findFirst({ where: { AND: [whose, filled] }, select })
  } catch (cause) {
    if (HOLDS_NONE.has(String((cause as { code?: unknown } | null)?.code))) return null
    throw unavailable(model, cause)
  }
}

/** By Prisma's error codes: no such table, no such column, a tenant id that the column's type cannot hold. */
const HOLDS_NONE = new Set(['P2021', 'P2022', 'P2007'])

function nameOf({ model, columns }: IndexedModel, row: object): string {
  const values = row as { readonly [column: string]: unknown }
  return `${model}.${columns.find((column) => values[column] !== null)}`
}

function unavailable(model: string, cause: unknown): FieldsealError {
  const message =
    `before a tenant's first key for blind indexes is made, ${model} is asked whether it holds any of the tenant's; that ` +
    'failed: is the database reachable, and may its user read this table?'
  return new FieldsealError('KEY_STORE_UNAVAILABLE', message, { cause })
}
