import type { FieldPlan, IndexPlan, ModelPlan } from '../plan/plan.js'
import { unsupported } from './refusals.js'

/** What the application declares of the tables of its database. */
export interface Catalog {
  /** The names of all tables and views with encrypted columns. */
  readonly encryptedNames: readonly string[]
  /**
   * The table that a name in SQL means, if it has encrypted columns or is declared at all.
   *
   * @param schema as it is written before the name; where it is not, the search path decides
   * @throws FieldsealError `QUERY_UNSUPPORTED` for a name that may mean several tables of which one has encrypted columns
   */
  find(schema: string | undefined, name: string): CatalogTable | undefined
}

/** A table or view, with the columns that the application declares. */
export interface CatalogTable {
  readonly schema: string | undefined
  readonly name: string
  /** The model whose rows it holds, or in a view shows, for clients that may read everything. */
  readonly plan: ModelPlan
  /** By their names in the database. */
  readonly columns: ReadonlyMap<string, CatalogColumn>
  /** What is read-only. */
  readonly isView: boolean
}

/** What stands in a column. */
export type CatalogColumn =
  | { readonly kind: 'encrypted'; readonly field: FieldPlan }
  | { readonly kind: 'index'; readonly index: IndexPlan }
  /** `field` is its name in the model. */
  | { readonly kind: 'plain'; readonly field: string }

/** Whether anything in a table is encrypted. */
export function isEncrypted({ columns }: CatalogTable): boolean {
  return [...columns.values()].some(({ kind }) => kind !== 'plain')
}

/** Whether a column is the tenant's, or one that ciphertexts are bound to. */
export function isFixed({ plan }: CatalogTable, field: string): boolean {
  return field === plan.tenant || plan.bound.has(field)
}

export function columnOfIndex({ columns, name }: CatalogTable, index: IndexPlan): string {
  for (const [column, content] of columns) if (content.kind === 'index' && content.index === index) return column
  throw unsupported(`"${name}" has no column for ${index.name}`)
}
