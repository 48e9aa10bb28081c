import { invalidOptionOf } from '../../invalidOptions.js'
import type { TencentKmsClient } from './tencentClient.js'
import { type FormerKeyIdsOf, isKeyId, isKeyIdList, type KeyIdOf } from './tencentKeyIds.js'

const invalid = invalidOptionOf('tencentKms')

/** Options of `tencentKms`. */
export interface TencentKmsOptions {
  /** The SDK's client, `new kms.v20190118.Client(…)`, with credentials and region. */
  readonly client: TencentKmsClient
  /**
   * The id (no alias) of the KEK (Tencent: CMK), or a function of the tenant; asked whenever the KMS is. The tenant `*`
   * stands for keys that serve all tenants, such as those of global blind indexes: answer a KEK of your own for it.
   */
  readonly keyId: string | KeyIdOf
  /**
   * Ids of KEKs under which DEKs, and values of fields with `mode: kms`, still are from before `keyId` was another one: a
   * list for all tenants, or a function of the tenant. None unless given. What is under any other KEK is refused.
   */
  readonly formerKeyIds?: readonly string[] | FormerKeyIdsOf | undefined
  /** Milliseconds for a whole call, its retries and its waiting included; 10,000 unless given. */
  readonly timeout?: number | undefined
  /** Milliseconds for one attempt; 3,000, or `timeout` if that is shorter, unless given. */
  readonly attemptTimeout?: number | undefined
  /** Retries after the first attempt; 5 unless given, 0 for none. */
  readonly maxRetries?: number | undefined
  /** Requests in flight at once, over all calls; more of them wait. 20 unless given. */
  readonly concurrency?: number | undefined
  /**
   * Has Tencent encrypt DEKs to a key of this process on their way here (RSA-OAEP-SHA-256), so that none of them is ever a
   * JavaScript string, or seen by a proxy that ends the TLS connection. `false` unless given: it has not been tried
   * against the real service yet.
   */
  readonly sealed?: boolean | undefined
}

/** The options with their defaults. */
export type CheckedOptions = { readonly [Name in keyof TencentKmsOptions]-?: NonNullable<TencentKmsOptions[Name]> }

const MAX_MILLISECONDS = 2 ** 31 - 1
const NAMES = ['client', 'keyId', 'formerKeyIds', 'timeout', 'attemptTimeout', 'maxRetries', 'concurrency', 'sealed']

/** @throws FieldsealError `OPTIONS_INVALID`, naming the option */
export function checkedOptions(options: TencentKmsOptions): CheckedOptions {
  const { client, keyId, timeout = 10_000, maxRetries = 5, concurrency = 20, sealed = false } = options
  const { attemptTimeout = Math.min(3_000, timeout), formerKeyIds = [] } = options
  const unknown = Object.keys(options).find((name) => !NAMES.includes(name))
  if (unknown !== undefined) throw invalid(unknown, `does not exist; there are ${NAMES.join(', ')}`)
  checkClient(client)
  if (typeof keyId !== 'function' && !isKeyId(keyId)) {
    throw invalid('keyId', 'must be the id of a key in Tencent KMS, or a function of the tenant that gives one')
  }
  if (typeof formerKeyIds !== 'function' && !isKeyIdList(formerKeyIds))
    throw invalid('formerKeyIds', 'must be a list of key ids, or a function of the tenant that gives one')
  checkInteger({ timeout }, 1, MAX_MILLISECONDS)
  checkInteger({ attemptTimeout }, 1, MAX_MILLISECONDS)
  checkInteger({ maxRetries }, 0, 100)
  checkInteger({ concurrency }, 1, 10_000)
  if (attemptTimeout > timeout)
    throw invalid('attemptTimeout', `(${attemptTimeout}) is longer than timeout (${timeout})`)
  if (typeof sealed !== 'boolean') throw invalid('sealed', 'must be true or false')
  return { client, keyId, formerKeyIds, timeout, attemptTimeout, maxRetries, concurrency, sealed }
}

function checkClient(client: TencentKmsClient | undefined): void {
  if (typeof client?.GenerateDataKey === 'function' && typeof client.Decrypt === 'function') return
  throw invalid('client', 'must be a kms.v20190118.Client of tencentcloud-sdk-nodejs-kms')
}

function checkInteger(option: { readonly [name: string]: number }, min: number, max: number): void {
  for (const [name, value] of Object.entries(option)) {
    const fits = Number.isInteger(value) && value >= min && value <= max
    if (!fits) throw invalid(name, `must be a whole number from ${min} to ${max}`)
  }
}
