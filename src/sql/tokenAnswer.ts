import { NO_VALUES, othersThan, type RangeOperator, rangeOf, rangeQuery } from '../cipher/rangeQuery.js'
import { answers, bestTextQuery, type TextOperator, textIndexesFor } from '../cipher/textQuery.js'
import type { TokenQuery } from '../cipher/tokenQuery.js'
import { isStoredAsIndexed } from '../client/plaintextForms.js'
import type { RangeIndexPlan, TextIndexPlan, TokenIndexPlan } from '../plan/plan.js'
import { type LikePattern, likePattern } from './likePattern.js'
import { refusedTokens } from './refusals.js'
import type { TokenAsk, TokenSearch, ValueSource } from './statementPlan.js'

/** What one index answers to a condition, with the values that the statement is given. */
export interface TokenAnswer {
  readonly index: TokenIndexPlan
  /** The values of which the condition is true. */
  readonly found: TokenQuery
  /** Of a range, those of which it is false. Where a bound is NULL, there are some of which it is neither. */
  readonly missed: TokenQuery | undefined
}

type Ask<Kind extends TokenAsk['kind']> = Extract<TokenAsk, { readonly kind: Kind }>

/**
 * The answer of the index that knows best.
 *
 * @param given tells the value that the statement is given
 * @returns `undefined` where the condition is NULL for every row
 * @throws FieldsealError `QUERY_UNSUPPORTED` for what no index answers; `VALUE_INVALID` for what the column cannot hold
 */
export function tokenAnswer(search: TokenSearch, given: (source: ValueSource) => unknown): TokenAnswer | undefined {
  const { ask } = search
  if (ask.kind === 'range') return rangeAnswer(search, ask, given)
  const value = given(ask.value)
  if (value === null) return undefined
  return ask.kind === 'words' ? textAnswer(search, 'words', value) : likeAnswer(search, ask, value)
}

/** A condition with two bounds is that of both, also where one is NULL: 7 is not between NULL and 5. */
function rangeAnswer(
  { columns, isNegated }: TokenSearch,
  { bounds }: Ask<'range'>,
  given: (source: ValueSource) => unknown,
): TokenAnswer {
  const all = bounds.map(({ operator, value }): readonly [RangeOperator, unknown] => [operator, given(value)])
  const known = all.filter(([, value]) => value !== null)
  const indexes = [...columns.keys()].filter((index): index is RangeIndexPlan => index.kind === 'range')
  const found = indexes.map((index): TokenAnswer => {
    const within = rangeOf(index, known)
    const inside = rangeQuery(index, known.length < all.length ? NO_VALUES : within)
    const outside = rangeQuery(index, othersThan(within))
    return isNegated ? { index, found: outside, missed: inside } : { index, found: inside, missed: outside }
  })
  return found.find(isExactAnswer) ?? found[0]!
}

/** Whether the same can be asked of plaintext. */
export function asksPlaintext({ ask }: TokenSearch, { index }: TokenAnswer): boolean {
  return ask.kind === 'like' && index.kind === 'text' && isStoredAsIndexed(index)
}

export function isExactAnswer({ found, missed }: TokenAnswer): boolean {
  return found.isExact && (missed?.isExact ?? true)
}

function likeAnswer(search: TokenSearch, ask: Ask<'like'>, value: unknown): TokenAnswer {
  const pattern = typeof value === 'string' ? likePattern(value) : 'its pattern is no text'
  if (typeof pattern === 'string') throw refusedTokens(search.field, wordOf(search, ask), pattern)
  return textAnswer(search, pattern.operator, pattern.text, ask)
}

function textAnswer(search: TokenSearch, operator: TextOperator, value: unknown, like?: Ask<'like'>): TokenAnswer {
  const { index, query } = bestTextQuery(textIndexes(search, operator, like), { operator, value })
  return { index, found: query, missed: undefined }
}

/** Those that answer, to which upper and lower case are as different as they are to LIKE if there are any. */
function textIndexes(search: TokenSearch, operator: TextOperator, like: Ask<'like'> | undefined): TextIndexPlan[] {
  const { columns, field } = search
  const all = [...columns.keys()].filter((index): index is TextIndexPlan => index.kind === 'text')
  const found = textIndexesFor(all, { operator, isInsensitive: like?.foldsCase === true })
  if (found.length > 0) return found
  const isThere = all.some((index) => answers(index, operator))
  const why = isThere ? 'its index tells upper from lower case: normalise it by lowercase' : PART[operator]
  throw refusedTokens(field, like ? wordOf(search, like) : 'words', why)
}

function wordOf({ isNegated }: TokenSearch, ask: Ask<'like'>): string {
  return `${isNegated ? 'NOT ' : ''}${ask.foldsCase ? 'ILIKE' : 'LIKE'}`
}

const PART: { readonly [operator in LikePattern['operator'] | 'words']: string } = {
  startsWith: 'its index has no beginnings of texts: give it prefix, as in prefix: [2, 10]',
  endsWith: 'its index has no ends of texts: give it suffix, as in suffix: [2, 6]',
  contains: 'its index has no parts of texts: give it grams, as in grams: 3',
  words: 'its index has no words: give it words: true',
}
