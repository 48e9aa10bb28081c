import type { IndexSlot, TenantHolder } from '../../cipher/cipher.js'
import type { Pass } from '../../client/pass.js'
import { FieldsealError } from '../../errors.js'
import type { FieldPlan, IndexPlan } from '../../plan/plan.js'
import { isAbsent, isDbNull, isFieldRef, isPlainObject, storedNull } from '../values.js'
import { refusedFilter } from './refusals.js'

/** An encrypted field that a condition compares, and the blind index that answers. */
export interface Search {
  readonly pass: Pass
  readonly field: FieldPlan
  readonly index: IndexPlan
  readonly owner: TenantHolder
  /** How it asks for what several keys make; where a row is named, it cannot. */
  readonly several: IndexSlot['several'] | undefined
  /** It stands in a `not` already. */
  readonly isNegated?: boolean
}

type Holder = Record<string, unknown>
type Operator = 'equals' | 'in' | 'notIn' | 'not'

const OPERATORS: ReadonlySet<string> = new Set<Operator>(['equals', 'in', 'notIn', 'not'])

/** Whether a condition asks for nothing but null, which the field's own column answers. */
export function isNullFilter(condition: unknown): boolean {
  if (isDbNull(condition)) return true
  if (!isPlainObject(condition)) return false
  return Object.entries(condition).every(([operator, operand]) => isAbsent(operand) || isNullTest(operator, operand))
}

function isNullTest(operator: string, operand: unknown): boolean {
  return operator === 'not' ? isNullFilter(operand) : operator === 'equals' && isDbNull(operand)
}

/** A condition that asks for nothing but null, as the field's column takes it. */
export function nullCondition(field: FieldPlan, condition: unknown): unknown {
  if (isDbNull(condition)) return storedNull(field, condition)
  if (!isPlainObject(condition)) return condition
  return Object.fromEntries(Object.entries(condition).map(([key, operand]) => [key, nullCondition(field, operand)]))
}

/** The one value that a condition asks for, in its short or long form; `undefined` for any other condition. */
export function equalValue(condition: unknown): unknown {
  if (isAbsent(condition) || isDbNull(condition) || isFieldRef(condition)) return undefined
  if (!isPlainObject(condition)) return condition
  const operators = Object.keys(condition).filter((operator) => !isSilent(operator, condition[operator]))
  return operators.length === 1 && operators[0] === 'equals' ? equalValue(condition.equals) : undefined
}

/**
 * The condition on the column of the blind index that means the same: NULL is NULL in both columns, so that every
 * operator keeps its answer for rows without a value. `holder[key]` becomes the condition.
 *
 * @throws FieldsealError `QUERY_UNSUPPORTED` for an operator that equality does not answer
 */
export function indexCondition(search: Search, condition: unknown, holder: Holder, key: string): void {
  if (isFieldRef(condition)) throw refusedFilter(search.field, 'a field reference')
  if (isDbNull(condition)) {
    if (!search.field.optional) throw nullRequired(search.field)
    holder[key] = condition
  } else if (Array.isArray(condition)) holder[key] = eachIndexed(search, condition)
  else if (!isPlainObject(condition)) addIndexSlot(search, holder, key, [condition])
  else holder[key] = eachOperator(search, condition)
}

function eachIndexed(search: Search, values: readonly unknown[]): unknown {
  const indexed: unknown[] = []
  const elements = { ...search, several: ELEMENTS }
  values.forEach((value, position) => {
    indexCondition(elements, value, indexed as unknown as Holder, String(position))
  })
  return indexed
}

function eachOperator(search: Search, condition: Holder): Holder {
  const inner: Holder = {}
  const all = operands(search.field, condition)
  const equals = all.some(([operator]) => operator === 'in') ? undefined : EQUALS
  for (const [operator, operand] of all) {
    const isNegated = search.isNegated === true || operator === 'not'
    // To Prisma a value in a second `not` is negated once, and a filter there is not.
    const filter = search.isNegated && operator === 'not' ? undefined : FILTER
    indexCondition({ ...search, isNegated, several: operator === 'equals' ? equals : filter }, operand, inner, operator)
  }
  return inner
}

/** Has `holder[key]` filled with the blind index of the values, one for each source. */
export function addIndexSlot(search: Search, holder: Holder, key: string, values: readonly unknown[]): void {
  const { pass, field, index, owner, several } = search
  holder[key] = undefined
  const slot = { mode: 'index', field, owner, holder, key, index, values, use: 'searched for' } as const
  pass.slots.push(several ? { ...slot, several } : slot)
}

type Several = NonNullable<IndexSlot['several']>

/** In the place of one value, or under `not`. */
export const FILTER: Several = ({ holder, key }, made) => {
  holder[key] = { in: made }
}

/** Beside other operators, but not the one that it becomes. */
const EQUALS: Several = ({ holder }, made) => {
  delete holder.equals
  holder.in = made
}

const ELEMENTS: Several = ({ holder, key }, made) => {
  const [first, ...others] = made
  holder[key] = first
  ;(holder as unknown as unknown[]).push(...others)
}

/** The operators of a filter that say something. */
export function operands(field: FieldPlan, filter: Holder): [Operator, unknown][] {
  const said = Object.entries(filter).filter(([operator, operand]) => !isSilent(operator, operand))
  for (const [operator] of said) if (!OPERATORS.has(operator)) throw refusedFilter(field, operator)
  return said as [Operator, unknown][]
}

function isSilent(operator: string, operand: unknown): boolean {
  return isAbsent(operand) || (operator === 'mode' && operand === 'default')
}

/** The column of the index takes null, Prisma's filter of a required field does not. */
function nullRequired({ name }: FieldPlan): FieldsealError {
  return new FieldsealError('VALUE_INVALID', `${name} is required, so no filter compares it with null; leave null out`)
}
