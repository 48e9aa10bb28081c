import { textHead } from '../crypto/ciphertext.js'
import { encodeHeader, FLAG_PADDED, SUITE_AES_256_GCM } from '../crypto/header.js'
import { FieldsealError } from '../errors.js'
import type { EncryptionSchema, ModelSchema } from '../schema/encryptionSchema.js'
import { GLOBAL_TENANT } from '../tenancy/tenant.js'
import { ciphertextTraces, type FindCiphertext, type RowsOfTenant } from './ciphertextTraces.js'
import type { KeyTraces, MissingKey } from './keyTraces.js'

/** The columns of a model that keys of one kind fill. */
export interface IndexedModel {
  readonly model: string
  readonly schema: ModelSchema
  readonly columns: readonly string[]
  /** The columns of lists, of which an empty one was filled by no key. */
  readonly lists: readonly string[]
}

/** What is true of the rows of a tenant. */
export type TenantRows =
  | RowsOfTenant
  /** One of these fields begins with one of these texts. */
  | { readonly kind: 'heads'; readonly fields: readonly string[]; readonly heads: readonly string[] }

/**
 * Finds one row of these in which one of the columns is not null, or one of the lists not empty; gives them by field. `null`
 * also where there is no such table or column.
 */
export type FindRow = (indexed: IndexedModel, whose: TenantRows) => Promise<object | null>

/** The tables, as an ORM or a driver reaches them. */
export interface TableReader {
  readonly findRow: FindRow
  readonly findCiphertext: FindCiphertext
}

/**
 * Looks into the tables, with one query a model, for one row. For what a key for indexes made, a tenant's rows are known by
 * their `@tenant` column, otherwise by the head of a ciphertext in a text column; those of models with neither it does not
 * see.
 */
export function tableKeyTraces(schema: EncryptionSchema, { findRow, findCiphertext }: TableReader): KeyTraces {
  const { models } = schema
  const indexedModels = (scope: Scope) =>
    Object.entries(models).flatMap(([model, schema]): IndexedModel[] => {
      const columns = fieldsOf(schema.indexes, scope)
      const lists = fieldsOf(schema.tokenIndexes ?? {}, scope)
      return columns.length + lists.length > 0 ? [{ model, schema, columns, lists }] : []
    })
  const scopes = { tenant: indexedModels('tenant'), global: indexedModels('global') }
  const findEncrypted = ciphertextTraces(schema, findCiphertext)
  return {
    async find(key) {
      if (key.purpose === 'encrypt') return findEncrypted(key)
      for (const indexed of scopes[key.tenant === GLOBAL_TENANT ? 'global' : 'tenant']) {
        const whose = await ownedBy(indexed, key)
        const row = whose && (await findRow(indexed, whose))
        if (row) return nameOf(indexed, row)
      }
      return null
    },
  }
}

type Scope = 'tenant' | 'global'

function fieldsOf(indexes: { readonly [field: string]: { readonly scope: Scope } }, scope: Scope): string[] {
  return Object.keys(indexes).filter((field) => indexes[field]!.scope === scope)
}

/** `undefined` when nothing tells a tenant's rows. */
async function ownedBy({ schema }: IndexedModel, { tenant, deks }: MissingKey): Promise<TenantRows | undefined> {
  if (tenant === GLOBAL_TENANT) return { kind: 'all' }
  if (schema.tenant !== undefined) return { kind: 'column', field: schema.tenant, tenant }
  const fields = textFields(schema)
  const heads = fields.length > 0 ? (await deks()).flatMap(headsOf) : []
  return heads.length === 0 ? undefined : { kind: 'heads', fields, heads }
}

/** Encrypted fields whose ciphertexts name their DEK, in columns that can be searched by their beginning. */
function textFields({ encrypted }: ModelSchema): string[] {
  const isSearchable = ({ type, list, mode }: ModelSchema['encrypted'][string]) => type === 'String' && !list && !mode
  return Object.keys(encrypted).filter((field) => isSearchable(encrypted[field]!))
}

function headsOf(dekId: string): string[] {
  return [0, FLAG_PADDED].map((flags) => textHead(encodeHeader({ suite: SUITE_AES_256_GCM, flags, dekId })))
}

function nameOf({ model, columns, lists }: IndexedModel, row: object): string {
  const values = row as { readonly [column: string]: unknown }
  return `${model}.${[...columns, ...lists].find((column) => isFilled(values[column]))}`
}

function isFilled(value: unknown): boolean {
  return value !== null && (!Array.isArray(value) || value.length > 0)
}

export function tracesUnavailable(model: string, cause: unknown): FieldsealError {
  const message =
    `before a tenant's first key is made, ${model} is asked whether it holds any of the tenant's; that ` +
    'failed: is the database reachable, and may its user read this table?'
  return new FieldsealError('KEY_STORE_UNAVAILABLE', message, { cause })
}
