import type { Node } from 'libpg-query'
import { kindOf, lastName, namesOf, nodeOf } from './nodes.js'

const NAMES: { readonly [kind: string]: string } = {
  CaseExpr: 'case',
  CoalesceExpr: 'coalesce',
  A_ArrayExpr: 'array',
  RowExpr: 'row',
  GroupingFunc: 'grouping',
}

/** The name that PostgreSQL gives a result that has none of its own; `undefined` where that is not known here. */
export function resultName(node: Node | undefined): string | undefined {
  if (!node) return undefined
  const cast = nodeOf(node, 'TypeCast')
  if (cast) return resultName(cast.arg) ?? lastName(cast.typeName?.names)
  const collation = nodeOf(node, 'CollateClause')
  if (collation) return resultName(collation.arg)
  const part = nodeOf(node, 'A_Indirection')
  if (part) return namesOf(part.indirection).at(-1) ?? resultName(part.arg)
  const column = nodeOf(node, 'ColumnRef')
  if (column) return lastName(column.fields)
  const call = nodeOf(node, 'FuncCall')
  return call ? lastName(call.funcname) : NAMES[kindOf(node)]
}
