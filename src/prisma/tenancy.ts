import type { Access } from '../access.js'
import type { TenantHolder } from '../cipher.js'
import { FieldsealError, quoted } from '../errors.js'
import { ANY_TENANT, type TenantScope } from '../keys/keyRing.js'
import { own } from '../own.js'
import { ambientTenant, checkTenant } from '../tenant.js'
import type { KnownValues } from './bound.js'
import type { ModelPlan } from './plan.js'
import { isAbsent, isPlainObject } from './values.js'

/** What a bound client carries. */
export interface Binding {
  /** A tenant, or leave to reach every tenant's rows. */
  readonly tenant: TenantScope
  readonly access: Access
}

export interface TenancyOptions {
  /** The tenant of the running request, if it has one. */
  readonly tenant?: (() => string | undefined) | undefined
  readonly defaultTenant?: string | undefined
}

/**
 * Whose data one operation touches, by the first that answers: bound client, `withTenant`, the `tenant` option, the
 * `@tenant` column in the data, `defaultTenant`. Those before the default must agree.
 */
export class OperationTenancy {
  /** For all records of the operation; with `$acrossTenants` for its reads only. */
  readonly owner: TenantHolder = {}
  readonly #across: boolean
  readonly #defaultTenant: string | undefined

  constructor(binding: Binding | undefined, { tenant, defaultTenant }: TenancyOptions) {
    const bound = binding?.tenant
    this.#across = bound === ANY_TENANT
    this.#defaultTenant = defaultTenant
    if (bound === ANY_TENANT) this.owner.tenant = ANY_TENANT
    else for (const answer of [bound, ambientTenant(), tenant?.()]) this.#claim(answer ?? undefined, 'this operation')
  }

  /**
   * The owner of a record that is written, given the owner of the record around it.
   *
   * @param known what the data says of the record's columns
   * @param fixed what its `where` says of them: it must agree, and with `$acrossTenants` it tells the tenant too
   * @throws FieldsealError `TENANT_MISMATCH`, `TENANT_INVALID`
   */
  ownerOf(plan: ModelPlan, known: KnownValues, parent: TenantHolder, fixed: KnownValues = {}): TenantHolder {
    if (plan.tenant === undefined) return parent
    const column = `${plan.name}.${plan.tenant}`
    const written = setValue(own(known, plan.tenant))
    const stored = own(fixed, plan.tenant)
    if (!this.#across) {
      if (!isAbsent(written)) this.#claim(written, column)
      checkSame(this.owner.tenant ?? this.#defaultTenant, stored, column)
      return isAbsent(written) ? parent : this.owner
    }
    const named = isAbsent(written) ? stored : written
    if (isAbsent(named)) return parent
    checkTenant(named)
    checkSame(named, stored, column)
    return { tenant: named }
  }

  /** Whether rows of all tenants may be read. */
  get readsAcross(): boolean {
    return this.#across
  }

  /** Where writes at the top level begin: with `$acrossTenants` nobody owns them until the data says so. */
  writeOwner(): TenantHolder {
    return this.#across ? {} : this.owner
  }

  /**
   * Settles who owns what is about to be transformed.
   *
   * @throws FieldsealError `TENANT_MISSING`
   */
  settle(owner: TenantHolder, field: string): void {
    if (owner.tenant !== undefined) return
    if (this.#defaultTenant !== undefined && !this.#across) owner.tenant = this.#defaultTenant
    else throw missing(field, this.#across)
  }

  #claim(tenant: unknown, source: string): void {
    if (tenant === undefined) return
    checkTenant(tenant)
    if (this.owner.tenant !== undefined && this.owner.tenant !== tenant) {
      const message = `${source} names tenant ${quoted(tenant)}, but the operation runs for ${quoted(this.owner.tenant)}`
      throw new FieldsealError('TENANT_MISMATCH', message)
    }
    this.owner.tenant = tenant
  }
}

/** A row keeps its tenant: its other ciphertexts would stay behind. */
function checkSame(tenant: unknown, stored: unknown, column: string): void {
  if (tenant === undefined || typeof stored !== 'string' || stored === tenant) return
  const message = `the where names rows of tenant ${quoted(stored)} by ${column}, but the operation runs for ${quoted(tenant)}`
  throw new FieldsealError('TENANT_MISMATCH', message)
}

function setValue(value: unknown): unknown {
  return isPlainObject(value) && 'set' in value ? value.set : value
}

function missing(field: string, across: boolean): FieldsealError {
  const advice = across
    ? 'with $acrossTenants() a write must carry the @tenant column, in its data or in its unique where, and a filter by value ' +
      'the @tenant column beside it'
    : 'use prisma.$forTenant(id), run it inside withTenant(id, fn), or set the tenant or defaultTenant option'
  return new FieldsealError('TENANT_MISSING', `${field} is encrypted and nothing says for which tenant: ${advice}`)
}
