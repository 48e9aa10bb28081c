import { TimeoutStrategy, timeout } from 'cockatiel'
import { FieldsealError } from '../../errors.js'
import { invalidOptions } from '../../invalidOptions.js'

const invalid = invalidOptions('freshCredentials', '.')

/** The start of the message of a failed fetch, by which it is known again behind the SDK. */
export const CREDENTIALS_FAILED = 'the Tencent credentials could not be fetched'

/** What the SDK takes as a credential that changes. */
export interface CredentialProvider<C> {
  getCredential(): Promise<C>
}

/** Options of `freshCredentials`. */
export interface FreshCredentialsOptions {
  /** Milliseconds for one fetch; 2,500 unless given. */
  readonly timeout?: number | undefined
  /** Sees the provider's own error. */
  readonly onError?: ((error: unknown) => void) | undefined
}

/**
 * Wraps a credential provider of the SDK (STS, CVM role, OIDC). Those keep a rejected promise for ever: after one
 * failed fetch they never recover. This one makes a new provider after a failure, and after a fetch that takes too long.
 *
 * @param make makes a provider; called at the first use and after each failure
 * @param options.timeout milliseconds for one fetch, 2,500 unless given
 * @param options.onError sees the provider's own error, for your log; its message may quote what the credential service
 * answered, so this library passes it on nowhere else
 * @throws FieldsealError `OPTIONS_INVALID` for options that cannot work; `KMS_DENIED` from `getCredential`
 * @example
 * ```ts
 * import { kms } from 'tencentcloud-sdk-nodejs-kms'
 * import { CvmRoleCredential } from 'tencentcloud-sdk-nodejs-common'
 * import { freshCredentials } from 'fieldseal/tencent-kms'
 *
 * const credential = freshCredentials(() => new CvmRoleCredential())
 * const client = new kms.v20190118.Client({ credential, region: 'ap-guangzhou' })
 * ```
 */
export function freshCredentials<C>(
  make: () => CredentialProvider<C>,
  options: FreshCredentialsOptions = {},
): CredentialProvider<C> {
  const { timeout: milliseconds = 2_500, onError } = options
  if (typeof make !== 'function') throw invalid('takes a function that makes a provider, not a provider')
  if (!(milliseconds > 0)) throw invalid('needs a "timeout" of more than 0 milliseconds')
  const limit = timeout(milliseconds, TimeoutStrategy.Aggressive)
  let current: CredentialProvider<C> | undefined
  return {
    async getCredential() {
      let used: CredentialProvider<C> | undefined
      try {
        used = current ??= make()
        const provider = used
        return await limit.execute(() => provider.getCredential())
      } catch (error) {
        if (current === used) current = undefined
        onError?.(error)
        throw new FieldsealError('KMS_DENIED', `freshCredentials: ${CREDENTIALS_FAILED}; onError sees why.`)
      }
    },
  }
}
