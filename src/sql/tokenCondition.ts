import type { A_Expr, FuncCall, Node } from 'libpg-query'
import type { RangeOperator } from '../cipher/rangeQuery.js'
import type { FieldPlan } from '../plan/plan.js'
import type { Analysis } from './analysis.js'
import { wordOf } from './comparison.js'
import { columnNameOf, isBuiltIn, lastName, nodeOf } from './nodes.js'
import { refusedOperand, unsupported } from './refusals.js'
import { type EncryptedSource, type Resolved, resolve, type Scope } from './scope.js'
import { type SqlText, type TokenRange, wholeRange } from './sqlText.js'
import type { TokenAsk } from './statementPlan.js'
import { castOfParameter, type Parameter, parameterOf } from './values.js'

/** A condition on an encrypted column that its tokens answer: `column > $1`, `column LIKE $1`, `fieldseal_words(column, $1)`. */
export interface TokenCondition {
  readonly resolved: Resolved
  readonly source: EncryptedSource
  readonly column: TokenRange
  readonly ask: TokenAsk
  /** `NOT LIKE`, `NOT BETWEEN`. */
  readonly isNegated: boolean
  /** All of it. */
  readonly range: TokenRange
}

/** The function by whose name a statement asks for words, which no database has. */
export const WORDS_FUNCTION = 'fieldseal_words'

/**
 * The condition that an expression is; `undefined` for one that no tokens answer.
 *
 * @throws FieldsealError `QUERY_UNSUPPORTED` for one that has no right answer
 */
export function tokenConditionOf(
  analysis: Pick<Analysis, 'text'>,
  node: Node,
  scope: Scope,
): TokenCondition | undefined {
  const expression = nodeOf(node, 'A_Expr')
  if (expression) return comparisonCondition(analysis.text, expression, scope)
  const call = nodeOf(node, 'FuncCall')
  return call && isBuiltInName(call) ? wordsCondition(analysis.text, call, scope) : undefined
}

type Operators = { readonly [operator: string]: RangeOperator | undefined }

const RANGE_OPERATORS: Operators = { '<': 'lt', '<=': 'lte', '>': 'gt', '>=': 'gte' }
/** What an operator means with its sides exchanged. */
const FLIPPED: Operators = { '<': 'gt', '<=': 'gte', '>': 'lt', '>=': 'lte' }

type Bounds = readonly RangeOperator[]

/** What a comparison asks, as far as its operator tells. */
interface Asking {
  readonly kind: 'range' | 'text'
  /** Of each parameter, in their order. */
  readonly bounds: Bounds
  readonly foldsCase: boolean
  readonly isNegated: boolean
}

function comparisonCondition(text: SqlText, expression: A_Expr, scope: Scope): TokenCondition | undefined {
  const isFlipped = expression.kind === 'AEXPR_OP' && !nodeOf(expression.lexpr, 'ColumnRef')
  const [left, right] = isFlipped ? [expression.rexpr, expression.lexpr] : [expression.lexpr, expression.rexpr]
  const found = encryptedColumn(text, left, scope)
  const asking = found && askingOf(expression, isFlipped)
  if (!found || !asking || !hasTokens(found.source.field, asking.kind)) return undefined
  const items = nodeOf(right, 'List')?.items ?? (right ? [right] : [])
  const params = parameters(text, found.source.field, wordOf(expression, lastName(expression.name) ?? ''), items)
  const values = params.map(({ ref }) => ({ param: ref.number ?? 0 }))
  const { kind, bounds, foldsCase, isNegated } = asking
  const ask: TokenAsk =
    kind === 'range'
      ? { kind, bounds: bounds.map((operator, at) => ({ operator, value: values[at]! })) }
      : { kind: 'like', foldsCase, value: values[0]! }
  return { ...found, ask, isNegated, range: wholeRange(text, [found.column, ...params.map(rangeOf(text))]) }
}

function askingOf({ kind, name }: A_Expr, isFlipped: boolean): Asking | undefined {
  const operator = lastName(name) ?? ''
  if (kind === 'AEXPR_BETWEEN' || kind === 'AEXPR_NOT_BETWEEN')
    return { ...RANGE, bounds: ['gte', 'lte'], isNegated: kind === 'AEXPR_NOT_BETWEEN' }
  if (!isBuiltIn(name, operator)) return undefined
  const bound = kind === 'AEXPR_OP' ? (isFlipped ? FLIPPED : RANGE_OPERATORS)[operator] : undefined
  if (bound) return { ...RANGE, bounds: [bound], isNegated: false }
  if (kind !== 'AEXPR_LIKE' && kind !== 'AEXPR_ILIKE') return undefined
  return { kind: 'text', bounds: [], foldsCase: kind === 'AEXPR_ILIKE', isNegated: operator.startsWith('!') }
}

const RANGE = { kind: 'range', foldsCase: false } as const

function hasTokens({ tokenIndexes }: FieldPlan, wanted: Asking['kind']): boolean {
  return tokenIndexes.some(({ kind }) => kind === wanted)
}

function parameters(text: SqlText, field: FieldPlan, operator: string, items: readonly Node[]): Parameter[] {
  const params = items.flatMap((item) => parameterOf(text, item) ?? [])
  if (params.length < items.length)
    throw refusedOperand(field, operator, items.map(castOfParameter).find(Boolean), false)
  return params
}

function isBuiltInName({ funcname }: FuncCall): boolean {
  return lastName(funcname) === WORDS_FUNCTION
}

function wordsCondition(text: SqlText, { args = [], location }: FuncCall, scope: Scope): TokenCondition {
  const found = encryptedColumn(text, args[0], scope)
  const param = parameterOf(text, args[1])
  if (!found || !param || args.length !== 2 || !hasTokens(found.source.field, 'text')) throw refusedWords()
  const ask: TokenAsk = { kind: 'words', value: { param: param.ref.number ?? 0 } }
  const first = text.tokenAt(location)
  return { ...found, ask, isNegated: false, range: wholeRange(text, [{ first, last: first }, rangeOf(text)(param)]) }
}

function refusedWords(): Error {
  return unsupported(
    `${WORDS_FUNCTION} takes an encrypted column that has a text index of words, and a parameter: ${WORDS_FUNCTION}(column, $1)`,
  )
}

type FoundColumn = Pick<TokenCondition, 'resolved' | 'source' | 'column'>

function encryptedColumn(text: SqlText, node: Node | undefined, scope: Scope): FoundColumn | undefined {
  const ref = nodeOf(node, 'ColumnRef')
  const resolved = ref && resolve(scope, columnNameOf(ref))
  const source = resolved?.source
  if (!resolved || source?.kind !== 'encrypted') return undefined
  const first = text.tokenAt(ref!.location)
  return { resolved, source, column: { first, last: first + 2 * (ref!.fields!.length - 1) } }
}

function rangeOf(text: SqlText) {
  return ({ ref, last }: Parameter): TokenRange => ({ first: text.tokenAt(ref.location), last })
}
