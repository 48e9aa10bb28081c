import type { FieldPlan, IndexPlan, TokenIndexPlan } from '../plan/plan.js'

/** An index that has a column: a blind index, or one of several tokens for each value. */
export type ColumnIndex = IndexPlan | TokenIndexPlan

/** All indexes that are filled with a column. */
export function indexesOf({ indexes, tokenIndexes }: FieldPlan): readonly ColumnIndex[] {
  return [...indexes, ...tokenIndexes]
}
