import type { Analysis } from './analysis.js'
import { quoteName, type TokenRange } from './sqlText.js'
import type { Piece } from './statementPlan.js'

/** The row that a statement changes: the name of its table in the statement, and the tenant's column. */
export interface OwnedRow {
  readonly alias: string
  readonly column: string
}

/**
 * Has PostgreSQL fail rather than say of another tenant's row that it is this one's, whose ciphertexts then nobody could
 * read. It has no way to raise an error in an expression but a division by zero.
 *
 * @param range where the new value stands
 * @param value that value
 */
export function guardOwner(
  analysis: Analysis,
  { alias, column }: OwnedRow,
  range: TokenRange,
  ...value: Piece[]
): void {
  const name = quoteName(column)
  analysis.text.replace(
    range,
    `CASE WHEN 1 / CASE WHEN ${quoteName(alias)}.${name} = `,
    ...value,
    ' THEN 1 ELSE 0 END = 1 THEN ',
    ...value,
    ' END',
  )
  analysis.keepsOwners = alias
}
