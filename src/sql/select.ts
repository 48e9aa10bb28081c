import type { Node, ResTarget, SelectStmt } from 'libpg-query'
import { isIndexColumn } from '../plan/columnIndex.js'
import type { Analysis } from './analysis.js'

import { refuseColumn } from './expressions.js'
import { takeFacts } from './facts.js'
import { columnNameOf, nodeOf, nodesOf, someNode } from './nodes.js'
import { refusedPlace, unsupported } from './refusals.js'
import { resultName } from './resultName.js'
import { innerScope, type Relation, relationsOf, requireDeclared, resolve, type Scope, secretIn } from './scope.js'
import { type Output, readIndex, requirePlain, Selection } from './selection.js'
import { walkWith } from './with.js'

/** Analyses a SELECT, and says what it gives. */
export function walkSelect(analysis: Analysis, statement: SelectStmt, outer: Scope | undefined): Selection {
  const scope = innerScope(outer)
  walkWith(analysis, statement.withClause, scope)
  if (statement.op && statement.op !== 'SETOP_NONE') return walkSetOperation(analysis, statement, scope)
  analysis.from(statement.fromClause, scope)
  const secret = statement.intoClause && relationsOf(scope).map(secretIn).find(Boolean)
  if (secret)
    throw unsupported(`SELECT INTO would copy ${secret}, which is encrypted: INSERT the rows after reading them`)
  takeFacts(statement.whereClause, scope)
  const selection = walkTargets(analysis, statement.targetList, scope, addsAllowed(statement))
  walkOrders(analysis, statement, selection, scope)
  if (outer === undefined) analysis.inexact = inexactness(statement)
  analysis.expression(statement.whereClause, scope, outer === undefined ? 'of all results' : 'positive')
  const { havingClause, windowClause, valuesLists, limitCount, limitOffset } = statement
  analysis.expression([havingClause, windowClause, valuesLists, limitCount, limitOffset], scope)
  return selection
}

/** The rows of both sides are compared with each other, or at least are no longer told apart. */
function walkSetOperation(analysis: Analysis, { larg, rarg, ...statement }: SelectStmt, scope: Scope): Selection {
  const sides = [larg, rarg].flatMap((side) => side ?? []).map((side) => analysis.select(side, scope))
  for (const side of sides)
    requirePlain(
      analysis,
      side,
      'UNION, INTERSECT or EXCEPT',
      'send the queries apart, and put their rows together in your code',
    )
  analysis.expression([statement.limitCount, statement.limitOffset], scope)
  return new Selection(sides[0]!.outputs.map(({ name }) => ({ name, source: undefined })))
}

/** More results may be added where nothing counts them. */
function addsAllowed({ distinctClause, groupClause, sortClause }: SelectStmt): boolean {
  const isPlainDistinct = distinctClause?.every(isEmptyNode) ?? false
  const sorted = nodesOf(sortClause, 'SortBy').map(({ node }) => node)
  return !isPlainDistinct && ![...sorted, ...(groupClause ?? []), ...(distinctClause ?? [])].some(isOrdinal)
}

function isOrdinal(node: Node | undefined): boolean {
  return nodeOf(node, 'A_Const')?.ival !== undefined
}

/** The results of a SELECT or RETURNING. */
export function walkTargets(
  analysis: Analysis,
  list: readonly Node[] | undefined,
  scope: Scope,
  mayAdd: boolean,
): Selection {
  const targets = nodesOf(list, 'ResTarget')
  const outputs = targets.flatMap((target) => outputsOf(analysis, target, scope))
  const { text, hidden } = analysis
  const location = targets[0]?.location
  const first = mayAdd && location !== -1 && targets.length > 0 ? text.tokenAt(location) : undefined
  const hasStar = targets.some(({ val }) => isStar(val))
  return new Selection(outputs, { text, hidden, first, scope, hasStar, known: knownOf(outputs, hasStar, scope) })
}

function outputsOf(analysis: Analysis, { name, val }: ResTarget, scope: Scope): Output[] {
  const ref = nodeOf(val, 'ColumnRef')
  const column = ref && columnNameOf(ref)
  if (column && column.name === undefined) return starOutputs(scope, column.qualifier)
  if (column) return [{ name: name ?? column.name, source: resolve(scope, column)?.source }]
  analysis.expression(val, scope)
  return [{ name: name ?? resultName(val), source: undefined }]
}

/** What of the names of results is known. */
function knownOf(outputs: readonly Output[], hasStar: boolean, { relations }: Scope): Relation['known'] {
  if (hasStar && relations.some(({ known }) => known === 'none')) return 'none'
  const isAll =
    outputs.every(({ name }) => name !== undefined) && (!hasStar || relations.every(({ known }) => known === 'all'))
  return isAll ? 'all' : 'declared'
}

function isStar(node: Node | undefined): boolean {
  const ref = nodeOf(node, 'ColumnRef')
  return ref !== undefined && columnNameOf(ref).name === undefined
}

function starOutputs(scope: Scope, qualifier: string | undefined): Output[] {
  const meant =
    qualifier === undefined
      ? scope.relations.filter(({ qualifiedOnly }) => !qualifiedOnly)
      : relationsOf(scope)
          .filter(({ alias }) => alias === qualifier)
          .slice(0, 1)
  for (const { columns } of meant) for (const source of columns.values()) requireDeclared(source)
  requireKnownNames(meant)
  return meant.flatMap(({ columns }) => [...columns].map(([name, source]) => ({ name, source })))
}

/** Of results of one name the last one counts: what nobody declared may hide an encrypted column before it. */
function requireKnownNames(relations: readonly Relation[]): void {
  const secret = relations.map(secretIn)
  const unknown = relations.findIndex(({ known }, at) => known === 'none' && secret.slice(0, at).some(Boolean))
  if (unknown < 0) return
  throw unsupported(
    `* gives ${secret.find(Boolean)}, which is encrypted, and after it columns of "${relations[unknown]!.alias}", of which nothing is ` +
      'declared: name the columns',
  )
}

/** Results can be named in GROUP BY, ORDER BY and DISTINCT ON, by their names or their numbers. */
function walkOrders(analysis: Analysis, statement: SelectStmt, selection: Selection, scope: Scope): void {
  const { distinctClause = [], groupClause = [], sortClause } = statement
  if (distinctClause.some(isEmptyNode))
    requirePlain(
      analysis,
      selection,
      'SELECT DISTINCT',
      'leave the column out, or DISTINCT, and compare the rows in your code',
    )
  const isColumn = (name: string) => scope.relations.some(({ columns }) => columns.has(name))
  for (const node of groupClause.flatMap(groupedNodes)) {
    if (refuseNamed(analysis, selection, node, 'GROUP BY') && !isColumn(bareName(node) ?? '')) continue
    refuseColumn(node, scope, 'GROUP BY')
    analysis.expression(node, scope)
  }
  for (const node of distinctClause) {
    if (isEmptyNode(node) || refuseNamed(analysis, selection, node, 'DISTINCT ON')) continue
    refuseColumn(node, scope, 'DISTINCT ON')
    analysis.expression(node, scope)
  }
  for (const { node } of nodesOf(sortClause, 'SortBy')) {
    if (!node || refuseNamed(analysis, selection, node, 'ORDER BY')) continue
    refuseColumn(node, scope, 'ORDER BY')
    analysis.expression(node, scope)
  }
}

/** What is grouped by, also in GROUPING SETS, ROLLUP and CUBE, and in parentheses. */
function groupedNodes(node: Node): Node[] {
  const inner = nodeOf(node, 'GroupingSet')?.content ?? nodeOf(node, 'RowExpr')?.args
  return inner ? inner.flatMap(groupedNodes) : [node]
}

/** Plain DISTINCT is a list of nothing. */
function isEmptyNode(node: Node): boolean {
  return Object.keys(node).length === 0
}

function bareName(node: Node): string | undefined {
  const ref = nodeOf(node, 'ColumnRef')
  const column = ref && columnNameOf(ref)
  return column?.qualifier === undefined ? column?.name : undefined
}

/**
 * Looks at a name or number of a result.
 *
 * @returns whether it is one
 * @throws FieldsealError `QUERY_UNSUPPORTED` if that result is encrypted
 */
function refuseNamed({ indexesRead }: Analysis, selection: Selection, node: Node, clause: string): boolean {
  const number = nodeOf(node, 'A_Const')?.ival
  const name = bareName(node)
  const named = selection.outputs.filter((output, position) =>
    number ? position === (number.ival ?? 0) - 1 || selection.hasStar : name !== undefined && output.name === name,
  )
  for (const { source } of named) {
    if (isIndexColumn(source)) indexesRead.push(readIndex(source))
    if (source?.kind !== 'encrypted') continue
    throw refusedPlace(source.field, clause)
  }
  return named.length > 0 || number !== undefined
}

/** Why rows that a short index finds by mistake could not be taken out of the results again. */
function inexactness(statement: SelectStmt): string | undefined {
  if (statement.limitCount || statement.limitOffset) return 'LIMIT and OFFSET'
  if (statement.distinctClause) return 'DISTINCT'
  if (statement.groupClause || statement.havingClause) return 'GROUP BY'
  const computes = someNode(statement.targetList, (kind) => kind === 'FuncCall' || kind === 'SubLink')
  return computes ? 'functions and subqueries among the results' : undefined
}
