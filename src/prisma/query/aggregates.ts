import type { Pass } from '../../client/pass.js'
import type { ModelPlan } from '../../plan/plan.js'
import { isAbsent, isPlainObject, listOf } from '../values.js'
import { checkNames, compareNamed, VALUE_AGGREGATES } from './ordering.js'
import { COMBINATORS, checkReferences } from './where.js'

/** @throws FieldsealError `QUERY_UNSUPPORTED` when ciphertexts would be aggregated or grouped; `_count` is right */
export function checkAggregates(pass: Pass, plan: ModelPlan, args: Record<string, unknown>): void {
  if (plan.encrypted.length === 0) return
  for (const aggregate of VALUE_AGGREGATES) {
    const fields = args[aggregate]
    if (isPlainObject(fields)) checkNames(plan, wantedIn(fields), aggregate)
  }
  checkNames(plan, args.by, 'groupBy')
  for (const name of listOf(args.by)) compareNamed(pass, plan, name)
  checkHaving(plan, args.having)
}

function wantedIn(fields: Record<string, unknown>): string[] {
  return Object.keys(fields).filter((name) => fields[name] === true)
}

function checkHaving(plan: ModelPlan, having: unknown): void {
  for (const element of listOf(having)) {
    if (!isPlainObject(element)) continue
    for (const [key, condition] of Object.entries(element)) {
      if (isAbsent(condition)) continue
      if (!isCount(condition)) checkNames(plan, key, 'having')
      if (COMBINATORS.has(key)) checkHaving(plan, condition)
      else checkReferences(plan, condition)
    }
  }
}

/** Ciphertexts are as many as the values. */
function isCount(condition: unknown): boolean {
  if (!isPlainObject(condition)) return false
  return Object.keys(condition).every((operator) => operator === '_count' || isAbsent(condition[operator]))
}
