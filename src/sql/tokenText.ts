import type { TokenQuery } from '../cipher/tokenQuery.js'
import { PREFIX } from '../crypto/ciphertext.js'
import { otherValues } from './refusals.js'
import type { StatementPlan, TokenSearch, ValueSource } from './statementPlan.js'
import type { TextPart } from './textParts.js'
import { asksPlaintext, isExactAnswer, type TokenAnswer } from './tokenAnswer.js'

type Parts = TextPart[]

/** Adds a parameter. */
interface Add {
  /** Gives the condition that a column has the tokens that a query asks for. */
  tokens(column: string, query: TokenQuery): Parts
  /** Gives the number of a value as it is, where plaintext is asked for. */
  value(source: ValueSource): number
}

/**
 * The condition on the tokens of a column that stands for one on its value. Rows without a value have NULL for tokens, or
 * an empty list: neither may turn into a row that is found, whatever is around the condition.
 */
export function textOfTokens(search: TokenSearch, answer: TokenAnswer, add: Add): Parts {
  const column = search.columns.get(answer.index)!
  const has = (query: TokenQuery): Parts => add.tokens(column, query)
  const { found, missed } = answer
  if (search.field.state !== undefined) return textOfBoth(search, answer, { column, tokens: has(found), add })
  return missed ? rangeText(search, has, found, missed) : textText(search, has, found)
}

/** What a condition looks for, in rows that are indexed already. */
interface Indexed {
  readonly column: string
  readonly tokens: Parts
  readonly add: Add
}

/**
 * Rows may be plaintext yet: it is asked the same, so that the whole is NULL where the value is, or it is looked at once it
 * is read. Whatever wrote it may have left tokens of another value, where the column itself can be asked.
 */
function textOfBoth(search: TokenSearch, answer: TokenAnswer, { column, tokens, add }: Indexed): Parts {
  const { own, ask, isNegated, field } = search
  const isCiphertext = `${own} LIKE '${PREFIX}%'`
  const isPlaintext = field.column === 'String' ? `NOT ${isCiphertext}` : `(${column} IS NULL OR ${column} = '{}')`
  if (ask.kind !== 'like' || !asksPlaintext(search, answer))
    return ['(', ...tokens, ` OR (${isPlaintext} AND ${own} IS NOT NULL))`]
  return [
    `${isNegated ? '(NOT ' : '('}((${isCiphertext} AND ${column} IS NOT NULL AND `,
    ...tokens,
    `) OR (NOT ${isCiphertext} AND ${own} LIKE $`,
    add.value(ask.value),
    '::text)))',
  ]
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

/** Whether what is asked for is found and nothing else. */
export function findsNoOthers(search: TokenSearch, answer: TokenAnswer): boolean {
  return isExactAnswer(answer) && (search.field.state === undefined || asksPlaintext(search, answer))
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
