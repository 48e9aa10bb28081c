import { AsyncLocalStorage } from 'node:async_hooks'
import { FieldsealError } from '../errors.js'
import { type Access, type AccessOptions, accessOf } from './access.js'
import { keepContext } from './lazyPromise.js'

const SHARED = Symbol.for('fieldseal.tenant')
/** Under it global blind indexes have their key. */
export const GLOBAL_TENANT = '*'

interface Ambient {
  readonly tenant: string
  readonly access: Access
}

/** One storage for the whole process, whichever builds of this library (ESM, CommonJS) are loaded. */
const ambient = sharedStorage(globalThis as { [SHARED]?: AsyncLocalStorage<Ambient> })

function sharedStorage(holder: { [SHARED]?: AsyncLocalStorage<Ambient> }): AsyncLocalStorage<Ambient> {
  holder[SHARED] ??= new AsyncLocalStorage()
  return holder[SHARED]
}

/**
 * Runs `fn` with a tenant for every operation on encrypted fields in it, however deep and across `await`s. A Prisma
 * query that `fn` returns without awaiting it keeps the tenant.
 *
 * @param tenant the tenant's id, as the application knows it
 * @param access what it is for, and which encrypted fields may be read; inside another `withTenant`, only less than there
 * @returns what `fn` returns
 * @throws FieldsealError `TENANT_INVALID`, `OPTIONS_INVALID`; a field in `allow` that there is not is told by the first
 * operation
 *
 * @example
 * ```ts
 * import { withTenant } from 'fieldseal'
 *
 * app.use((request, response, next) => withTenant(request.user.tenantId, next))
 * ```
 */
export function withTenant<T>(tenant: string, fn: () => T): T
export function withTenant<T>(tenant: string, access: AccessOptions, fn: () => T): T
export function withTenant<T>(tenant: string, ...rest: [fn: () => T] | [access: AccessOptions, fn: () => T]): T {
  checkTenant(tenant)
  const [options, fn] = rest.length === 1 ? [{}, rest[0]] : rest
  const access = accessOf(options, ambientAccess())
  const run = <R>(work: () => R): R => ambient.run({ tenant, access }, work)
  return keepContext(run(fn), run)
}

/** The tenant of the innermost `withTenant`, if any. */
export function ambientTenant(): string | undefined {
  return ambient.getStore()?.tenant
}

/** The access of the innermost `withTenant`, if any. */
export function ambientAccess(): Access | undefined {
  return ambient.getStore()?.access
}

/** @throws FieldsealError `TENANT_INVALID` when `tenant` cannot be a tenant's id */
export function checkTenant(tenant: unknown): asserts tenant is string {
  const problem = tenantProblem(tenant)
  if (problem) throw new FieldsealError('TENANT_INVALID', `a tenant id ${problem}`)
}

export function isTenant(tenant: unknown): tenant is string {
  return tenantProblem(tenant) === undefined
}

function tenantProblem(tenant: unknown): string | undefined {
  if (typeof tenant !== 'string') return `must be a string, not ${tenant === null ? 'null' : typeof tenant}`
  if (tenant === '') return 'must not be empty'
  if (tenant === GLOBAL_TENANT) return `must not be "${GLOBAL_TENANT}", which is reserved for global blind indexes`
  if (tenant.includes('\0') || !tenant.isWellFormed()) return 'must be well-formed text without NUL characters'
  return undefined
}
