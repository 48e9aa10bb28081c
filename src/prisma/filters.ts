import { FieldsealError } from '../errors.js'
import type { FieldPlan, ModelPlan, RelationPlan } from './plan.js'
import { isAbsent, isDbNull, isFieldRef, isPlainObject, listOf } from './values.js'

/*
 * Checks of the arguments that only read columns. Whatever touches an encrypted column has no right answer there, but
 * for null: NULL is stored as NULL.
 */

/** @throws FieldsealError `QUERY_UNSUPPORTED` when the filter, at any depth, needs the value of an encrypted field */
export function checkWhere(plan: ModelPlan, where: unknown): void {
  if (!plan.reaches) return
  for (const element of listOf(where)) {
    if (!isPlainObject(element)) continue
    for (const key of Object.keys(element)) checkCondition(plan, key, element[key])
  }
}

const COMBINATORS = new Set(['AND', 'OR', 'NOT'])
const RELATION_FILTERS = ['is', 'isNot', 'some', 'every', 'none']

function checkCondition(plan: ModelPlan, key: string, condition: unknown): void {
  if (isAbsent(condition)) return
  const member = plan.members.get(key)
  if (member?.kind === 'encrypted') checkNullFilter(member.field, condition)
  else if (member?.kind === 'relation') checkRelationFilter(member.relation, condition)
  else if (COMBINATORS.has(key)) checkWhere(plan, condition)
  else if (plan.uniques.has(key)) checkWhere(plan, condition)
  else checkReferences(plan, condition)
}

function checkNullFilter(field: FieldPlan, condition: unknown): void {
  if (isDbNull(condition)) return
  if (!isPlainObject(condition)) throw refused(field.name, 'equals')
  for (const [operator, operand] of Object.entries(condition)) {
    if (isAbsent(operand)) continue
    if (operator === 'not') checkNullFilter(field, operand)
    else if (operator !== 'equals' || !isDbNull(operand)) throw refused(field.name, operator)
  }
}

function checkRelationFilter(relation: RelationPlan, condition: unknown): void {
  if (!isPlainObject(condition)) return
  for (const filter of RELATION_FILTERS) {
    if (relation.list || !Object.hasOwn(relation.model.columns, filter)) checkWhere(relation.model, condition[filter])
  }
  if (!relation.list) checkWhere(relation.model, condition)
}

/** A plain column must not be compared with an encrypted one. */
function checkReferences(plan: ModelPlan, condition: unknown): void {
  if (plan.encrypted.length === 0) return
  if (isFieldRef(condition)) {
    const member = condition.modelName === plan.name ? plan.members.get(condition.name) : undefined
    if (member?.kind === 'encrypted') throw refused(member.field.name, 'a field reference')
  } else if (isPlainObject(condition)) {
    for (const operand of Object.values(condition)) checkReferences(plan, operand)
  }
}

/** @throws FieldsealError `QUERY_UNSUPPORTED` when rows would be sorted by ciphertext */
export function checkOrderBy(plan: ModelPlan, orderBy: unknown): void {
  if (!plan.reaches) return
  for (const element of listOf(orderBy)) {
    if (!isPlainObject(element)) continue
    for (const [key, order] of Object.entries(element)) checkOrder(plan, key, order)
  }
}

function checkOrder(plan: ModelPlan, key: string, order: unknown): void {
  if (isAbsent(order)) return
  const member = plan.members.get(key)
  if (member?.kind === 'encrypted') throw refused(member.field.name, 'orderBy')
  if (member?.kind === 'relation') checkOrderBy(member.relation.model, order)
  else if (key === '_relevance' && isPlainObject(order)) checkNames(plan, order.fields, 'orderBy')
  else if (AGGREGATES.has(key)) checkNames(plan, Object.keys(order as object), 'orderBy')
}

/** @throws FieldsealError `QUERY_UNSUPPORTED` when rows would be paged from a ciphertext */
export function checkCursor(plan: ModelPlan, cursor: unknown): void {
  if (!isPlainObject(cursor)) return
  for (const [key, value] of Object.entries(cursor)) {
    const names = plan.uniques.has(key) && isPlainObject(value) ? Object.keys(value) : [key]
    if (!isAbsent(value)) checkNames(plan, names, 'cursor')
  }
}

const VALUE_AGGREGATES = ['_min', '_max', '_sum', '_avg']
const AGGREGATES = new Set([...VALUE_AGGREGATES, '_count'])

/** @throws FieldsealError `QUERY_UNSUPPORTED` when ciphertexts would be aggregated or grouped; `_count` is right */
export function checkAggregates(plan: ModelPlan, args: Record<string, unknown>): void {
  if (plan.encrypted.length === 0) return
  for (const aggregate of VALUE_AGGREGATES) {
    const fields = args[aggregate]
    if (isPlainObject(fields))
      checkNames(
        plan,
        Object.keys(fields).filter((name) => fields[name] === true),
        aggregate,
      )
  }
  checkNames(plan, args.by, 'groupBy')
  checkHaving(plan, args.having)
}

function checkHaving(plan: ModelPlan, having: unknown): void {
  for (const element of listOf(having)) {
    if (!isPlainObject(element)) continue
    for (const [key, condition] of Object.entries(element)) {
      if (isAbsent(condition)) continue
      checkNames(plan, key, 'having')
      if (COMBINATORS.has(key)) checkHaving(plan, condition)
      else checkReferences(plan, condition)
    }
  }
}

/** @throws FieldsealError `QUERY_UNSUPPORTED` when one of the names is an encrypted field */
export function checkNames(plan: ModelPlan, names: unknown, use: string): void {
  for (const name of listOf(names)) {
    const member = typeof name === 'string' ? plan.members.get(name) : undefined
    if (member?.kind === 'encrypted') throw refused(member.field.name, use)
  }
}

const INSTEAD: { readonly [use: string]: string } = {
  orderBy: 'sort the rows after reading them, or keep a plain column to sort by',
  cursor: 'page by a column that is not encrypted',
  distinct: 'remove duplicates after reading the rows',
  groupBy: 'group the rows after reading them',
  having: 'filter the groups in your code',
}

function refused(name: string, use: string): FieldsealError {
  const advice =
    INSTEAD[use] ??
    'only null can be asked of it: filter by other columns and compare after reading, or compute in your code'
  return new FieldsealError(
    'QUERY_UNSUPPORTED',
    `${name} is encrypted, so "${use}" has no right answer on it; ${advice}`,
  )
}
