import { FieldsealError, quoted } from '../../errors.js'
import { invalidOptions } from '../../invalidOptions.js'
import { withBreaker } from '../../keys/breaker.js'
import type { Kms } from '../../keys/kms.js'
import { functionFailed } from '../call/functionFailed.js'

const invalid = invalidOptions('tenantKms', '.')

/** The name of the member for a tenant's keys. */
export type MemberOf = (tenant: string) => string | Promise<string>

/** The names of the members under which a tenant's keys may still be. */
export type FormerMembersOf = (tenant: string) => readonly string[] | Promise<readonly string[]>

/** Options of `tenantKms`. */
export interface TenantKmsOptions {
  /**
   * The KMSs, by names that you choose and keep: they go into the `kms` column of the keys table. Keys from before that one
   * KMS alone has wrapped are read by the member with that KMS's own name: `tencent`, `local`, … A member that is added to
   * this object later is known at once.
   */
  readonly members: { readonly [name: string]: Kms }
  /**
   * The name of the member for a tenant; asked whenever the KMS is. The tenant `*` stands for keys that serve all tenants:
   * answer a KMS of your own for it, never a customer's.
   */
  readonly memberOf: MemberOf
  /**
   * Names of members under which keys of tenants still are from before `memberOf` answered another one: a list for all
   * tenants, or a function of the tenant. None unless given. What is under any other member is refused.
   */
  readonly formerMembers?: readonly string[] | FormerMembersOf | undefined
}

const NAME = /^[a-z0-9][a-z0-9-]{0,31}$/

/** The members, and whose is which. Each is spared by itself while it is down. */
export class TenantMembers {
  readonly #options: TenantKmsOptions
  readonly #spared = new WeakMap<Kms, Kms>()

  /** @throws FieldsealError `OPTIONS_INVALID` */
  constructor(options: TenantKmsOptions) {
    const { members, memberOf, formerMembers = [], ...rest } = options
    const [unknown] = Object.keys(rest)
    if (unknown !== undefined)
      throw invalid(`does not know the option ${quoted(unknown)}; it knows members, memberOf, formerMembers`)
    const list = Object.entries(members ?? {})
    if (list.length === 0) throw invalid('needs at least one member')
    for (const [name, kms] of list) checkMember(name, kms)
    if (typeof memberOf !== 'function') throw invalid('needs "memberOf", a function of the tenant')
    if (typeof formerMembers !== 'function' && !isNameList(formerMembers))
      throw invalid('needs a list of names as "formerMembers", or a function of the tenant that gives one')
    this.#options = options
  }

  get names(): readonly string[] {
    return Object.keys(this.#options.members)
  }

  get all(): readonly Kms[] {
    return Object.values(this.#options.members)
  }

  /**
   * For what is made from now on.
   *
   * @throws FieldsealError `KMS_KEY_UNUSABLE`; what the function throws, if that is an error of this library
   */
  async current(tenant: string): Promise<[name: string, kms: Kms]> {
    const name = await this.#answerOf('memberOf', this.#options.memberOf, tenant)
    return [this.#known('memberOf', name, tenant), this.#member(name as string)]
  }

  /**
   * The member that a row names, if it is the tenant's: who can write there, and has a KMS of their own among the members,
   * could give another tenant a DEK that they know.
   *
   * @throws FieldsealError `KMS_KEY_UNUSABLE` for a member that is none of the tenant's
   */
  async own(name: string, tenant: string): Promise<Kms> {
    const [current, kms] = await this.current(tenant)
    if (name === current) return kms
    const former = await this.#former(tenant)
    if (former.includes(name)) return this.#member(this.#known('formerMembers', name, tenant))
    const message =
      `A key of tenant ${quoted(tenant)} is wrapped by the KMS ${quoted(name)}, which tenantKms does not name for it. If it ` +
      'was that tenant\'s, name it in the option "formerMembers" until its keys are rewrapped; if it never was, the row was ' +
      'changed: compare it with a backup.'
    throw new FieldsealError('KMS_KEY_UNUSABLE', message)
  }

  async #former(tenant: string): Promise<readonly string[]> {
    const { formerMembers = [] } = this.#options
    if (typeof formerMembers !== 'function') return formerMembers
    const names = await this.#answerOf('formerMembers', formerMembers, tenant)
    if (isNameList(names)) return names
    throw unusable(`The formerMembers function of tenantKms gave no list of names for tenant ${quoted(tenant)}.`)
  }

  #member(name: string): Kms {
    const kms = this.#options.members[name]!
    checkMember(name, kms)
    const spared = this.#spared.get(kms) ?? withBreaker(kms)
    this.#spared.set(kms, spared)
    return spared
  }

  #known(option: string, name: unknown, tenant: string): string {
    if (typeof name === 'string' && Object.hasOwn(this.#options.members, name)) return name
    throw unusable(
      `The option "${option}" of tenantKms names ${quoted(name)} for tenant ${quoted(tenant)}: no member has that name.`,
    )
  }

  async #answerOf(option: string, given: (tenant: string) => unknown, tenant: string): Promise<unknown> {
    try {
      return await given(tenant)
    } catch (thrown) {
      const what = `The ${option} function of tenantKms failed for tenant ${quoted(tenant)}`
      throw functionFailed(thrown, 'KMS_KEY_UNUSABLE', what)
    }
  }
}

function checkMember(name: string, kms: Kms): void {
  if (!NAME.test(name)) throw invalid(`needs names of lower-case letters, digits and hyphens, not ${quoted(name)}`)
  if (typeof kms?.generate !== 'function' || typeof kms.unwrap !== 'function')
    throw invalid(`needs a Kms as member ${quoted(name)}`)
}

function isNameList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((name) => typeof name === 'string')
}

function unusable(message: string): FieldsealError {
  return new FieldsealError('KMS_KEY_UNUSABLE', message)
}
