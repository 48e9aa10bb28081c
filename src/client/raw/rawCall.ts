import { type Slot, type TenantHolder, transform } from '../../cipher/cipher.js'
import { routed } from '../../debug.js'
import { FieldsealError } from '../../errors.js'
import type { ModelPlan } from '../../plan/plan.js'
import { auditSlots } from '../audit.js'
import type { ClientContext } from '../clientContext.js'
import { OperationTenancy } from '../operationTenancy.js'

/*
 * What the helpers for raw SQL have in common with queries: access, the tenant, and the audit.
 */

export function planOf(context: ClientContext, model: string): ModelPlan {
  const plan = context.limited.of(context.clientBinding.access().allow).get(model)
  if (!plan) throw new FieldsealError('OPTIONS_INVALID', `there is no model ${model} in encryptionSchema`)
  return plan
}

export function ownerOf(context: ClientContext, name: string): TenantHolder {
  const tenancy = new OperationTenancy(context.clientBinding.current(), context.tenancy)
  tenancy.settle(tenancy.owner, name)
  return tenancy.owner
}

export async function transformAll(context: ClientContext, method: string, slots: readonly Slot[]): Promise<void> {
  const operation = `$encryption.${method}`
  await routed(operation, async () => auditSlots(context, operation, { slots, done: transform(slots, context.ring) }))
}
