import type { Node } from 'libpg-query'
import { isExact } from '../plan/exactIndex.js'
import type { FieldPlan, IndexPlan } from '../plan/plan.js'
import type { Analysis, Standing } from './analysis.js'
import { type Comparison, comparisonOf } from './comparison.js'
import { nodeOf } from './nodes.js'
import { falsePositives, indexNotGiven, notNegated, refusedComparison } from './refusals.js'
import type { ColumnSource, Scope } from './scope.js'
import { quoteName } from './sqlText.js'
import type { IndexSearch, ParameterUse, Piece, StatementRow, ValueSource } from './statementPlan.js'
import { tokenConditionOf } from './tokenCondition.js'
import type { Parameter } from './values.js'

/** Has a comparison answered by the blind index of its column. */
export function search(analysis: Analysis, comparison: Comparison, standing: Standing): void {
  const { source, operator, params, each } = comparison
  const index = singleIndex(source.field)
  if (!index) throw refusedComparison(source.field, operator)
  const values = params.map(paramValue)
  const row = foundRow(analysis, source)
  checkLater(analysis, { index, values, each, sources: [source] }, operator === '=' ? standing : 'anywhere')
  if (source.field.state) searchBoth(analysis, comparison, index, row)
  else searchIndex(analysis, comparison, index, row)
}

function singleIndex({ indexes }: FieldPlan): IndexPlan | undefined {
  const single = indexes.filter(({ sources }) => sources.length === 1)
  return single.find(isExact) ?? single[0]
}

function paramValue({ ref }: Parameter): ValueSource {
  return { param: ref.number ?? 0 }
}

/** The rows that a condition finds, as far as their tenant is known. */
function foundRow({ rows }: Analysis, { origin }: ColumnSource): StatementRow {
  const row: StatementRow = { plan: origin.table.plan, written: new Map(), stored: origin.facts }
  rows.push(row)
  return row
}

function searchIndex(analysis: Analysis, comparison: Comparison, index: IndexPlan, row: StatementRow): void {
  const { text } = analysis
  const { column, params, range, operator, each, isList } = comparison
  if (!each && !isList) {
    text.replace(range, `${columnText(analysis, comparison, index)} `, searched(index, params[0]!, operator, row))
    return
  }
  text.replace({ first: column.last, last: column.last }, indexColumn(comparison, index))
  for (const param of params) {
    // Without its cast: the column of an index may be of another type.
    const place = { first: text.tokenAt(param.ref.location), last: param.last }
    text.replace(place, searched(index, param, each ? 'each' : 'in list', row))
  }
}

function searched(
  index: IndexPlan,
  param: Parameter,
  compared: IndexSearch['compared'],
  row: StatementRow,
): IndexSearch {
  return { kind: 'search', index, values: [paramValue(param)], compared, row }
}

/** The column of the index in the place of the one that is compared. */
function columnText({ text }: Analysis, comparison: Comparison, index: IndexPlan): string {
  const { first, last } = comparison.column
  const qualifier = first === last ? '' : text.textOf({ first, last: last - 1 })
  return `${qualifier}${indexColumn(comparison, index)}`
}

/** The name that the column of the index has where the comparison stands. */
function indexColumn({ resolved, source }: Comparison, index: IndexPlan): string {
  const name = resolved.relation.expose({ kind: 'index', index, origin: source.origin })
  if (name === undefined) throw indexNotGiven(source.field, index, resolved.relation.alias)
  return quoteName(name)
}

/** Of rows that are plaintext yet the column itself is asked. Two-valued for every row with a value, as NOT needs it. */
function searchBoth(analysis: Analysis, comparison: Comparison, index: IndexPlan, row: StatementRow): void {
  const { text } = analysis
  const { column, params, each, operator, range, source } = comparison
  const { field } = source
  const own = text.textOf(column)
  const indexed = columnText(analysis, comparison, index)
  const uses = params.map((param): Piece[] => [searched(index, param, each ? 'each' : 'in list', row)])
  const asked: Piece[] = each ? [' = ANY(', ...uses[0]!, ')'] : [' IN (', ...joined(uses), ')']
  const plain: ParameterUse = { kind: 'plaintext', field, index, values: params.map(paramValue), each }
  const type = field.column === 'Bytes' ? 'bytea[]' : 'text[]'
  text.replace(
    range,
    operator === '=' ? '((' : '(NOT ((',
    `${indexed} IS NOT NULL AND ${indexed}`,
    ...asked,
    `) OR (${indexed} IS NULL AND ${own} = ANY(`,
    plain,
    `::${type})`,
    operator === '=' ? '))' : ')))',
  )
}

function joined(parts: readonly Piece[][]): Piece[] {
  return parts.flatMap((part, position) => (position === 0 ? part : [', ', ...part]))
}

/** Notes that rows must be compared again once they are decrypted, if the index finds others too. */
function checkLater(analysis: Analysis, check: Analysis['checks'][number], standing: Standing): void {
  if (isExact(check.index)) return
  const use = standing === 'of all results' ? analysis.inexact : 'OR, NOT, <> or a subquery'
  if (use !== undefined) throw falsePositives(check.index, use)
  analysis.checks.push(check)
}

/**
 * Has conditions that are joined by AND answered by blind indexes over several columns.
 *
 * @returns those that are left
 */
export function searchTogether(
  analysis: Analysis,
  conditions: readonly Node[],
  scope: Scope,
  standing: Standing,
): Node[] {
  const comparisons = conditions.flatMap((node) => {
    const expression = nodeOf(node, 'A_Expr')
    const comparison =
      expression && !tokenConditionOf(analysis, node, scope) && comparisonOf(analysis, expression, scope)
    return comparison && isOneValue(comparison) ? [{ node, comparison }] : []
  })
  const lacking = comparisons.filter(({ comparison }) => !singleIndex(comparison.source.field))
  const done = new Set<Node>()
  for (const { node, comparison } of lacking) {
    if (done.has(node)) continue
    const { field, origin } = comparison.source
    for (const index of field.indexes) {
      const sources = index.sources.map((wanted) =>
        comparisons.find(({ comparison: { source } }) => source.origin === origin && source.field === wanted),
      )
      if (sources.some((found) => !found || done.has(found.node))) continue
      combine(
        analysis,
        index,
        sources.map((found) => found!.comparison),
        standing,
      )
      for (const found of sources) done.add(found!.node)
      break
    }
  }
  return conditions.filter((node) => !done.has(node))
}

function isOneValue({ operator, params, each }: Comparison): boolean {
  return operator === '=' && params.length === 1 && !each
}

function combine(analysis: Analysis, index: IndexPlan, comparisons: readonly Comparison[], standing: Standing): void {
  if (standing === 'anywhere' || standing === 'negative') throw notNegated(index)
  const [first, ...others] = comparisons
  const values = comparisons.map(({ params }) => paramValue(params[0]!))
  const sources = comparisons.map(({ source }) => source)
  const state = sources.find(({ field }) => field.state)
  if (state) throw refusedComparison(state.field, `a search by ${index.name} while a column is ${state.field.state}`)
  checkLater(analysis, { index, values, each: false, sources }, standing)
  const { text } = analysis
  const use: IndexSearch = { kind: 'search', index, values, compared: '=', row: foundRow(analysis, first!.source) }
  text.replace(first!.range, `${columnText(analysis, first!, index)} `, use)
  for (const { range: other } of others) text.replace(other, 'TRUE')
}
