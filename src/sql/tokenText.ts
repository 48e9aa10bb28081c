import type { TokenQuery } from '../cipher/tokenQuery.js'
import { otherValues } from './refusals.js'
import type { StatementPlan, TokenSearch } from './statementPlan.js'
import { isExactAnswer, type TokenAnswer } from './tokenAnswer.js'

type Parts = (string | number)[]

/**
 * The condition on the tokens of a column that stands for one on its value. Rows without a value have NULL for tokens, or
 * an empty list: neither may turn into a row that is found, whatever is around the condition.
 *
 * @param add adds a parameter, and gives its number
 */
export function textOfTokens(search: TokenSearch, answer: TokenAnswer, add: (query: TokenQuery) => number): Parts {
  const column = search.columns.get(answer.index)!
  const has = (query: TokenQuery): Parts => [column, query.match === 'any' ? ' && $' : ' @> $', add(query), '::uuid[]']
  const { found, missed } = answer
  if (search.field.state !== undefined) return ['(', ...has(found), ' OR ', ...mayBePlaintext(search, column), ')']
  return missed ? rangeText(search, has, found, missed) : textText(search, has, found)
}

/** Of rows that have no tokens yet the value itself is looked at, once it is read. */
function mayBePlaintext({ own }: TokenSearch, column: string): Parts {
  return [`((${column} IS NULL OR ${column} = '{}') AND ${own} IS NOT NULL)`]
}

type Has = (query: TokenQuery) => Parts

/** A value is among those of which the condition is true, or those of which it is false. Each can be found by the index. */
function rangeText({ unknown }: TokenSearch, has: Has, found: TokenQuery, missed: TokenQuery): Parts {
  switch (unknown) {
    case 'false':
      return ['(', ...has(found), ')']
    case 'true':
      return ['(NOT ', ...has(missed), ')']
    case 'unknown':
      return ['(CASE WHEN ', ...has(found), ' THEN TRUE WHEN ', ...has(missed), ' THEN FALSE END)']
  }
}

function textText({ unknown, isNegated, own }: TokenSearch, has: Has, found: TokenQuery): Parts {
  const not = isNegated ? 'NOT ' : ''
  switch (unknown) {
    case 'false':
      return ['(', not, ...has(found), isNegated ? ` AND ${own} IS NOT NULL)` : ')']
    case 'true':
      return ['(', not, ...has(found), isNegated ? ')' : ` OR ${own} IS NULL)`]
    case 'unknown':
      return [`(CASE WHEN ${own} IS NOT NULL THEN ${not}`, ...has(found), ' END)']
  }
}

/** Whether the tokens find what is asked for and nothing else. */
export function findsNoOthers({ field }: TokenSearch, answer: TokenAnswer): boolean {
  return field.state === undefined && isExactAnswer(answer)
}

/** @throws FieldsealError `QUERY_UNSUPPORTED` where other values are found, and cannot be taken out again */
export function checkExact(
  search: TokenSearch,
  answer: TokenAnswer,
  { tokenChecks }: Pick<StatementPlan, 'tokenChecks'>,
): void {
  if (findsNoOthers(search, answer)) return
  const isChecked = tokenChecks.some((check) => check.search === search)
  const use = search.inexact ?? (isChecked ? notSuperset(search) : 'results that leave the column out')
  if (use !== undefined) throw otherValues(search.field, answer.index, use)
}

/** Without what is found too much, what is left may be too little. */
function notSuperset({ ask, isNegated }: TokenSearch): string | undefined {
  return isNegated && ask.kind !== 'range' ? 'NOT' : undefined
}
