import { AsyncLocalStorage } from 'node:async_hooks'
import { type Access, narrowed, UNLIMITED } from '../tenancy/access.js'
import { ambientAccess } from '../tenancy/tenant.js'
import type { Binding } from './operationTenancy.js'

/** How the operations of one client learn what it is bound to. */
export interface Bound {
  /** What the client is bound to, if it is. */
  current(): Binding | undefined
  /** What the running operation may read, and for what: as its client and every `withTenant` around it allow. */
  access(): Access
}

/** Code of extensions runs in it, while a bound client is at work. */
const storage = new AsyncLocalStorage<Binding>()

/** Of a client that is not bound: what extensions of a bound client do through it, they do for that client's tenant. */
export const unbound: Bound = {
  current: () => storage.getStore(),
  access: () => accessFor(storage.getStore()),
}

export function boundTo(binding: Binding): Bound {
  return { current: () => binding, access: () => accessFor(binding) }
}

/** Runs work of an extension in the context of a bound client. */
export function runFor<R>(binding: Binding, work: () => R): R {
  return storage.run(binding, work)
}

function accessFor(binding: Binding | undefined): Access {
  return narrowed(ambientAccess() ?? UNLIMITED, binding?.access ?? UNLIMITED)
}
