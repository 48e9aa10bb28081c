import type { A_Expr, BoolExpr, ColumnRef, FuncCall, Node, ParamRef, SubLink } from 'libpg-query'
import { isIndexColumn } from '../plan/columnIndex.js'
import type { FieldPlan } from '../plan/plan.js'
import type { Analysis, Standing } from './analysis.js'

import { comparisonOf } from './comparison.js'
import { columnNameOf, isBuiltIn, lastName, nodeOf, someNode } from './nodes.js'
import { refusedCall, refusedExpression, refusedPlace, unsupported } from './refusals.js'
import { type Resolved, resolve, type Scope } from './scope.js'
import { search, searchTogether } from './search.js'
import { readIndex, requirePlain } from './selection.js'
import { tokenConditionOf } from './tokenCondition.js'
import { searchTokens } from './tokenSearch.js'
import { parameterOf } from './values.js'

/**
 * Walks an expression, or a list of them. What may be done with an encrypted column is listed here; a column that is met
 * in any other place is refused.
 *
 * @throws FieldsealError `QUERY_UNSUPPORTED`
 */
export function walkExpression(analysis: Analysis, tree: unknown, scope: Scope, standing: Standing = 'anywhere'): void {
  if (typeof tree !== 'object' || tree === null) return
  if (Array.isArray(tree)) {
    for (const node of tree) walkExpression(analysis, node, scope)
    return
  }
  const node = tree as Node
  const column = nodeOf(node, 'ColumnRef')
  if (column) {
    readColumn(analysis, column, scope)
    return
  }
  const condition = nodeOf(node, 'BoolExpr')
  if (condition) {
    walkCondition(analysis, condition, scope, standing)
    return
  }
  const subquery = nodeOf(node, 'SubLink')
  if (subquery) {
    walkSubquery(analysis, subquery, scope)
    return
  }
  if (nodeOf(node, 'SelectStmt')) throw unsupported('this place of a subquery is not understood')
  const asked = tokenConditionOf(analysis, node, scope)
  if (asked) {
    searchTokens(analysis, asked, standing)
    return
  }
  const comparison = nodeOf(node, 'A_Expr')
  const compared = comparison && comparisonOf(analysis, comparison, scope)
  if (compared) {
    search(analysis, compared, standing)
    return
  }
  if (comparison) noteLookedAt(analysis, comparison)
  const tested = nodeOf(node, 'NullTest')?.arg
  if (isColumn(tested, scope)) return
  const parameter = parameterOf(analysis.text, tested)
  if (parameter) {
    const first = analysis.text.tokenAt(parameter.ref.location)
    analysis.text.replace({ first, last: parameter.last }, { kind: 'presence', param: parameter.ref.number ?? 0 })
    return
  }
  const call = nodeOf(node, 'FuncCall')
  if (call && (isCount(call, scope) || isCountOfRows(call, scope))) {
    walkParts(analysis, [call.agg_filter, call.over], scope)
    return
  }
  if (call) refuseArguments(call, scope)
  refuseSorted(node, scope)
  walkParts(analysis, Object.values(node), scope)
}

/** What an expression without any column looks at. */
function noteLookedAt({ lookedAt }: Analysis, expression: A_Expr): void {
  const params: number[] = []
  const hasColumn = someNode(expression, (kind, content) => {
    if (kind === 'ParamRef') params.push((content as ParamRef).number ?? 0)
    return kind === 'ColumnRef'
  })
  if (!hasColumn) for (const param of params) lookedAt.add(param)
}

/** A column that is sorted or grouped by, or given to a function, is refused in words that name that. */
export function refuseColumn(node: Node | undefined, scope: Scope, clause: string): void {
  const field = encryptedColumn(node, scope)
  if (field) throw refusedPlace(field, clause)
}

function refuseArguments({ funcname, args = [], agg_distinct }: FuncCall, scope: Scope): void {
  for (const arg of args) {
    const field = encryptedColumn(arg, scope)
    if (field) throw refusedCall(field, `${lastName(funcname)}(${agg_distinct ? 'DISTINCT' : ''})`)
  }
}

/** In windows, and in aggregates. */
function refuseSorted(node: Node, scope: Scope): void {
  refuseColumn(nodeOf(node, 'SortBy')?.node, scope, 'ORDER BY')
  // A window is a node where it is named, and a mere object behind OVER.
  const { partitionClause = [] } = node as { readonly partitionClause?: readonly Node[] }
  for (const part of partitionClause) refuseColumn(part, scope, 'PARTITION BY')
}

function encryptedColumn(node: Node | undefined, scope: Scope): FieldPlan | undefined {
  const ref = nodeOf(node, 'ColumnRef')
  const source = ref && resolve(scope, columnNameOf(ref))?.source
  return source?.kind === 'encrypted' ? source.field : undefined
}

function walkParts(analysis: Analysis, parts: readonly unknown[], scope: Scope): void {
  for (const part of parts) walkExpression(analysis, part, scope)
}

function readColumn({ indexesRead }: Analysis, ref: ColumnRef, scope: Scope): void {
  const source = resolve(scope, columnNameOf(ref))?.source
  if (source?.kind === 'encrypted') throw refusedExpression(source.field)
  if (isIndexColumn(source)) indexesRead.push(readIndex(source))
}

function walkCondition(analysis: Analysis, { boolop, args = [] }: BoolExpr, scope: Scope, standing: Standing): void {
  switch (boolop) {
    case 'AND_EXPR':
      for (const rest of searchTogether(analysis, args, scope, standing)) {
        walkExpression(analysis, rest, scope, standing)
      }
      return
    case 'OR_EXPR':
      for (const arg of args)
        walkExpression(analysis, arg, scope, standing === 'of all results' ? 'positive' : standing)
      return
    default:
      for (const arg of args) walkExpression(analysis, arg, scope, NEGATED[standing])
  }
}

const NEGATED = {
  'of all results': 'negative',
  positive: 'negative',
  negative: 'positive',
  anywhere: 'anywhere',
} as const satisfies { readonly [standing in Standing]: Standing }

/** What a subquery gives is compared, but with EXISTS. */
function walkSubquery(analysis: Analysis, { subLinkType, testexpr, subselect }: SubLink, scope: Scope): void {
  walkExpression(analysis, testexpr, scope)
  const statement = nodeOf(subselect, 'SelectStmt')
  if (!statement) throw unsupported('this subquery is not understood')
  const selection = analysis.select(statement, scope)
  if (subLinkType !== 'EXISTS_SUBLINK')
    requirePlain(
      analysis,
      selection,
      'a subquery in an expression',
      'join the table by a plain column, or compare in your code',
    )
}

/** Whether it is a column that may be asked for NULL: an encrypted one is NULL where its value is. */
function isColumn(node: Node | undefined, scope: Scope): boolean {
  const ref = nodeOf(node, 'ColumnRef')
  return ref !== undefined && columnNameOf(ref).name !== undefined && resolve(scope, columnNameOf(ref)) !== undefined
}

/** `count(DISTINCT (id, email))`: with its whole key, a row differs from every other one whatever its ciphertexts are. */
function isCountOfRows({ funcname, args = [], agg_distinct, agg_order }: FuncCall, scope: Scope): boolean {
  const row = nodeOf(args[0], 'RowExpr')
  if (!row || args.length > 1 || !isBuiltIn(funcname, 'count') || !agg_distinct || agg_order) return false
  const parts = (row.args ?? []).map((arg) => {
    const ref = nodeOf(arg, 'ColumnRef')
    return ref && resolve(scope, columnNameOf(ref))
  })
  return parts.every((part) => part?.source && !isIndexColumn(part.source) && isBesideKey(part, parts))
}

/** Whether the columns of the primary key of its row are there too. */
function isBesideKey({ relation, source }: Resolved, all: readonly (Resolved | undefined)[]): boolean {
  const { origin } = source!
  const { plan, isView } = origin.table
  const beside = all.filter((part) => part?.relation === relation && part.source?.origin === origin)
  const own = beside.flatMap((part) => (part?.source?.kind === 'plain' ? part.source.field : []))
  return !isView && plan.id.length > 0 && plan.id.every((field) => own.includes(field))
}

/** `count(column)`: how many are not NULL. */
function isCount({ funcname, args = [], agg_distinct, agg_order, agg_within_group }: FuncCall, scope: Scope): boolean {
  const isPlain = isBuiltIn(funcname, 'count') && args.length === 1 && !agg_distinct && !agg_order && !agg_within_group
  return isPlain && isColumn(args[0], scope)
}
