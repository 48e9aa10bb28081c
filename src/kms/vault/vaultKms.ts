import { DEK_BYTES } from '../../crypto/keys.js'
import { FieldsealError, quoted } from '../../errors.js'
import { encryptionContext } from '../../keys/encryptionContext.js'
import type { DekIdentity, Kms, WrappedDek } from '../../keys/kms.js'
import { ofTenant } from '../call/kekIds.js'
import { callsOf, type Target } from '../call/kmsCall.js'
import { decodeKey } from '../strictDecode.js'
import { MAX_ITEMS } from './batches.js'
import { callRefused, readCiphertext, SERVICE, Transit, type TransitResult } from './transit.js'
import { readyOf, TransitKeys } from './transitKeys.js'
import { readTransitText, type TransitText } from './transitText.js'
import { classify } from './vaultClient.js'
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
  const call = callsOf({ ...SERVICE, limits, classify, advice: (failure, target) => advice(failure, target, ids) })
  const send = requestsOf({ client, tokens, longestPause: Math.floor(limits.attemptTimeout / 2) })
  const transit = new Transit({ call, send, ids })
  const keys = new TransitKeys({ call, send, ids })
  const ready = readyOf(call, keys)
  const current = ({ tenant }: { readonly tenant: string }, target: Target) =>
    ready(target, () => kekIds.current(tenant))
  const own = (wrapped: WrappedDek, identity: DekIdentity, target: Target) =>
    ready(target, async () => {
      await kekIds.expectOwn(wrapped, identity)
      return wrapped.kekId
    })
  const unwrap = async (wrapped: WrappedDek, context: string) => {
    const target: Target = { action: 'decrypt', keyId: wrapped.kekId }
    const item = { context, ciphertext: textOf(wrapped, target).text }
    return readDek(await transit.ask('decrypt', target, item), target)
  }
  const wrap = async (dek: Buffer, context: string, target: Target) => {
    const item = { context, plaintext: dek.toString('base64') }
    const { text } = readCiphertext(await transit.ask('encrypt', target, item), target, DEK_BYTES)
    return { wrapped: text, kekId: target.keyId }
  }
  return {
    name: 'vault',
    concurrency: limits.concurrency * MAX_ITEMS,
    ...vaultValues({ transit, kekIds, ready }),
    generate: async (identity) => {
      const context = contextOf(identity)
      const target: Target = { action: 'datakey/plaintext', keyId: ofTenant(identity.tenant) }
      target.keyId = await current(identity, target)
      const answer = await transit.dataKey(target, context)
      const { text: wrapped } = readCiphertext(answer, target, DEK_BYTES)
      return { dek: readDek(answer, target), wrapped, kekId: target.keyId }
    },
    unwrap: async (wrapped, identity) => {
      const context = contextOf(identity)
      await own(wrapped, identity, { action: 'decrypt', keyId: wrapped.kekId })
      return unwrap(wrapped, context)
    },
    wrap: async (dek, identity) => {
      const context = contextOf(identity)
      const target: Target = { action: 'encrypt', keyId: ofTenant(identity.tenant) }
      target.keyId = await current(identity, target)
      return wrap(dek, context, target)
    },
    rewrap: async (wrapped, identity) => {
      const context = contextOf(identity)
      const target: Target = { action: 'rewrap', keyId: wrapped.kekId }
      await own(wrapped, identity, target)
      const destination = await current(identity, target)
      if (destination !== wrapped.kekId) {
        // Vault rewraps under the same key only, so the DEK comes here on its way to another one.
        const dek = await unwrap(wrapped, context)
        return wrap(dek, context, { action: 'encrypt', keyId: destination }).finally(() => dek.fill(0))
      }
      const given = textOf(wrapped, target)
      const item = { context, ciphertext: given.text }
      const newest = readCiphertext(await transit.ask('rewrap', target, item), target, DEK_BYTES)
      return newest.version > given.version ? { wrapped: newest.text, kekId: wrapped.kekId } : wrapped
    },
    close: () => tokens.close(),
  }
}

function contextOf(identity: DekIdentity): string {
  return Buffer.from(encryptionContext(identity)).toString('base64')
}

/** Vault takes more than it gives: what it did not give is refused here. */
function textOf({ wrapped, kekId }: WrappedDek, { action }: Target): TransitText {
  const text = readTransitText(wrapped)
  if (text) return text
  throw new FieldsealError(
    'KMS_REFUSED',
    `Vault, ${action} with key ${quoted(kekId)}: the wrapped DEK is not of the form vault:v<version>:<base64>. Compare its ` +
      'row of the keys table with a backup.',
  )
}

function readDek({ plaintext }: TransitResult, target: Target): Buffer {
  const dek = decodeKey(plaintext, 'base64')
  if (dek?.length === DEK_BYTES) return dek
  dek?.fill(0)
  throw callRefused(target, 'does not hold a DEK of 32 bytes')
}
