import { type ColumnIndex, isIndexColumn } from '../plan/columnIndex.js'
import type { FieldPlan, IndexPlan, ModelPlan, TokenIndexPlan } from '../plan/plan.js'
import { unsupported } from './refusals.js'

/** What the application declares of the tables of its database. */
export interface Catalog {
  readonly tables: readonly CatalogTable[]
  /** The names of all tables and views with encrypted columns. */
  readonly encryptedNames: readonly string[]
  /**
   * The table that a name in SQL means, if it has encrypted columns or is declared at all.
   *
   * @param schema as it is written before the name; where it is not, the search path decides
   * @throws FieldsealError `QUERY_UNSUPPORTED` for a name that may mean several tables of which one has encrypted columns
   */
  find(schema: string | undefined, name: string): CatalogTable | undefined
  /** The same with more tables, or with others in the place of those that have their schema and name. */
  with(tables: readonly CatalogTable[]): Catalog
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
  | { readonly kind: 'tokens'; readonly index: TokenIndexPlan }
  /** `field` is its name in the model. */
  | { readonly kind: 'plain'; readonly field: string }
  /** It shows an encrypted column or an index of another table, named `of`, which nobody declares: it is not touched. */
  | { readonly kind: 'undeclared'; readonly of: string; readonly refusal: string }

/** What stands in the column of a model's field. */
export function columnOf({ members }: ModelPlan, field: string): CatalogColumn {
  const member = members.get(field)
  return member === undefined || member.kind === 'relation' ? plainColumn(field) : member
}

export function plainColumn(field: string): CatalogColumn {
  return { kind: 'plain', field }
}

/** The column of an index. */
export type IndexColumn = Extract<CatalogColumn, { readonly kind: 'index' | 'tokens' }>

/** Whether anything in a table is encrypted. */
export function isEncrypted({ columns }: CatalogTable): boolean {
  return [...columns.values()].some(({ kind }) => kind !== 'plain')
}

/** Whether a column is the tenant's, or one that ciphertexts are bound to. */
export function isFixed({ plan }: CatalogTable, field: string): boolean {
  return field === plan.tenant || plan.bound.has(field)
}

export function columnOfIndex({ columns, name }: CatalogTable, index: ColumnIndex): string {
  for (const [column, content] of columns) if (isIndexColumn(content) && content.index === index) return column
  throw unsupported(`"${name}" has no column for ${index.name}`)
}

/** @throws FieldsealError `QUERY_UNSUPPORTED` for what is read-only */
export function requireWritable({ name, columns, isView }: CatalogTable): void {
  const contents = [...columns.values()]
  const undeclared = contents.find((column) => column.kind === 'undeclared')
  if (undeclared) throw unsupported(undeclared.refusal)
  const shown = contents.find((column) => column.kind === 'encrypted') ?? contents.find(isIndexColumn)
  if (isView && shown)
    throw unsupported(`"${name}" is a view of ${contentName(shown)}, which is encrypted: write to the table behind it`)
}

/** `Model.field`; of a plain column, the field alone. */
export function contentName(column: CatalogColumn): string {
  switch (column.kind) {
    case 'encrypted':
      return column.field.name
    case 'index':
    case 'tokens':
      return column.index.name
    case 'undeclared':
      return column.of
    case 'plain':
      return column.field
  }
}
