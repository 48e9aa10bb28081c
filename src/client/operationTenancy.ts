import type { TenantHolder } from '../cipher/cipher.js'
import { FieldsealError, quoted } from '../errors.js'
import type { ModelPlan } from '../plan/plan.js'
import { ANY_TENANT } from '../tenancy/scope.js'
import { ambientTenant, checkTenant } from '../tenancy/tenant.js'
import type { ClientBinding } from './clientBinding.js'
import { checkTenantForm, type TenantForm } from './tenantForm.js'
import type { Wording } from './wording.js'

/** What names the tenant of one record. */
export interface NamedTenant {
  readonly written: unknown
  readonly stored: unknown
}

export interface TenancyOptions {
  /** The tenant of the running request, if it has one. */
  readonly tenant?: (() => string | undefined) | undefined
  readonly defaultTenant?: string | undefined
  readonly form: TenantForm
  readonly wording: Omit<Wording, 'schemaSource'>
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
  readonly #form: TenantForm
  readonly #wording: TenancyOptions['wording']

  constructor(binding: ClientBinding | undefined, { tenant, defaultTenant, form, wording }: TenancyOptions) {
    const bound = binding?.tenant
    this.#across = bound === ANY_TENANT
    this.#defaultTenant = defaultTenant
    this.#form = form
    this.#wording = wording
    if (bound === ANY_TENANT) this.owner.tenant = ANY_TENANT
    else for (const answer of [bound, ambientTenant(), tenant?.()]) this.#claim(answer ?? undefined, 'this operation')
  }

  /**
   * The owner of a record that is written, given the owner of the record around it.
   *
   * @param written what the data gives the record's tenant column; `undefined` where it says nothing
   * @param stored what its `where` says of that column: it must agree, and with `$acrossTenants` it tells the tenant too
   * @throws FieldsealError `TENANT_MISMATCH`, `TENANT_INVALID`
   */
  ownerOf(plan: ModelPlan, { written, stored }: NamedTenant, parent: TenantHolder): TenantHolder {
    if (plan.tenant === undefined) return parent
    const column = `${plan.name}.${plan.tenant}`
    if (!this.#across) {
      if (written !== undefined) this.#claim(written, column)
      checkSame(this.owner.tenant ?? this.#defaultTenant, stored, column)
      return written === undefined ? parent : this.owner
    }
    const named = written === undefined ? stored : written
    if (named === undefined) return parent
    checkTenant(named)
    checkTenantForm(this.#form, named)
    checkSame(named, stored, column)
    return { tenant: named }
  }

  /** Whether rows of all tenants may be read. */
  get readsAcross(): boolean {
    return this.#across
  }

  /** Whether it is known for one tenant, without any record telling. */
  get isOfOne(): boolean {
    return !this.#across && (this.owner.tenant !== undefined || this.#defaultTenant !== undefined)
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
    if (this.#defaultTenant === undefined || this.#across) throw this.#missing(field)
    checkTenantForm(this.#form, this.#defaultTenant)
    owner.tenant = this.#defaultTenant
  }

  #missing(field: string): FieldsealError {
    const { forTenant, acrossTenants } = this.#wording
    const advice = this.#across
      ? acrossTenants
      : `use ${forTenant}, run it inside withTenant(id, fn), or set the tenant or defaultTenant option`
    return new FieldsealError('TENANT_MISSING', `${field} is encrypted and nothing says for which tenant: ${advice}`)
  }

  #claim(tenant: unknown, source: string): void {
    if (tenant === undefined) return
    checkTenant(tenant)
    checkTenantForm(this.#form, tenant)
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
