import { invalidOptionOf } from '../../invalidOptions.js'
import {
  CALL_OPTIONS,
  type CallLimits,
  type CallOptions,
  checkedCallOptions,
  checkOptionNames,
} from '../call/callOptions.js'
import { type FormerKeyIdsOf, KekIds, type KeyIdOf } from '../call/kekIds.js'
import { isCryptoKeyName } from './cryptoKeyName.js'
import type { GoogleKmsClient } from './googleClient.js'

const ADAPTER = 'googleKms'
const invalid = invalidOptionOf(ADAPTER)

/** Options of `googleKms`. */
export interface GoogleKmsOptions extends CallOptions {
  /** The SDK's client, `new KeyManagementServiceClient(…)`, with its credentials. */
  readonly client: GoogleKmsClient
  /**
   * The resource name of the KEK, `projects/…/locations/…/keyRings/…/cryptoKeys/…`, without a version, or a function of the
   * tenant; asked whenever the KMS is. The tenant `*` stands for keys that serve all tenants, such as those of global blind
   * indexes: answer a KEK of your own for it.
   */
  readonly keyId: string | KeyIdOf
  /**
   * Resource names of KEKs under which DEKs, and values of fields with `mode: kms`, still are from before `keyId` was another
   * one: a list for all tenants, or a function of the tenant. None unless given. What is under any other KEK is refused.
   */
  readonly formerKeyIds?: readonly string[] | FormerKeyIdsOf | undefined
}

/** The options with their defaults. */
export interface GoogleSettings {
  readonly client: GoogleKmsClient
  readonly kekIds: KekIds
  readonly limits: CallLimits
}

const NAMES = ['client', 'keyId', 'formerKeyIds', ...CALL_OPTIONS]
const KEY_ID_IS = 'the resource name of a key without a version, projects/…/locations/…/keyRings/…/cryptoKeys/…'

/** @throws FieldsealError `OPTIONS_INVALID`, naming the option */
export function checkedOptions(options: GoogleKmsOptions): GoogleSettings {
  const { client, keyId, formerKeyIds } = options
  checkOptionNames(ADAPTER, options, NAMES)
  checkClient(client)
  const isKeyId = isCryptoKeyName
  const kekIds = new KekIds({ adapter: ADAPTER, keyIdIs: KEY_ID_IS, keyId, formerKeyIds, isKeyId })
  return { client, kekIds, limits: checkedCallOptions(ADAPTER, options) }
}

function checkClient(client: GoogleKmsClient | undefined): void {
  if (typeof client?.encrypt !== 'function' || typeof client.decrypt !== 'function')
    throw invalid('client', 'must be a KeyManagementServiceClient of @google-cloud/kms')
  if (!isLogged(process.env.GOOGLE_SDK_NODE_LOGGING)) return
  throw invalid(
    'client',
    'logs every DEK, because the environment has GOOGLE_SDK_NODE_LOGGING: take it out, or leave "kms" out of its list',
  )
}

/** Whether the SDK prints requests and answers of KMS, keys included: its list has names, `*` in them for anything. */
function isLogged(names: string | undefined): boolean {
  if (!names) return false
  if (names === 'all' || names === 'true') return true
  return names.split(',').some((name) => wildcard(name.toLowerCase()).test('kms'))
}

function wildcard(name: string): RegExp {
  const literal = name.replace(/[|\\{}()[\]^$+?.]/g, '\\$&')
  return new RegExp(`^${literal.replaceAll('*', '.*')}$`)
}
