import type { MultiAssignRef, Node, ResTarget } from 'libpg-query'
import { nodeOf, nodesOf } from './nodes.js'
import type { SqlText } from './sqlText.js'

/** What SET gives one column. */
export interface Assignment {
  readonly name: string
  /** `undefined` where it is a part of what an assignment before it is given. */
  readonly value: Node | undefined
  /** Only a part of the column is written, as in `a[1] = $1`. */
  readonly isPart: boolean
  /** The token before which there is room for another assignment. */
  readonly start: number
}

/** The assignments of SET, those of rows one by one: `(a, b) = ($1, $2)`. */
export function assignmentsOf(text: SqlText, list: readonly Node[] | undefined): Assignment[] {
  const targets = nodesOf(list, 'ResTarget')
  return targets.map((target, position) => {
    const { name = '', val, indirection } = target
    const row = nodeOf(val, 'MultiAssignRef')
    return {
      name,
      value: row ? partOf(row) : val,
      isPart: indirection !== undefined,
      start: row ? startOfRow(text, targets[position - (row.colno ?? 1) + 1]!) : text.tokenAt(target.location),
    }
  })
}

/** Before the names of a row there is a parenthesis. */
function startOfRow(text: SqlText, { location }: ResTarget): number {
  return text.tokenAt(location) - 1
}

/** A subquery gives all columns of a row, so that it is the value of the first. */
function partOf({ source, colno = 1, ncolumns }: MultiAssignRef): Node | undefined {
  const args = nodeOf(source, 'RowExpr')?.args
  if (args?.length === ncolumns) return args?.[colno - 1]
  return colno === 1 ? source : undefined
}
