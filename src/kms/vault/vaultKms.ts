import type { Kms } from '../../keys/kms.js'
import { type CallsOptions, callsOf } from '../call/kmsCall.js'
import { MAX_ITEMS } from './batches.js'
import { SERVICE, Transit } from './transit.js'
import { beginOf, readyOf, TransitKeys } from './transitKeys.js'
import { classify } from './vaultClient.js'
import { VaultDeks } from './vaultDeks.js'
import { advice } from './vaultErrors.js'
import { checkedOptions, type VaultKmsOptions } from './vaultOptions.js'
import { requestsOf } from './vaultRequests.js'
import { vaultValues } from './vaultValues.js'

export type { CallErrorDetails as VaultErrorDetails } from '../call/callFailure.js'
export type { FormerKeyIdsOf, KeyIdOf } from '../call/kekIds.js'
export type { Fetch } from './httpClient.js'
export { type AppRoleOptions, appRoleLogin, type KubernetesOptions, kubernetesLogin } from './tokens/logins.js'
export type { VaultLogin, VaultLoginFunction, VaultLoginRequests } from './tokens/loginTokens.js'
export type { NodeVaultClient } from './vaultClient.js'
export type { VaultKmsOptions } from './vaultOptions.js'

/** A `Kms` over Vault, with a token to look after. */
export interface VaultKms extends Kms {
  /** Ends the renewal of the token. No process waits for it. */
  close(): void
}

/**
 * DEKs wrapped by the transit engine of HashiCorp Vault or OpenBao. Each DEK is bound to its id, purpose and tenant by the
 * encryption context, from which the key is derived that wraps it. What is asked at the same time goes together: many cold
 * tenants cost one request per hundred. Temporary failures are retried with growing, random pauses from about 100 ms.
 *
 * @throws FieldsealError `OPTIONS_INVALID` for options that cannot work. Its methods throw `KMS_UNAVAILABLE`,
 * `KMS_THROTTLED`, `KMS_DENIED`, `KMS_KEY_UNUSABLE` (also for a transit key that is not derived, or can be read out of
 * Vault), `KMS_REFUSED` and `TENANT_INVALID`; the `cause` holds the known piece of Vault's message as `code`, and
 * `httpCode`, as far as there are any.
 * @example
 * ```ts
 * import { appRoleLogin, vaultKms } from 'fieldseal/vault'
 *
 * const { VAULT_ADDR: address = '', VAULT_ROLE_ID: roleId = '', VAULT_SECRET_ID: secretId = '' } = process.env
 * const keys = vaultKms({ address, login: appRoleLogin({ roleId, secretId }), keyId: 'fieldseal' })
 * ```
 */
export function vaultKms(options: VaultKmsOptions): VaultKms {
  const { client, tokens, ids, kekIds, limits } = checkedOptions(options)
  const { several } = kekIds
  const onFailure: CallsOptions['advice'] = (failure, target) => advice(failure, target, ids)
  const call = callsOf({ ...SERVICE, limits, several, classify, advice: onFailure })
  const send = requestsOf({ client, tokens, longestPause: Math.floor(limits.attemptTimeout / 2) })
  const transit = new Transit({ call, send, ids })
  const keys = new TransitKeys({ call, send, ids })
  const parts = { transit, kekIds, ready: readyOf(call, keys), begin: beginOf(limits) }
  const deks = new VaultDeks(parts)
  return {
    name: 'vault',
    concurrency: limits.concurrency * MAX_ITEMS,
    generate: (identity) => deks.generate(identity),
    unwrap: (wrapped, identity) => deks.unwrap(wrapped, identity),
    wrap: (dek, identity) => deks.wrap(dek, identity),
    rewrap: (wrapped, identity) => deks.rewrap(wrapped, identity),
    ...vaultValues(parts),
    close: () => tokens.close(),
  }
}
