import { FieldsealError, quoted } from '../../errors.js'
import type { DekIdentity, WrappedDek } from '../../keys/kms.js'

/** The id of the KEK for a tenant's DEKs. */
export type KeyIdOf = (tenant: string) => string | Promise<string>

/** The ids of the KEKs under which a tenant's DEKs may still be. */
export type FormerKeyIdsOf = (tenant: string) => readonly string[] | Promise<readonly string[]>

export interface KeyIdOptions {
  readonly keyId: string | KeyIdOf
  readonly formerKeyIds: readonly string[] | FormerKeyIdsOf
}

/** The KEKs of each tenant, as the options name them. */
export class TencentKeyIds {
  readonly #options: KeyIdOptions

  constructor(options: KeyIdOptions) {
    this.#options = options
  }

  /**
   * For what is encrypted or wrapped from now on.
   *
   * @throws FieldsealError `KMS_KEY_UNUSABLE`; what the function throws, if that is an error of this library
   */
  async current(tenant: string): Promise<string> {
    const { keyId } = this.#options
    if (typeof keyId === 'string') return keyId
    const answer = await answerOf('keyId', keyId, tenant)
    if (!isKeyId(answer)) throw unusable('keyId', tenant, 'gave no key id')
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
    if (!(await this.all(identity.tenant)).includes(kekId)) throw foreign(kekId, identity)
  }

  async #former(tenant: string): Promise<readonly string[]> {
    const { formerKeyIds } = this.#options
    if (typeof formerKeyIds !== 'function') return formerKeyIds
    const answer = await answerOf('formerKeyIds', formerKeyIds, tenant)
    if (!isKeyIdList(answer)) throw unusable('formerKeyIds', tenant, 'gave no list of key ids')
    return answer
  }
}

/** Whether a value can be a key id: text without blanks. */
export function isKeyId(value: unknown): value is string {
  return typeof value === 'string' && /^\S{1,256}$/.test(value)
}

export function isKeyIdList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isKeyId)
}

/** An error of this library says more than that the function failed: `KMS_UNAVAILABLE`, if what it asks is down. */
function answerOf(option: string, given: (tenant: string) => unknown, tenant: string): Promise<unknown> {
  return Promise.resolve(tenant)
    .then(given)
    .catch((cause: unknown) => {
      throw FieldsealError.is(cause) ? cause : unusable(option, tenant, 'failed', { cause })
    })
}

function unusable(option: string, tenant: string, why: string, options?: { cause: unknown }): FieldsealError {
  const message = `The ${option} function of tencentKms ${why} for tenant ${quoted(tenant)}.`
  return new FieldsealError('KMS_KEY_UNUSABLE', message, options)
}

function foreign(kekId: string, { key, tenant }: DekIdentity): FieldsealError {
  return new FieldsealError(
    'KMS_KEY_UNUSABLE',
    `The DEK ${quoted(key)} is under the KEK ${quoted(kekId)}, which tencentKms does not name for tenant ` +
      `${quoted(tenant)}. If it was that tenant's, name it in the option "formerKeyIds" until the DEK is rewrapped; if it ` +
      'never was, the row of the keys table was changed: compare it with a backup.',
  )
}
