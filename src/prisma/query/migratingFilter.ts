import { formerHashes, plaintextForms, refuseUnfindable } from '../../client/plaintextForms.js'
import type { FieldPlan, IndexPlan } from '../../plan/plan.js'
import { isDbNull, isPlainObject } from '../values.js'
import { unsupported } from './refusals.js'
import { operands } from './search.js'

/*
 * Fields of which some rows are plaintext and have no blind index: `migrating` and `ejecting`.
 */

type Where = Record<string, unknown>

/**
 * Asks the index of rows that have one, and the columns themselves of the others. It is two-valued for every row with
 * a value, so that a NOT around it is right too.
 *
 * @param indexed the condition on the index
 * @param conditions what the caller asks of the index's sources
 */
export function migratingFilter(index: IndexPlan, indexed: Where, conditions: Where): Where {
  for (const field of index.sources) refuseUnfindable(field, true)
  const plain = index.sources.map((field) => unindexedFilter(field, index, conditions[field.field]))
  return {
    OR: [{ AND: [{ [index.field]: { not: null } }, indexed] }, { AND: [{ [index.field]: null }, ...plain] }],
  }
}

/** Where another library keeps a hash beside its ciphertexts, of these the hash is asked, and of plaintext the column. */
function unindexedFilter(field: FieldPlan, index: IndexPlan, condition: unknown): Where {
  const plain = { [field.field]: plaintextCondition({ field, index, formsOf: plaintextForms }, condition) }
  const { prefix, search } = field.former ?? {}
  if (prefix === undefined || search?.field === undefined) return plain
  const isFormer = { [field.field]: { startsWith: prefix } }
  const isOther = field.optional ? { OR: [{ NOT: isFormer }, { [field.field]: null }] } : { NOT: isFormer }
  const hashed = { [search.field]: plaintextCondition({ field, index, formsOf: formerHashes }, condition) }
  return { OR: [{ AND: [isFormer, hashed] }, { AND: [isOther, plain] }] }
}

interface FormsAsked {
  readonly field: FieldPlan
  readonly index: IndexPlan
  readonly formsOf: typeof plaintextForms
}

/**
 * The condition on plaintext. A value may stand there as it was written once, or in its normalised form.
 *
 * @param nots how many `not` are around it
 */
function plaintextCondition(asked: FormsAsked, condition: unknown, nots = 0): unknown {
  if (isDbNull(condition)) return condition
  if (!isPlainObject(condition)) return anyOf(asked.field, formsOfOne(asked, condition), nots)
  const plain: Where = {}
  for (const [operator, operand] of operands(asked.field, condition)) {
    if (operator === 'not') plain.not = plaintextCondition(asked, operand, nots + 1)
    else if (isDbNull(operand)) plain[operator] = operand
    else if (operator === 'notIn') plain.notIn = operandForms(asked, operand)
    else plain.in = intersection(plain.in, operandForms(asked, operand))
  }
  return plain
}

/** To Prisma `not: { not: value }` is the same as `not: value`, and `not: { not: { in } }` the same as `in`. */
function anyOf({ name }: FieldPlan, forms: readonly unknown[], nots: number): unknown {
  if (forms.length === 1) return forms[0]
  if (nots < 2) return { in: forms }
  throw unsupported(`${name} is not plaintext in every row, where a "not" in a "not" is refused: write it without`)
}

/** `equals` and `in` of one filter both become `in`: what both allow is left. */
function intersection(before: unknown, values: unknown[]): unknown[] {
  return Array.isArray(before) ? before.filter((value) => values.includes(value)) : values
}

function operandForms(asked: FormsAsked, operand: unknown): unknown[] {
  return [operand].flat().flatMap((value) => formsOfOne(asked, value))
}

/** What holds no value is asked for as it is. */
function formsOfOne({ field, index, formsOf }: FormsAsked, value: unknown): unknown[] {
  return isDbNull(value) ? [value] : formsOf(field, index, value)
}
