import { type Slot, type TenantHolder, transform } from '../cipher.js'
import { FieldsealError } from '../errors.js'
import type { OperationContext } from './operation.js'
import type { ModelPlan } from './plan.js'
import { OperationTenancy } from './tenancy.js'
import { watchSlots } from './watch.js'

/*
 * What the helpers for raw SQL have in common with queries: access, the tenant, and being watched.
 */

export function planOf(context: OperationContext, model: string): ModelPlan {
  const plan = context.limited.of(context.bindings.access().allow).get(model)
  if (!plan) throw new FieldsealError('OPTIONS_INVALID', `there is no model ${model} in encryptionSchema`)
  return plan
}

export function ownerOf(context: OperationContext, name: string): TenantHolder {
  const tenancy = new OperationTenancy(context.bindings.current(), context.tenancy)
  tenancy.settle(tenancy.owner, name)
  return tenancy.owner
}

export async function transformAll(context: OperationContext, method: string, slots: readonly Slot[]): Promise<void> {
  await watchSlots(context, `$encryption.${method}`, { slots, done: transform(slots, context.ring) })
}
