import { AsyncLocalStorage } from 'node:async_hooks'
import { type Access, narrowed, UNLIMITED } from '../tenancy/access.js'
import type { TenantScope } from '../tenancy/scope.js'
import { ambientAccess } from '../tenancy/tenant.js'

/** What a bound client carries. */
export interface ClientBinding {
  /** A tenant, or leave to reach every tenant's rows. */
  readonly tenant: TenantScope
  readonly access: Access
}

/** How the operations of one client learn what it is bound to. */
export interface BindingSource {
  /** What the client is bound to, if it is. */
  current(): ClientBinding | undefined
  /** What the running operation may read, and for what: as its client and every `withTenant` around it allow. */
  access(): Access
}

/** Code of extensions runs in it, while a bound client is at work. */
const storage = new AsyncLocalStorage<ClientBinding>()

/** Of a client that is not bound: what extensions of a bound client do through it, they do for that client's tenant. */
export const ambientBinding: BindingSource = {
  current: () => storage.getStore(),
  access: () => accessFor(storage.getStore()),
}

export function fixedBinding(binding: ClientBinding): BindingSource {
  return { current: () => binding, access: () => accessFor(binding) }
}

/** Runs work of an extension in the context of a bound client. */
export function runBoundTo<R>(binding: ClientBinding, work: () => R): R {
  return storage.run(binding, work)
}

function accessFor(binding: ClientBinding | undefined): Access {
  return narrowed(ambientAccess() ?? UNLIMITED, binding?.access ?? UNLIMITED)
}
