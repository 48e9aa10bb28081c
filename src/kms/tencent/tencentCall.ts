import { FieldsealError, quoted } from '../../errors.js'
import type { Attempts } from './retryPolicy.js'
import type { TencentAction } from './tencentClient.js'
import { isKeyId } from './tencentKeyIds.js'

/** What a call is about, for messages. */
export interface Target {
  readonly action: TencentAction
  /** What is encrypted or opened; a DEK unless given. */
  readonly subject?: 'value'
  keyId: string
}

/** Makes a call, again if need be; its errors are this library's. */
export type TencentCall = <T>(target: Target, work: (attempts: Attempts) => Promise<T>) => Promise<T>

/** In place of a key id that is not known yet. */
export function ofTenant(tenant: string): string {
  return `of tenant ${quoted(tenant)}`
}

/** An answer that is not as it must be. */
export function callRefused({ action, keyId, subject }: Target, why: string): FieldsealError {
  const row = subject === 'value' ? 'row' : 'row of the keys table'
  return new FieldsealError(
    'KMS_REFUSED',
    `Tencent KMS, ${action} with key ${keyId}: the answer ${why}. Compare the ${row} with a backup, and ` +
      'check that nothing stands between this host and Tencent.',
  )
}

/** How a message calls the key that an answer names. */
export function named(keyId: unknown): string {
  return isKeyId(keyId) ? `the key ${keyId}` : 'no key'
}
