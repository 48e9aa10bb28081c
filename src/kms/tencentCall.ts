import { FieldsealError, quoted } from '../errors.js'
import type { Attempts } from './patience.js'
import type { TencentAction } from './tencentClient.js'
import { isKeyId, type KeyIdOf } from './tencentOptions.js'

/** What a call is about, for messages. */
export interface Target {
  readonly action: TencentAction
  /** What is encrypted or opened; a DEK unless given. */
  readonly subject?: 'value'
  keyId: string
}

/** Makes a call with patience; its errors are this library's. */
export type TencentCall = <T>(target: Target, work: (attempts: Attempts) => Promise<T>) => Promise<T>

/** In place of a key id that is not known yet. */
export function ofTenant(tenant: string): string {
  return `of tenant ${quoted(tenant)}`
}

export async function resolveKeyId(keyId: string | KeyIdOf, tenant: string): Promise<string> {
  if (typeof keyId === 'string') return keyId
  const unusable = (why: string, options?: { cause: unknown }) =>
    new FieldsealError(
      'KMS_KEY_UNUSABLE',
      `The keyId function of tencentKms ${why} for tenant ${quoted(tenant)}.`,
      options,
    )
  const answer: unknown = await Promise.resolve(tenant)
    .then(keyId)
    .catch((cause: unknown) => {
      throw unusable('failed', { cause })
    })
  if (!isKeyId(answer)) throw unusable('gave no key id')
  return answer
}

/** An answer that is not as it must be. */
export function refused({ action, keyId, subject }: Target, why: string): FieldsealError {
  const row = subject === 'value' ? 'row' : 'row of the keys table'
  return new FieldsealError(
    'KMS_REFUSED',
    `Tencent KMS, ${action} with key ${keyId}: the answer ${why}. Compare the ${row} with a backup, and ` +
      'check that nothing stands between this host and Tencent.',
  )
}
