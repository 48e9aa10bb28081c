import { type KnownValues, sameBound } from '../../client/boundColumns.js'
import { FieldsealError } from '../../errors.js'
import { own } from '../../own.js'
import type { FieldPlan, ModelPlan, RelationPlan } from '../../plan/plan.js'
import { isAbsent, partOf } from '../values.js'

/*
 * What ciphertexts are bound to must not change under them: these are the writes that would.
 */

/**
 * A bound column, or one that a bound foreign key follows, must keep its value.
 *
 * @throws FieldsealError `QUERY_UNSUPPORTED`
 */
export function checkImmutable(plan: ModelPlan, data: Record<string, unknown>, fixed: KnownValues): void {
  for (const column of plan.immutable) {
    const written = own(data, column)
    const value = partOf(written, 'set') ?? written
    if (isAbsent(value) || sameBound(plan, column, value, own(fixed, column))) continue
    const message = `${plan.name}.${column} is what ciphertexts are bound to, so it cannot change: create a new row instead`
    throw new FieldsealError('QUERY_UNSUPPORTED', message)
  }
}

export function boundValueShared({ name, bind }: FieldPlan): FieldsealError {
  const message = `${name} is bound to ${bind.join(', ')}, so rows cannot share one value: update them one by one`
  return new FieldsealError('QUERY_UNSUPPORTED', message)
}

export function immutableLink({ name }: RelationPlan, operation: string): FieldsealError {
  const message = `${name}: "${operation}" would change a column that ciphertexts are bound to: create a new row instead`
  return new FieldsealError('QUERY_UNSUPPORTED', message)
}
