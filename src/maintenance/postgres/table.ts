import type { StorageType } from '../../schema/encryptionSchema.js'

/** Where the rows of a model are, in names of the database. */
export interface MaintainedTable {
  readonly schema?: string | undefined
  readonly table: string
  /** The columns of encrypted fields, by field. */
  readonly fields: { readonly [field: string]: MaintainedColumn }
  /** The columns of indexes, by field. */
  readonly indexes: { readonly [field: string]: MaintainedColumn }
  /** The columns that ciphertexts are bound to, by field. */
  readonly bound: { readonly [field: string]: string }
  readonly tenant: TenantSource
}

export interface MaintainedColumn {
  readonly column: string
  /** `Tokens` are UUIDs, always in a list. */
  readonly storage: StorageType | 'Tokens'
  /** An array of that. */
  readonly list: boolean
}

/** Where the tenant of a row is written. */
export type TenantSource =
  /** In the row itself, or in a row that can be reached by joins. */
  | { readonly kind: 'column'; readonly joins: readonly TenantJoin[]; readonly column: string }
  /** Nowhere: all rows are this tenant's. */
  | { readonly kind: 'fixed'; readonly tenant: string }
  /** Nowhere: only ciphertexts tell. */
  | { readonly kind: 'unknown' }

export interface TenantJoin {
  readonly schema?: string | undefined
  readonly table: string
  /** Columns on the side of the row, and those that they refer to. */
  readonly from: readonly string[]
  readonly to: readonly string[]
}

/** The keys table. */
export interface KeysTable {
  readonly schema?: string | undefined
  readonly table: string
  readonly id: string
  /** The type of `id` in the database. */
  readonly idType: string
  readonly tenant: string
  readonly version: string
  readonly state: string
}
