import type { A_Expr } from 'libpg-query'
import type { Analysis } from './analysis.js'
import { columnNameOf, isBuiltIn, lastName, nodeOf } from './nodes.js'
import { refusedComparison, refusedOperand } from './refusals.js'
import { type EncryptedSource, type Resolved, resolve, type Scope } from './scope.js'
import { type SqlText, type TokenRange, wholeRange } from './sqlText.js'
import { castOfParameter, type Parameter, parameterOf } from './values.js'

/** `column = $1` and what is like it. */
export interface Comparison {
  readonly expression: A_Expr
  readonly column: TokenRange
  readonly resolved: Resolved
  readonly source: EncryptedSource
  readonly operator: '=' | '<>'
  /** `= ANY($1)`: the one parameter is a list. */
  readonly each: boolean
  readonly isList: boolean
  readonly params: readonly Parameter[]
  /** All of it. */
  readonly range: TokenRange
}

/**
 * A comparison of an encrypted column; `undefined` for what compares none.
 *
 * @throws FieldsealError `QUERY_UNSUPPORTED` for one that has no right answer
 */
export function comparisonOf(
  { text }: Pick<Analysis, 'text'>,
  expression: A_Expr,
  scope: Scope,
): Comparison | undefined {
  const isFlipped = expression.kind === 'AEXPR_OP' && !nodeOf(expression.lexpr, 'ColumnRef')
  const [column, other] = isFlipped ? [expression.rexpr, expression.lexpr] : [expression.lexpr, expression.rexpr]
  const ref = nodeOf(column, 'ColumnRef')
  const resolved = ref && resolve(scope, columnNameOf(ref))
  const source = resolved?.source
  if (!ref || !resolved || source?.kind !== 'encrypted') return undefined
  const operator = lastName(expression.name) ?? ''
  const { field } = source
  if (!isEquality(expression, operator) || !isBuiltIn(expression.name, operator))
    throw refusedComparison(field, wordOf(expression, operator))
  const isList = expression.kind === 'AEXPR_IN'
  const items = isList ? (nodeOf(other, 'List')?.items ?? []) : other ? [other] : []
  const each = expression.kind === 'AEXPR_OP_ANY' || expression.kind === 'AEXPR_OP_ALL'
  const params = items.flatMap((item) => parameterOf(text, item, each) ?? [])
  if (params.length === 0 || params.length < items.length)
    throw refusedOperand(field, operator, items.map(castOfParameter).find(Boolean), each)
  const first = text.tokenAt(ref.location)
  const columnRange = { first, last: first + 2 * (ref.fields!.length - 1) }
  const last = endOf(text, expression, params.at(-1)!.last)
  return {
    expression,
    column: columnRange,
    resolved,
    source,
    operator,
    each,
    isList,
    params,
    range: wholeRange(text, [columnRange, { first: text.tokenAt(params[0]!.ref.location), last }]),
  }
}

function isEquality({ kind }: A_Expr, operator: string): operator is '=' | '<>' {
  switch (kind) {
    case 'AEXPR_OP':
    case 'AEXPR_IN':
      return operator === '=' || operator === '<>'
    case 'AEXPR_OP_ANY':
      return operator === '='
    case 'AEXPR_OP_ALL':
      return operator === '<>'
    default:
      return false
  }
}

const WORDS: { readonly [kind: string]: string } = {
  AEXPR_DISTINCT: 'IS DISTINCT FROM',
  AEXPR_NOT_DISTINCT: 'IS NOT DISTINCT FROM',
  AEXPR_BETWEEN: 'BETWEEN',
  AEXPR_NOT_BETWEEN: 'NOT BETWEEN',
  AEXPR_SIMILAR: 'SIMILAR TO',
  AEXPR_NULLIF: 'NULLIF',
  AEXPR_OP_ANY: 'ANY',
  AEXPR_OP_ALL: 'ALL',
}
const LIKES: { readonly [operator: string]: string } = {
  '~~': 'LIKE',
  '!~~': 'NOT LIKE',
  '~~*': 'ILIKE',
  '!~~*': 'NOT ILIKE',
}

/** What a statement writes for an operator. */
export function wordOf({ kind }: A_Expr, operator: string): string {
  return LIKES[operator] ?? WORDS[kind ?? ''] ?? operator
}

/** A list and a parameter of ANY end with a parenthesis. */
function endOf(text: SqlText, { kind, rexpr_list_end: end }: A_Expr, lastParam: number): number {
  if (kind === 'AEXPR_OP') return lastParam
  if (end !== undefined) return text.tokenAt(end)
  return text.tokens.findIndex(({ text: token }, position) => position > lastParam && token === ')')
}
