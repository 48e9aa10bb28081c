import { FieldsealError, quoted } from '../../errors.js'
import { invalidOptionOf } from '../../invalidOptions.js'
import type { DekIdentity, WrappedDek } from '../../keys/kms.js'
import { functionFailed } from './functionFailed.js'

/** The id of the KEK for a tenant's DEKs. */
export type KeyIdOf = (tenant: string) => string | Promise<string>

/** The ids of the KEKs under which a tenant's DEKs may still be. */
export type FormerKeyIdsOf = (tenant: string) => readonly string[] | Promise<readonly string[]>

export interface KekIdsOptions {
  /** The function whose options these are, for messages. */
  readonly adapter: string
  /** What the option `keyId` must be: `'the id of a key in Tencent KMS'`. */
  readonly keyIdIs: string
  readonly keyId: string | KeyIdOf
  /** None unless given. */
  readonly formerKeyIds?: readonly string[] | FormerKeyIdsOf | undefined
  /** Whether a value can be a key id of this service; any text without blanks unless given. */
  readonly isKeyId?: (value: unknown) => value is string
}

/** The KEKs of each tenant, as the options of an adapter name them. */
export class KekIds {
  readonly #adapter: string
  readonly #keyId: string | KeyIdOf
  readonly #formerKeyIds: readonly string[] | FormerKeyIdsOf
  readonly #isKeyId: (value: unknown) => value is string

  /** @throws FieldsealError `OPTIONS_INVALID`, naming `keyId` or `formerKeyIds` */
  constructor({ adapter, keyIdIs, keyId, formerKeyIds = [], isKeyId: fits = isKeyId }: KekIdsOptions) {
    const invalid = invalidOptionOf(adapter)
    if (typeof keyId !== 'function' && !fits(keyId))
      throw invalid('keyId', `must be ${keyIdIs}, or a function of the tenant that gives one`)
    if (typeof formerKeyIds !== 'function' && !isListOf(fits, formerKeyIds))
      throw invalid('formerKeyIds', 'must be a list of key ids, or a function of the tenant that gives one')
    this.#adapter = adapter
    this.#keyId = keyId
    this.#formerKeyIds = formerKeyIds
    this.#isKeyId = fits
  }

  /** Whether there may be more than one. */
  get several(): boolean {
    return (
      typeof this.#keyId === 'function' || typeof this.#formerKeyIds === 'function' || this.#formerKeyIds.length > 0
    )
  }

  /**
   * For what is encrypted or wrapped from now on.
   *
   * @throws FieldsealError `KMS_KEY_UNUSABLE`; what the function throws, if that is an error of this library
   */
  async current(tenant: string): Promise<string> {
    if (typeof this.#keyId === 'string') return this.#keyId
    const answer = await this.#answerOf('keyId', this.#keyId, tenant)
    if (!this.#isKeyId(answer)) throw this.#unusable('keyId', tenant, 'gave no key id')
    return answer
  }

  /** The current one first, then the former ones. */
  async all(tenant: string): Promise<readonly string[]> {
    return [await this.current(tenant), ...(await this.#former(tenant))]
  }

  /**
   * What a row of the keys table says is not enough: who can write there, and may use any KEK that this client may use,
   * could give the tenant a DEK that they know.
   *
   * @throws FieldsealError `KMS_KEY_UNUSABLE` for a DEK under a KEK that is none of the tenant's
   */
  async expectOwn({ kekId }: WrappedDek, identity: DekIdentity): Promise<void> {
    if (!(await this.all(identity.tenant)).includes(kekId)) throw this.#foreign(kekId, identity)
  }

  async #former(tenant: string): Promise<readonly string[]> {
    if (typeof this.#formerKeyIds !== 'function') return this.#formerKeyIds
    const answer = await this.#answerOf('formerKeyIds', this.#formerKeyIds, tenant)
    if (!isListOf(this.#isKeyId, answer)) throw this.#unusable('formerKeyIds', tenant, 'gave no list of key ids')
    return answer
  }

  #answerOf(option: string, given: (tenant: string) => unknown, tenant: string): Promise<unknown> {
    return Promise.resolve(tenant)
      .then(given)
      .catch((thrown: unknown) => {
        throw functionFailed(thrown, 'KMS_KEY_UNUSABLE', this.#message(option, tenant, 'failed'))
      })
  }

  #unusable(option: string, tenant: string, why: string): FieldsealError {
    return new FieldsealError('KMS_KEY_UNUSABLE', `${this.#message(option, tenant, why)}.`)
  }

  #message(option: string, tenant: string, why: string): string {
    return `The ${option} function of ${this.#adapter} ${why} for tenant ${quoted(tenant)}`
  }

  #foreign(kekId: string, { key, tenant }: DekIdentity): FieldsealError {
    return new FieldsealError(
      'KMS_KEY_UNUSABLE',
      `The DEK ${quoted(key)} is under the KEK ${quoted(kekId)}, which ${this.#adapter} does not name for tenant ` +
        `${quoted(tenant)}. If it was that tenant's, name it in the option "formerKeyIds" until the DEK is rewrapped; if it ` +
        'never was, the row of the keys table was changed: compare it with a backup.',
    )
  }
}

/** Whether a value can be a key id: text without blanks. */
export function isKeyId(value: unknown): value is string {
  return typeof value === 'string' && /^\S{1,256}$/.test(value)
}

/** How a message calls the key that an answer names. */
export function named(keyId: unknown): string {
  return isKeyId(keyId) ? `the key ${keyId}` : 'no key'
}

/** In place of a key id that is not known yet. */
export function ofTenant(tenant: string): string {
  return `of tenant ${quoted(tenant)}`
}

function isListOf(fits: (value: unknown) => value is string, value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(fits)
}
