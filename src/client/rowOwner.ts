import type { TenantHolder } from '../cipher/cipher.js'
import { FieldsealError, quoted } from '../errors.js'
import { own } from '../own.js'
import type { ModelPlan } from '../plan/plan.js'
import { ANY_TENANT } from '../tenancy/scope.js'
import { checkTenant } from '../tenancy/tenant.js'
import type { KnownValues } from './boundColumns.js'

/** What is known of a row when it is read. */
export interface OwnedRow {
  readonly known: KnownValues
  /** The query asked for the tenant column, so that its absence is somebody's doing. */
  readonly asksTenant: boolean
}

/**
 * Whose the ciphertexts of a row must be: the tenant's of the operation, or with `$acrossTenants` that of the row's own
 * column, as far as it is known. Somebody may have put another tenant's ciphertext into the row.
 *
 * @throws FieldsealError `TENANT_INVALID`; `TENANT_MISMATCH` where the column was asked for and is missing
 */
export function rowOwner(plan: ModelPlan, { known, asksTenant }: OwnedRow, owner: TenantHolder): TenantHolder {
  if (owner.tenant !== ANY_TENANT || plan.tenant === undefined) return owner
  const written = own(known, plan.tenant)
  if (written === undefined && asksTenant) throw withoutTenant(plan)
  if (written === null || written === undefined) return owner
  checkTenant(written)
  return { tenant: written, column: `${plan.name}.${plan.tenant}` }
}

/** What an extension has taken out of a row, nothing can be held against. */
function withoutTenant({ name, tenant }: ModelPlan): FieldsealError {
  const message =
    `a row of ${name} came without ${tenant}, which tells whose it is and was asked for: an extension after fieldEncryption ` +
    'takes it out or renames it; have it leave that column alone'
  return new FieldsealError('TENANT_MISMATCH', message)
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
