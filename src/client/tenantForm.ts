import { canonicalUuid } from '../crypto/uuid.js'
import { FieldsealError, quoted } from '../errors.js'
import type { EncryptionSchema } from '../schema/encryptionSchema.js'

/** What the schema's `@tenant` columns make of a tenant's id: another text than its keys are made for would be stored. */
export interface TenantForm {
  /** `Model.field` of a column of the type UUID. */
  readonly uuid: string | undefined
  /** The shortest column. */
  readonly shortest: { readonly name: string; readonly length: number } | undefined
}

export function tenantFormOf({ models }: EncryptionSchema): TenantForm {
  const columns = Object.entries(models).map(([model, schema]) => ({ name: `${model}.${schema.tenant}`, ...schema }))
  const limited = columns.flatMap(({ name, tenantLength: length }) => (length === undefined ? [] : [{ name, length }]))
  return {
    uuid: columns.find(({ tenantType }) => tenantType === 'Uuid')?.name,
    shortest: limited.sort((a, b) => a.length - b.length)[0],
  }
}

/** @throws FieldsealError `TENANT_INVALID` for an id that a column would store as another one */
export function checkTenantForm({ uuid, shortest }: TenantForm, tenant: string): void {
  const stored = uuid === undefined ? undefined : canonicalUuid(tenant)
  if (stored !== undefined && stored !== tenant)
    throw invalid(tenant, `${uuid} stores it as ${quoted(stored)}: write it so`)
  if (shortest && [...tenant].length > shortest.length)
    throw invalid(tenant, `${shortest.name} holds ${shortest.length} characters, and loses blanks after them`)
}

function invalid(tenant: string, why: string): FieldsealError {
  return new FieldsealError('TENANT_INVALID', `the tenant id ${quoted(tenant)} is not what is stored: ${why}`)
}
