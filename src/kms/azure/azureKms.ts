import { DEK_BYTES } from '../../crypto/keys.js'
import { FieldsealError } from '../../errors.js'
import { encryptionContext } from '../../keys/encryptionContext.js'
import type { DekIdentity, Kms, WrappedDek } from '../../keys/kms.js'
import { ofTenant } from '../call/kekIds.js'
import { callsOf, type Target } from '../call/kmsCall.js'
import { madeHere } from '../call/madeHere.js'
import { AZURE, AzureCipher } from './azureCipher.js'
import { advice, classify } from './azureErrors.js'
import { checkValueOf, kekIdOf, versionOf } from './azureKey.js'
import { type AzureKmsOptions, checkedOptions } from './azureOptions.js'
import { readSealedText, sealedText } from './azureText.js'
import { azureValues } from './azureValues.js'

export type { FormerKeyIdsOf, KeyIdOf } from '../call/kekIds.js'
export type {
  AzureClientOf,
  AzureCryptographyClient,
  AzureDecryptParameters,
  AzureEncryptParameters,
  AzureOperationOptions,
  AzureResponse,
} from './azureClient.js'
export type { AzureErrorDetails } from './azureErrors.js'
export type { AzureKey } from './azureKey.js'
export type { AzureKmsOptions } from './azureOptions.js'

/**
 * DEKs wrapped by a symmetric key of Azure Key Vault Managed HSM (A256GCM), through `CryptographyClient`s of
 * `@azure/keyvault-keys` that you make. DEKs are made here and encrypted there; each is bound to its id, purpose and tenant
 * by the encryption context. RSA and EC keys and AES key wrap are refused: they authenticate nothing. Temporary failures
 * are retried with growing, random pauses from about 100 ms.
 *
 * @throws FieldsealError `OPTIONS_INVALID` for options that cannot work. Its methods throw `KMS_UNAVAILABLE`,
 * `KMS_THROTTLED`, `KMS_DENIED`, `KMS_KEY_UNUSABLE`, `KMS_REFUSED` and `TENANT_INVALID`, and `OPTIONS_INVALID` for a
 * `client` function that gives no client of the key at the service; the `cause` holds Azure's `code`, `requestId` and
 * `httpCode`, as far as there are any.
 * @example
 * ```ts
 * import type { TokenCredential } from '@azure/core-auth'
 * import { CryptographyClient } from '@azure/keyvault-keys'
 * import { azureKms } from 'fieldseal/azure-kms'
 *
 * declare const credential: TokenCredential // new DefaultAzureCredential() of @azure/identity
 *
 * const keys = azureKms({
 *   client: (key) => new CryptographyClient(key, credential, { retryOptions: { maxRetries: 0 } }),
 *   keyId: 'https://contoso.managedhsm.azure.net/keys/fieldseal',
 * })
 * ```
 */
export function azureKms(options: AzureKmsOptions): Kms {
  const { clients, kekIds, limits } = checkedOptions(options)
  const call = callsOf({ ...AZURE, limits, several: kekIds.several, classify, advice })
  const cipher = new AzureCipher(clients, limits.maxRetries === 0 ? 0 : limits.attemptTimeout / 2)
  const wrap = async (dek: Buffer, identity: DekIdentity): Promise<WrappedDek> => {
    const context = encryptionContext(identity)
    const target: Target = { action: 'encrypt', keyId: ofTenant(identity.tenant) }
    return call(target, async (attempts) => {
      target.keyId = await kekIds.current(identity.tenant)
      return attempts(async (signal) => {
        const { sealed, ...under } = await cipher.encrypt(dek, context, target, signal)
        return { wrapped: sealedText(under, sealed), kekId: kekIdOf(under) }
      })
    })
  }
  const unwrap = async ({ wrapped, kekId }: WrappedDek, identity: DekIdentity): Promise<Buffer> => {
    const context = encryptionContext(identity)
    const target: Target = { action: 'decrypt', keyId: ofTenant(identity.tenant) }
    return call(target, async (attempts) => {
      const { keyId, version } = versionOf(kekId)
      await kekIds.expectOwn({ wrapped, kekId: keyId }, identity)
      target.keyId = kekId
      const text = readSealedText(wrapped)
      const fits = text?.version === version && text.check === checkValueOf({ keyId, version })
      if (!fits || text.ciphertext.length !== DEK_BYTES) throw notTogether(kekId)
      return attempts((signal) => cipher.decrypt(text, keyId, context, target, signal))
    })
  }
  return {
    name: 'azure',
    concurrency: limits.concurrency,
    ...azureValues({ cipher, kekIds, call }),
    generate: (identity) => madeHere((dek) => wrap(dek, identity)),
    unwrap,
    wrap,
    /** The service has no operation for it: the DEK comes here, and goes there again. */
    rewrap: async (wrapped, identity) => {
      const dek = await unwrap(wrapped, identity)
      try {
        const next = await wrap(dek, identity)
        return next.kekId === wrapped.kekId ? wrapped : next
      } finally {
        dek.fill(0)
      }
    },
  }
}

/** Before any request. */
function notTogether(kekId: string): FieldsealError {
  return new FieldsealError(
    'KMS_REFUSED',
    `Azure Managed HSM, decrypt with key ${kekId}: no request was sent: the wrapped DEK is none that azureKms made under this ` +
      'version of the key. Compare its row of the keys table with a backup.',
  )
}
