/** Stands for every tenant where a tenant is asked for: only `$acrossTenants` passes it. */
export const ANY_TENANT = Symbol('any tenant')
export type TenantScope = string | typeof ANY_TENANT

export function isWithin(scope: TenantScope, tenant: string): boolean {
  return scope === ANY_TENANT || tenant === scope
}
