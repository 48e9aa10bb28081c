import { FieldsealError } from '../errors.js'
import type { TencentKmsClient } from './tencentClient.js'

/** The id of the KEK for a tenant's DEKs. */
export type KeyIdOf = (tenant: string) => string | Promise<string>

/** Options of `tencentKms`. */
export interface TencentKmsOptions {
  /** The SDK's client, `new kms.v20190118.Client(…)`, with credentials and region. */
  readonly client: TencentKmsClient
  /** The id of the KEK (Tencent: CMK), or a function of the tenant. Only new DEKs ask for it, and values of fields with `mode: kms`. */
  readonly keyId: string | KeyIdOf
  /**
   * Ids of KEKs under which values of fields with `mode: kms` are still stored from before `keyId` was another one; none
   * unless given. DEKs need none: the keys table has their key ids.
   */
  readonly formerKeyIds?: readonly string[] | undefined
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
  if (!Array.isArray(formerKeyIds) || !formerKeyIds.every(isKeyId))
    throw invalid('formerKeyIds', 'must be a list of key ids')
  checkInteger({ timeout }, 1, MAX_MILLISECONDS)
  checkInteger({ attemptTimeout }, 1, MAX_MILLISECONDS)
  checkInteger({ maxRetries }, 0, 100)
  checkInteger({ concurrency }, 1, 10_000)
  if (attemptTimeout > timeout)
    throw invalid('attemptTimeout', `(${attemptTimeout}) is longer than timeout (${timeout})`)
  if (typeof sealed !== 'boolean') throw invalid('sealed', 'must be true or false')
  return { client, keyId, formerKeyIds, timeout, attemptTimeout, maxRetries, concurrency, sealed }
}

/** Whether a value can be a key id: text without blanks. */
export function isKeyId(value: unknown): value is string {
  return typeof value === 'string' && /^\S{1,256}$/.test(value)
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

function invalid(option: string, why: string): FieldsealError {
  return new FieldsealError('OPTIONS_INVALID', `The option "${option}" of tencentKms ${why}.`)
}
