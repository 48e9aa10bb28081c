import { invalidOptionOf } from '../../invalidOptions.js'
import {
  CALL_OPTIONS,
  type CallLimits,
  type CallOptions,
  checkedCallOptions,
  checkOptionNames,
} from '../call/callOptions.js'
import { type FormerKeyIdsOf, KekIds, type KeyIdOf } from '../call/kekIds.js'
import type { TencentKmsClient } from './tencentClient.js'

const ADAPTER = 'tencentKms'
const invalid = invalidOptionOf(ADAPTER)

/** Options of `tencentKms`. */
export interface TencentKmsOptions extends CallOptions {
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
  /**
   * Has Tencent encrypt DEKs to a key of this process on their way here (RSA-OAEP-SHA-256), so that none of them is ever a
   * JavaScript string, or seen by a proxy that ends the TLS connection. `false` unless given: it has not been tried
   * against the real service yet.
   */
  readonly sealed?: boolean | undefined
}

/** The options with their defaults. */
export interface TencentSettings {
  readonly client: TencentKmsClient
  readonly kekIds: KekIds
  readonly limits: CallLimits
  readonly sealed: boolean
}

const NAMES = ['client', 'keyId', 'formerKeyIds', ...CALL_OPTIONS, 'sealed']

/** @throws FieldsealError `OPTIONS_INVALID`, naming the option */
export function checkedOptions(options: TencentKmsOptions): TencentSettings {
  const { client, keyId, formerKeyIds, sealed = false } = options
  checkOptionNames(ADAPTER, options, NAMES)
  checkClient(client)
  const kekIds = new KekIds({ adapter: ADAPTER, keyIdIs: 'the id of a key in Tencent KMS', keyId, formerKeyIds })
  const limits = checkedCallOptions(ADAPTER, options)
  if (typeof sealed !== 'boolean') throw invalid('sealed', 'must be true or false')
  return { client, kekIds, limits, sealed }
}

function checkClient(client: TencentKmsClient | undefined): void {
  if (typeof client?.GenerateDataKey === 'function' && typeof client.Decrypt === 'function') return
  throw invalid('client', 'must be a kms.v20190118.Client of tencentcloud-sdk-nodejs-kms')
}
