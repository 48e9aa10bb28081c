import type { DataSource } from 'typeorm'
import type { EncryptionOperations } from '../client/encryptionOperations.js'
import type { KeyOperations } from '../client/keyOperations.js'
import type { AccessOptions } from '../tenancy/access.js'
import { heldBy } from './binding/held.js'

/**
 * The data source for one tenant: everything that is written by it, by its manager, repositories, query builders,
 * transactions and runners is encrypted under this tenant's DEK, and only this tenant's rows can be decrypted. It shares
 * connections and entities with the one it is made of, and is cheap enough to make for every request.
 *
 * @param access what it is for, and which encrypted fields it may read; see docs/access.md. Of a data source that is
 * limited so, only others can be made that may read less
 * @throws FieldsealError `TENANT_INVALID`, `OPTIONS_INVALID`, `NOT_EXTENDED`
 *
 * @example
 * ```ts
 * import { forTenant } from 'fieldseal/typeorm'
 *
 * const acme = forTenant(dataSource, 'acme')
 * await acme.getRepository(User).findOneBy({ email: 'ada@example.com' })
 * const support = forTenant(dataSource, 'acme', { purpose: 'support', allow: ['User.email'] })
 * ```
 */
export function forTenant<Source extends DataSource>(
  dataSource: Source,
  tenant: string,
  access?: AccessOptions,
): Source {
  return heldBy(dataSource).forTenant(tenant, access) as Source
}

/**
 * The data source for maintenance: decrypts every tenant's rows, and writes for the tenant in the `@Tenant()` column.
 *
 * @param access as of `forTenant`
 * @throws FieldsealError `OPTIONS_INVALID`, `NOT_EXTENDED`
 *
 * @example
 * ```ts
 * const users = await acrossTenants(dataSource, { purpose: 'monthly report' }).getRepository(User).find()
 * ```
 */
export function acrossTenants<Source extends DataSource>(dataSource: Source, access?: AccessOptions): Source {
  return heldBy(dataSource).acrossTenants(access) as Source
}

/**
 * Operations on keys, helpers for raw SQL, maintenance and figures, of a data source that is initialised; of a bound one
 * for its tenant.
 *
 * @throws FieldsealError `NOT_EXTENDED` for a data source that does not encrypt, `OPTIONS_INVALID` before `initialize()`
 *
 * @example
 * ```ts
 * await encryptionOf(dataSource).rotate({ tenants: ['acme'] })
 * ```
 */
export function encryptionOf(dataSource: DataSource): EncryptionOperations & KeyOperations {
  return heldBy(dataSource).operations()
}
