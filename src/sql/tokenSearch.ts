import type { TokenIndexPlan } from '../plan/plan.js'
import type { Analysis, Standing } from './analysis.js'
import { indexNotGiven } from './refusals.js'
import { quoteName } from './sqlText.js'
import type { StatementRow, TokenSearch } from './statementPlan.js'
import type { TokenCondition } from './tokenCondition.js'

/** What a condition counts as that is neither true nor false, by where it stands. */
const UNKNOWN = {
  'of all results': 'false',
  positive: 'false',
  negative: 'true',
  anywhere: 'unknown',
} as const satisfies { readonly [standing in Standing]: TokenSearch['unknown'] }

/**
 * Has a condition answered by the tokens of its column. What is found besides is taken out of the results, as far as that
 * can be done: which values those are is known when the statement is given its parameters.
 */
export function searchTokens(analysis: Analysis, condition: TokenCondition, standing: Standing): void {
  const { source, ask, isNegated, column, range } = condition
  const { field, origin } = source
  const row: StatementRow = { plan: origin.table.plan, written: new Map(), stored: origin.facts }
  analysis.rows.push(row)
  const search: TokenSearch = {
    field,
    ask,
    isNegated,
    columns: tokenColumns(analysis, condition),
    own: analysis.text.textOf(column),
    unknown: UNKNOWN[standing],
    inexact: standing === 'of all results' ? analysis.inexact : 'OR, NOT, ON and subqueries',
    row,
  }
  if (search.inexact === undefined && mayFindOthers(search)) analysis.tokenChecks.push({ search, source })
  analysis.text.replace(range, { kind: 'token search', search })
}

function tokenColumns({ text }: Analysis, { resolved, source, column, ask }: TokenCondition) {
  const qualifier = column.first === column.last ? '' : text.textOf({ first: column.first, last: column.last - 1 })
  const columns = new Map<TokenIndexPlan, string>()
  const indexes = source.field.tokenIndexes.filter(({ kind }) => kind === (ask.kind === 'range' ? 'range' : 'text'))
  for (const index of indexes) {
    const name = resolved.relation.expose({ kind: 'tokens', index, origin: source.origin })
    if (name !== undefined) columns.set(index, qualifier + quoteName(name))
  }
  if (columns.size === 0) throw indexNotGiven(source.field, indexes[0]!, resolved.relation.alias)
  return columns
}

function mayFindOthers({ field, ask, columns }: TokenSearch): boolean {
  if (field.state !== undefined || ask.kind !== 'range') return true
  return ![...columns.keys()].some((index) => index.kind === 'range' && index.tree.scale.isFine)
}
