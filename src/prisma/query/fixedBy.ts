import type { KnownValues } from '../../client/boundColumns.js'
import type { ModelPlan } from '../../plan/plan.js'
import { isAbsent, isPlainObject } from '../values.js'

/** The column values that a unique `where` fixes: its equalities at the top level and in compound selectors. */
export function fixedBy(plan: ModelPlan, where: unknown): KnownValues {
  if (!isPlainObject(where)) return {}
  const known = Object.entries(where).flatMap(([key, condition]): [string, unknown][] => {
    if (!isPlainObject(condition)) return [[key, condition]]
    if (plan.uniques.has(key)) return Object.entries(condition)
    return [[key, isExact(condition) ? condition.equals : undefined]]
  })
  return Object.fromEntries(known)
}

/** The row may have the value in other letters than the filter. */
function isExact({ mode }: Record<string, unknown>): boolean {
  return isAbsent(mode) || mode === 'default'
}
