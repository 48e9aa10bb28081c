import type { Purpose } from '../keys/kms.js'
import { indexesOf } from '../plan/columnIndex.js'
import type { Plans } from '../plan/plan.js'
import { ANY_TENANT } from '../tenancy/scope.js'
import { ambientTenant, checkTenant, GLOBAL_TENANT } from '../tenancy/tenant.js'
import type { ClientContext } from './clientContext.js'
import { withTimeLimit } from './timeLimit.js'

/** Which indexes a client's fields have: their keys differ. */
export type IndexScopes = ReadonlySet<'tenant' | 'global'>

export function indexScopes(plans: Plans): IndexScopes {
  const fields = [...plans.values()].flatMap(({ encrypted }) => encrypted)
  return new Set(fields.flatMap((field) => indexesOf(field).map(({ scope }) => scope)))
}

/**
 * An interactive transaction holds a connection while the key ring needs another, so a known tenant's DEKs are fetched
 * before it begins. That is a help, not a condition: what fails here fails again, and clearly, where the key is used.
 */
export async function fetchKeys(context: ClientContext, scopes: IndexScopes): Promise<void> {
  await withTimeLimit(prepareKeys(context, scopes), context.transactionWait, () => new Error('late')).catch(
    () => undefined,
  )
}

async function prepareKeys({ ring, clientBinding, tenancy }: ClientContext, scopes: IndexScopes): Promise<void> {
  const tenant = clientBinding.current()?.tenant ?? ambientTenant() ?? tenancy.tenant?.() ?? tenancy.defaultTenant
  if (tenant === ANY_TENANT || tenant === undefined) return
  checkTenant(tenant)
  await Promise.all(keysOf(tenant, scopes).map(([owner, purpose]) => ring.active.prepare(owner, purpose)))
}

/** The keys that a write of this tenant may need. */
function keysOf(tenant: string, scopes: IndexScopes): [tenant: string, purpose: Purpose][] {
  const owners = [...scopes].map((scope) => (scope === 'global' ? GLOBAL_TENANT : tenant))
  return [[tenant, 'encrypt'], ...owners.map((owner): [string, Purpose] => [owner, 'index'])]
}
