import { isConstrained } from '../../plan/indexPlans.js'
import type { EncryptionSchema } from '../../schema/encryptionSchema.js'
import { GLOBAL_TENANT } from '../../tenancy/tenant.js'
import type { IndexedColumn } from '../postgres/uniqueIndexes.js'

/** Whose keys indexes are made under: each tenant's own, or those for all. */
export type Scope = 'tenant' | 'global'

/** The indexes that are made under the keys of some scopes. */
export interface Indexes {
  /** Those in which there are any. */
  readonly scopes: ReadonlySet<Scope>
  /** Models with blind indexes. */
  readonly blind: ReadonlySet<string>
  /** Models with text or range indexes. */
  readonly tokens: ReadonlySet<string>
  /** Models with blind indexes that a unique constraint counts on. */
  readonly unique: ReadonlySet<string>
  /** The columns of these: `Model.column`. */
  readonly uniqueNames: readonly string[]
  /** Columns of blind indexes that no unique constraint of the schema counts on. */
  readonly free: readonly FreeColumn[]
}

export interface FreeColumn extends IndexedColumn {
  /** `Model.column` */
  readonly name: string
}

export function scopeOf(tenant: string): Scope {
  return tenant === GLOBAL_TENANT ? 'global' : 'tenant'
}

/** @param tenant of whose scope alone; of both unless given */
export function indexesOf({ models }: EncryptionSchema, tenant: string | undefined): Indexes {
  const isMeant = ({ scope }: { readonly scope: Scope }) => tenant === undefined || scope === scopeOf(tenant)
  const blind = Object.entries(models).flatMap(([model, schema]) =>
    Object.entries(schema.indexes)
      .filter(([, index]) => isMeant(index))
      .map(([column, { scope }]) => ({
        ...{ model, column, scope, isUnique: isConstrained(schema, column) },
        ...{ place: { schema: schema.schema, table: schema.table, column: schema.columns[column]! } },
      })),
  )
  const tokens = Object.entries(models).flatMap(([model, { tokenIndexes = {} }]) =>
    Object.values(tokenIndexes)
      .filter(isMeant)
      .map(({ scope }) => ({ model, scope })),
  )
  const unique = blind.filter(({ isUnique }) => isUnique)
  return {
    scopes: new Set([...blind, ...tokens].map(({ scope }) => scope)),
    blind: new Set(blind.map(({ model }) => model)),
    tokens: new Set(tokens.map(({ model }) => model)),
    unique: new Set(unique.map(({ model }) => model)),
    uniqueNames: unique.map(({ model, column }) => `${model}.${column}`),
    free: blind
      .filter(({ isUnique }) => !isUnique)
      .map(({ model, column, place }) => ({ ...place, name: `${model}.${column}` })),
  }
}
