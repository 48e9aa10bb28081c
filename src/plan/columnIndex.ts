import type { FieldPlan, IndexPlan, TokenIndexPlan } from './plan.js'

/** An index that has a column: a blind index, or one of several tokens for each value. */
export type ColumnIndex = IndexPlan | TokenIndexPlan

/** All indexes that are filled with a field. */
export function indexesOf({
  indexes,
  tokenIndexes,
}: Pick<FieldPlan, 'indexes' | 'tokenIndexes'>): readonly ColumnIndex[] {
  return [...indexes, ...tokenIndexes]
}

/** Whether it is the column of an index, which is filled with the field that it indexes. */
export function isIndexColumn<Column extends { readonly kind: string }>(
  column: Column | undefined,
): column is Extract<Column, { readonly kind: 'index' | 'tokens' }> {
  return column?.kind === 'index' || column?.kind === 'tokens'
}
