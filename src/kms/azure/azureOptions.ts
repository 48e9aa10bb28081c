import { invalidOptionOf } from '../../invalidOptions.js'
import {
  CALL_OPTIONS,
  type CallLimits,
  type CallOptions,
  checkedCallOptions,
  checkOptionNames,
} from '../call/callOptions.js'
import { type FormerKeyIdsOf, KekIds, type KeyIdOf } from '../call/kekIds.js'
import { type AzureClientOf, AzureClients } from './azureClient.js'
import { isAzureKeyId } from './azureKey.js'

const ADAPTER = 'azureKms'

/** Options of `azureKms`. */
export interface AzureKmsOptions extends CallOptions {
  /**
   * Makes the SDK's client of a key: `(key) => new CryptographyClient(key, credential, { retryOptions: { maxRetries: 0 } })`.
   * It is asked once for each key and each version of a key in use. Give the SDK the whole `key`, not `key.id`: else it
   * reads the key first, which takes a request and another permission, and remembers its dates.
   */
  readonly client: AzureClientOf
  /**
   * The id of the KEK, an oct-HSM key of 256 bits, without a version (`https://HSM.managedhsm.azure.net/keys/NAME`), or a
   * function of the tenant; asked whenever the HSM is. The tenant `*` stands for keys that serve all tenants, such as those
   * of global blind indexes: answer a KEK of your own for it.
   */
  readonly keyId: string | KeyIdOf
  /**
   * Ids of KEKs under which DEKs, and values of fields with `mode: kms`, still are from before `keyId` was another one: a
   * list for all tenants, or a function of the tenant. None unless given. What is under any other KEK is refused. Older
   * versions of a key need not be told.
   */
  readonly formerKeyIds?: readonly string[] | FormerKeyIdsOf | undefined
}

/** The options with their defaults. */
export interface AzureSettings {
  readonly clients: AzureClients
  readonly kekIds: KekIds
  readonly limits: CallLimits
}

const NAMES = ['client', 'keyId', 'formerKeyIds', ...CALL_OPTIONS]
const KEY_ID_IS =
  'the id of an oct-HSM key in a Managed HSM, without its version and in lower case up to the path ' +
  '(https://HSM.managedhsm.azure.net/keys/NAME)'

/** @throws FieldsealError `OPTIONS_INVALID`, naming the option */
export function checkedOptions(options: AzureKmsOptions): AzureSettings {
  const { client, keyId, formerKeyIds } = options
  checkOptionNames(ADAPTER, options, NAMES)
  if (typeof client !== 'function')
    throw invalidOptionOf(ADAPTER)(
      'client',
      'must be a function, as a CryptographyClient is of one key: (key) => new CryptographyClient(key, credential)',
    )
  const kekIds = new KekIds({ adapter: ADAPTER, keyIdIs: KEY_ID_IS, keyId, formerKeyIds, isKeyId: isAzureKeyId })
  return { clients: new AzureClients(client), kekIds, limits: checkedCallOptions(ADAPTER, options) }
}
