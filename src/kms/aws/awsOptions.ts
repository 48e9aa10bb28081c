import { FieldsealError, quoted } from '../../errors.js'
import { invalidOptionOf } from '../../invalidOptions.js'
import {
  CALL_OPTIONS,
  type CallLimits,
  type CallOptions,
  checkedCallOptions,
  checkOptionNames,
} from '../call/callOptions.js'
import { type FormerKeyIdsOf, KekIds, type KeyIdOf } from '../call/kekIds.js'
import { type AwsKmsClient, type AwsKmsCommands, hasMethods, type Send, senderOf } from './awsClient.js'
import { isAlias, isKeyIdentifier, NO_ALIAS } from './keyIdentifier.js'

const ADAPTER = 'awsKms'
const invalid = invalidOptionOf(ADAPTER)

/** Options of `awsKms`. */
export interface AwsKmsOptions extends CallOptions {
  /**
   * The SDK's client, with credentials and region: `new KMS(…)` of @aws-sdk/client-kms. A `KMSClient` will do, together
   * with the option `commands`. Give it `maxAttempts: 1`: this library retries itself, within one deadline.
   */
  readonly client: AwsKmsClient
  /** The SDK's command classes, where `client` is a `KMSClient`: `import * as commands from '@aws-sdk/client-kms'`. */
  readonly commands?: AwsKmsCommands | undefined
  /**
   * The id or the ARN (no alias) of the KEK, or a function of the tenant; asked whenever the KMS is. An id alone is of the
   * client's account and region. The tenant `*` stands for keys that serve all tenants, such as those of global blind
   * indexes: answer a KEK of your own for it.
   */
  readonly keyId: string | KeyIdOf
  /**
   * Ids or ARNs of KEKs under which DEKs, and values of fields with `mode: kms`, still are from before `keyId` was another
   * one: a list for all tenants, or a function of the tenant. None unless given. What is under any other KEK is refused.
   */
  readonly formerKeyIds?: readonly string[] | FormerKeyIdsOf | undefined
}

/** The options with their defaults. */
export interface AwsSettings {
  readonly send: Send
  readonly kekIds: KekIds
  readonly limits: CallLimits
}

const NAMES = ['client', 'commands', 'keyId', 'formerKeyIds', ...CALL_OPTIONS]

/** @throws FieldsealError `OPTIONS_INVALID`, naming the option */
export function checkedOptions(options: AwsKmsOptions): AwsSettings {
  const { client, commands, keyId, formerKeyIds = [] } = options
  checkOptionNames(ADAPTER, options, NAMES)
  checkClient(client, commands)
  if (isAlias(keyId)) throw invalid('keyId', `is an alias: ${NO_ALIAS}`)
  if (Array.isArray(formerKeyIds) && formerKeyIds.some(isAlias))
    throw invalid('formerKeyIds', `has an alias: ${NO_ALIAS}`)
  const kekIds = new KekIds({
    adapter: ADAPTER,
    keyIdIs: 'the id or the ARN of a key in AWS KMS',
    keyId: typeof keyId === 'function' ? withoutAlias('keyId', keyId) : keyId,
    formerKeyIds: typeof formerKeyIds === 'function' ? withoutAlias('formerKeyIds', formerKeyIds) : formerKeyIds,
    isKeyId: isKeyIdentifier,
  })
  return { send: senderOf(client, commands), kekIds, limits: checkedCallOptions(ADAPTER, options) }
}

function checkClient(client: AwsKmsClient | undefined, commands: AwsKmsCommands | undefined): void {
  const members = (client ?? {}) as { readonly [name: string]: unknown }
  if (typeof members.makeRequest === 'function')
    throw invalid('client', 'is of the SDK v2, which cannot be aborted: give a KMS of @aws-sdk/client-kms')
  if (client && hasMethods(client) && typeof client.decrypt === 'function') return
  if (typeof members.send !== 'function') throw invalid('client', 'must be a KMS of @aws-sdk/client-kms')
  if (typeof commands?.GenerateDataKeyCommand === 'function' && typeof commands.DecryptCommand === 'function') return
  throw invalid(
    'client',
    'is a KMSClient, whose commands this library does not import: give a KMS instead, which takes the same options, or ' +
      'the option "commands" as well (import * as commands from "@aws-sdk/client-kms")',
  )
}

/** The function, refusing aliases with the reason. */
function withoutAlias<T extends string | readonly string[]>(
  option: string,
  given: (tenant: string) => T | Promise<T>,
): (tenant: string) => Promise<T> {
  return async (tenant) => {
    const answer = (await given(tenant)) as T
    const names: readonly unknown[] = Array.isArray(answer) ? answer : [answer]
    if (!names.some(isAlias)) return answer
    const message = `The ${option} function of ${ADAPTER} gave an alias for tenant ${quoted(tenant)}: ${NO_ALIAS}.`
    throw new FieldsealError('KMS_KEY_UNUSABLE', message)
  }
}
