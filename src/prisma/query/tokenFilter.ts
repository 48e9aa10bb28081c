import type { TokenQuery, TokenUse } from '../../cipher/cipher.js'
import { isRangeOperator, othersThan, type RangeOperator, rangeOf, rangeQuery } from '../../cipher/rangeQuery.js'
import { bestTextQuery, isTextOperator, type TextComparison, textIndexesFor } from '../../cipher/textQuery.js'
import { isStoredAsIndexed, UNSTORABLE } from '../../client/plaintextForms.js'
import { PREFIX } from '../../crypto/ciphertext.js'
import type { FieldPlan, RangeIndexPlan, TextIndexPlan, TokenIndexPlan } from '../../plan/plan.js'
import { isAbsent, isFieldRef, isPlainObject } from '../values.js'
import { type Checks, noteCheck } from './falsePositive.js'
import { foundBesides, refusedFilter, superset } from './refusals.js'

type Where = Record<string, unknown>

/** Where a condition that tokens answer stands. */
export interface TokenContext {
  readonly checks: Checks
  /**
   * An odd number of negations is around it. "Unknown" must be true there, so that it is not among the rows once it is
   * negated: it does for rows without a value.
   */
  readonly isNegative: boolean
  /** "Unknown" must stay that. */
  readonly isAmbiguous: boolean
  /** Has `holder[key]` filled with the tokens, or what `use` makes of them. */
  readonly addTokens: (index: TokenIndexPlan, query: TokenQuery, holder: Where, key: string, use: TokenUse) => void
}

/** A condition on a field in two parts. */
export interface TokenParts {
  /** What token indexes do not answer; `undefined`: nothing. */
  readonly rest: unknown
  /** Conditions on the columns of token indexes, all of which must be true beside the rest. */
  readonly filters: readonly Where[]
}

/**
 * Takes the comparisons and parts of texts that the token indexes of a field answer out of a condition on it.
 *
 * @throws FieldsealError `QUERY_UNSUPPORTED`, `VALUE_INVALID`
 */
export function takeTokenParts(context: TokenContext, field: FieldPlan, condition: unknown): TokenParts {
  if (field.tokenIndexes.length === 0 || !isPlainObject(condition)) return { rest: condition, filters: [] }
  const taken: Taken = { bounds: [], texts: [] }
  const { mode, ...comparisons } = condition
  const isInsensitive = mode === 'insensitive'
  const others = take(field, comparisons, { isNegated: false, isInsensitive }, taken)
  const isTaken = taken.texts.length > 0 && (mode === 'insensitive' || mode === 'default')
  const rest = isAbsent(mode) || isTaken ? others : { ...others, mode }
  return {
    rest,
    filters: [
      ...(taken.bounds.length > 0 ? [rangeFilter(context, field, taken.bounds)] : []),
      ...taken.texts.map((text) => textFilter(context, field, text)),
    ],
  }
}

/** Comparisons that must all be true. */
interface Taken {
  readonly bounds: (readonly [RangeOperator, unknown])[]
  readonly texts: NegatableComparison[]
}

interface NegatableComparison extends TextComparison {
  readonly isNegated: boolean
}

/** What is said around a condition; a `mode` is so at every depth. */
type Around = Pick<NegatableComparison, 'isNegated' | 'isInsensitive'>

/** To Prisma a `not` around several operators negates each by itself, and all of these must be true. */
function take(field: FieldPlan, condition: Where, around: Around, taken: Taken): Where | undefined {
  const { isNegated, isInsensitive } = around
  const rest: Where = {}
  for (const [operator, operand] of Object.entries(condition)) {
    if (isAbsent(operand)) continue
    if (isRangeOperator(operator) && rangeIndexes(field).length > 0) {
      refuseReference(field, operand)
      taken.bounds.push([isNegated ? OPPOSITE[operator] : operator, operand])
    } else if (isTextOperator(operator) && textIndexes(field, { operator, isInsensitive }).length > 0) {
      refuseReference(field, operand)
      taken.texts.push({ operator, value: operand, isInsensitive, isNegated })
    } else if (operator === 'not' && isPlainObject(operand)) {
      const inner = take(field, operand, { isNegated: !isNegated, isInsensitive }, taken)
      if (inner) rest.not = inner
    } else rest[operator] = operand
  }
  return Object.keys(rest).length === 0 && Object.keys(condition).length > 0 ? undefined : rest
}

const OPPOSITE = { gt: 'lte', gte: 'lt', lt: 'gte', lte: 'gt' } as const satisfies Record<RangeOperator, RangeOperator>

function refuseReference(field: FieldPlan, operand: unknown): void {
  if (isFieldRef(operand)) throw refusedFilter(field, 'a field reference')
}

function rangeIndexes({ tokenIndexes }: FieldPlan): RangeIndexPlan[] {
  return tokenIndexes.filter((index) => index.kind === 'range')
}

function textIndexes({ tokenIndexes }: FieldPlan, comparison: Omit<TextComparison, 'value'>): TextIndexPlan[] {
  return textIndexesFor(
    tokenIndexes.filter((index) => index.kind === 'text'),
    comparison,
  )
}

/**
 * Under a negation it is the negation of what is not in the interval: two negations are none to PostgreSQL, which then
 * asks the index for that.
 */
function rangeFilter(context: TokenContext, field: FieldPlan, bounds: Taken['bounds']): Where {
  const found = rangeIndexes(field).map((index) => {
    const range = rangeOf(index, bounds)
    return { index, range, query: rangeQuery(index, range) }
  })
  const { index, range, query } = found.find((each) => each.query.isExact) ?? found[0]!
  if (field.state) return supersetFilter(context, index, query)
  if (!query.isExact) noteQuery(context, index, query, 'bounds between its steps')
  if (context.isAmbiguous) return orUnknown(field, tokenFilter(context, index, query))
  if (!context.isNegative) return tokenFilter(context, index, query)
  return { NOT: tokenFilter(context, index, rangeQuery(index, othersThan(range))) }
}

function textFilter(context: TokenContext, field: FieldPlan, text: NegatableComparison): Where {
  const { index, query } = bestTextQuery(textIndexes(field, text), text)
  if (field.state && !asksPlaintext(index, text)) {
    if (text.isNegated) throw superset(field, `"not" around "${text.operator}"`)
    return supersetFilter(context, index, query)
  }
  if (!query.isExact) {
    if (text.isNegated) throw foundBesides(index, 'such a text', `"not" around "${text.operator}"`)
    noteQuery(context, index, query, 'such a text')
  }
  const found = field.state ? foundInEither(context, index, query, text) : tokenFilter(context, index, query)
  if (!context.isAmbiguous)
    return polarized(field, found, { isNegated: text.isNegated, isNegative: context.isNegative })
  const exact = orUnknown(field, found)
  return text.isNegated ? { NOT: exact } : exact
}

function tokenFilter({ addTokens }: TokenContext, index: TokenIndexPlan, query: TokenQuery): Where {
  const { field } = index
  const condition: Where = {}
  const where: Where = { [field]: condition }
  if (query.match === 'any') addTokens(index, query, condition, 'hasSome', 'any')
  else addTokens(index, query, condition, 'hasEvery', (lists) => askForAll(where, field, lists))
  return where
}

/** A row has all tokens under the tenant's key, or, while that is rotated, all of those under one of two. */
function askForAll(where: Where, field: string, lists: Parameters<Exclude<TokenUse, 'any'>>[0]): void {
  const [first, ...others] = lists.map((hasEvery): Where => ({ [field]: { hasEvery } }))
  if (others.length === 0) return void Object.assign(where, first)
  delete where[field]
  where.OR = [first, ...others]
}

/**
 * What is found, so that rows without a value are in none of the answers: their list of tokens may be empty, of which
 * PostgreSQL says that it has none of them, and not that nobody knows.
 */
function polarized(
  { field, optional }: FieldPlan,
  found: Where,
  { isNegated, isNegative }: { readonly isNegated: boolean; readonly isNegative: boolean },
): Where {
  const condition = isNegated ? { NOT: found } : found
  if (!optional || isNegated === isNegative) return condition
  return isNegative ? { OR: [condition, { [field]: null }] } : { AND: [condition, { [field]: { not: null } }] }
}

/**
 * What is found, and where there is no value, neither found nor not: what is compared with null is unknown to PostgreSQL.
 * No index helps to find that.
 */
function orUnknown({ field, column, optional }: FieldPlan, found: Where): Where {
  return optional ? { OR: [found, { [field]: { equals: UNSTORABLE[column] } }] } : found
}

/** Rows that may hold plaintext: whatever wrote it may have left tokens there, where the column itself can be asked. */
function mayBePlaintext({ field: tokens, sources }: TokenIndexPlan): Where {
  const { field, column } = sources[0]!
  if (column === 'String') return { NOT: { [field]: { startsWith: PREFIX } } }
  return { OR: [{ [tokens]: { isEmpty: true } }, { [tokens]: { equals: null } }] }
}

/** Whether plaintext can be asked the same. */
function asksPlaintext(index: TextIndexPlan, { operator }: TextComparison): boolean {
  return isStoredAsIndexed(index) && operator !== 'words'
}

/** Asks the tokens of ciphertexts, and the plaintext of other rows. */
function foundInEither(
  context: TokenContext,
  index: TextIndexPlan,
  query: TokenQuery,
  { operator, value }: TextComparison,
): Where {
  const [{ field }] = index.sources as readonly [FieldPlan]
  const isCiphertext = { [field]: { startsWith: PREFIX } }
  return {
    OR: [
      { AND: [isCiphertext, tokenFilter(context, index, query)] },
      { AND: [{ NOT: isCiphertext }, { [field]: { [operator]: literal(value as string) } }] },
    ],
  }
}

/** Prisma hands a text to LIKE as it is. What LIKE takes for a pattern are characters like others to a text index. */
function literal(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&')
}

/** Rows that may be meant, which are held against the condition once they are decrypted. */
function supersetFilter(context: TokenContext, index: TokenIndexPlan, query: TokenQuery): Where {
  const [field] = index.sources
  if (typeof context.checks === 'string') throw superset(field!, context.checks)
  noteQuery(context, index, query, '')
  return { OR: [tokenFilter(context, index, query), mayBePlaintext(index)] }
}

function noteQuery({ checks }: TokenContext, index: TokenIndexPlan, query: TokenQuery, what: string): void {
  if (typeof checks === 'string') throw foundBesides(index, what, checks)
  noteCheck(checks, { sources: index.sources, matches: ([value]) => query.matches(value) })
}
