import type { TenantHolder } from '../cipher/cipher.js'
import { FieldsealError, quoted } from '../errors.js'
import { ANY_TENANT } from '../keys/keyRing.js'
import { own } from '../own.js'
import type { ModelPlan } from '../plan/plan.js'
import { checkTenant } from '../tenancy/tenant.js'
import type { KnownValues } from './boundColumns.js'

/**
 * Whose the ciphertexts of a row must be: the tenant's of the operation, or with `$acrossTenants` that of the row's own
 * column, as far as it is known. Somebody may have put another tenant's ciphertext into the row.
 *
 * @throws FieldsealError `TENANT_INVALID`
 */
export function rowOwner(plan: ModelPlan, row: KnownValues, owner: TenantHolder): TenantHolder {
  if (owner.tenant !== ANY_TENANT || plan.tenant === undefined) return owner
  const written = own(row, plan.tenant)
  if (written === null || written === undefined) return owner
  checkTenant(written)
  return { tenant: written, column: `${plan.name}.${plan.tenant}` }
}

/**
 * Whose the ciphertexts of a row are that do not say so themselves (`mode: kms`): the tenant's of the operation, which the
 * row's own column must not contradict, or with `$acrossTenants` that column's alone.
 *
 * @throws FieldsealError `TENANT_MISMATCH`, `TENANT_INVALID`
 */
export function directOwner({ name, tenant: column }: ModelPlan, row: KnownValues, owner: TenantHolder): TenantHolder {
  const written = column === undefined ? undefined : own(row, column)
  if (written === undefined) return owner
  if (owner.tenant === ANY_TENANT) {
    checkTenant(written)
    return { tenant: written }
  }
  if (owner.tenant === undefined || written === owner.tenant) return owner
  const message =
    `${name}.${column} of a row names the tenant ${quoted(written)}, and the operation runs for ${quoted(owner.tenant)}: ` +
    'filter by tenant in your query'
  throw new FieldsealError('TENANT_MISMATCH', message)
}
