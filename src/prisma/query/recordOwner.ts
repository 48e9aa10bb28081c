import type { TenantHolder } from '../../cipher/cipher.js'
import type { KnownValues } from '../../client/boundColumns.js'
import type { OperationTenancy } from '../../client/operationTenancy.js'
import { own } from '../../own.js'
import type { ModelPlan } from '../../plan/plan.js'
import { isAbsent, isPlainObject } from '../values.js'

/** A record of Prisma's arguments: what its data and its `where` say of its columns. */
interface KnownRecord {
  readonly data?: KnownValues | undefined
  readonly where?: KnownValues | undefined
}

/**
 * Whose a record is, given the owner of the record around it.
 *
 * @throws FieldsealError `TENANT_MISMATCH`, `TENANT_INVALID`
 */
export function recordOwner(
  tenancy: OperationTenancy,
  plan: ModelPlan,
  { data, where }: KnownRecord,
  parent: TenantHolder,
): TenantHolder {
  if (plan.tenant === undefined) return parent
  const written = data && given(setValue(own(data, plan.tenant)))
  const stored = where && given(own(where, plan.tenant))
  return tenancy.ownerOf(plan, { written, stored }, parent)
}

function setValue(value: unknown): unknown {
  return isPlainObject(value) && 'set' in value ? value.set : value
}

function given(value: unknown): unknown {
  return isAbsent(value) ? undefined : value
}
