import { DEK_BYTES } from '../../crypto/keys.js'
import { decodeBytes } from '../../crypto/strictDecode.js'
import { FieldsealError } from '../../errors.js'
import { encryptionContext } from '../../keys/encryptionContext.js'
import type { DekIdentity, Kms, WrappedDek } from '../../keys/kms.js'
import { ofTenant } from '../call/kekIds.js'
import { callsOf, type Target } from '../call/kmsCall.js'
import { madeHere } from '../call/madeHere.js'
import { cryptoKeyOfVersion } from './cryptoKeyName.js'
import { callRefused, type Decrypted, GOOGLE_KMS, GoogleCrypto, type Sending } from './googleCall.js'
import { advice, classify } from './googleErrors.js'
import { checkedOptions, type GoogleKmsOptions } from './googleOptions.js'
import { googleValues } from './googleValues.js'

export type { FormerKeyIdsOf, KeyIdOf } from '../call/kekIds.js'
export type { Crc32c, DecryptRequest, EncryptRequest, GoogleCallOptions, GoogleKmsClient } from './googleClient.js'
export type { GoogleErrorDetails } from './googleErrors.js'
export type { GoogleKmsOptions } from './googleOptions.js'

/** Far more than a wrapped DEK has. */
const MOST_WRAPPED_BYTES = 4096

/**
 * DEKs wrapped by Google Cloud KMS (API v1, keys of the purpose `ENCRYPT_DECRYPT`), through the SDK client that you make.
 * Google has no call that makes a data key: DEKs are random bytes of this process, and `Encrypt` wraps them. Each is bound
 * to its id, purpose and tenant by the encryption context, which is Google's additional authenticated data. The `kekId` of a
 * wrapped DEK is the resource name of the key version that wraps it. Temporary failures are retried with growing, random
 * pauses from about 100 ms.
 *
 * `rewrap` is `Decrypt` and `Encrypt`, as Google has no call for both: the DEK is in this process for a moment.
 *
 * @throws FieldsealError `OPTIONS_INVALID` for options that cannot work, and where the SDK is set to log keys. Its methods
 * throw `KMS_UNAVAILABLE`, `KMS_THROTTLED`, `KMS_DENIED`, `KMS_KEY_UNUSABLE`, `KMS_REFUSED` and `TENANT_INVALID`; the `cause`
 * holds the `code` of gRPC and Google's `reason`, as far as there are any.
 * @example
 * ```ts
 * import { KeyManagementServiceClient } from '@google-cloud/kms'
 * import { googleKms } from 'fieldseal/google-kms'
 *
 * const client = new KeyManagementServiceClient()
 * const keyId = client.cryptoKeyPath('my-project', 'europe-west3', 'fieldseal', 'deks')
 * const keys = googleKms({ client, keyId })
 * ```
 */
export function googleKms(options: GoogleKmsOptions): Kms {
  const { client, kekIds, limits } = checkedOptions(options)
  const call = callsOf({ ...GOOGLE_KMS, limits, several: kekIds.several, classify, advice })
  const crypto = new GoogleCrypto(client, limits.attemptTimeout)
  const wrap = async (dek: Buffer, identity: DekIdentity) => {
    const context = encryptionContext(identity)
    const target: Target = { action: 'Encrypt', keyId: ofTenant(identity.tenant) }
    return call(target, async (attempts) => {
      target.keyId = await kekIds.current(identity.tenant)
      return wrapDek(crypto, dek, { target, attempts, context })
    })
  }
  const ownKeyOf = async (row: WrappedDek, identity: DekIdentity) => {
    const kekId = keyOf(row)
    await kekIds.expectOwn({ ...row, kekId }, identity)
    return kekId
  }
  return {
    name: 'google',
    concurrency: limits.concurrency,
    ...googleValues({ crypto, kekIds, call }),
    generate: (identity) => madeHere((dek) => wrap(dek, identity)),
    unwrap: async (row, identity) => {
      const context = encryptionContext(identity)
      const target: Target = { action: 'Decrypt', keyId: ofTenant(identity.tenant) }
      return call(target, async (attempts) => {
        target.keyId = await ownKeyOf(row, identity)
        return (await unwrapDek(crypto, row, { target, attempts, context })).plaintext
      })
    },
    wrap,
    rewrap: async (row, identity) => {
      const context = encryptionContext(identity)
      const target: Target = { action: 'Decrypt', keyId: ofTenant(identity.tenant) }
      return call(target, async (attempts) => {
        target.keyId = await ownKeyOf(row, identity)
        const keyId = await kekIds.current(identity.tenant)
        const { plaintext: dek, usedPrimary } = await unwrapDek(crypto, row, { target, attempts, context })
        try {
          if (usedPrimary && keyId === target.keyId) return row
          Object.assign(target, { action: 'Encrypt', keyId })
          return await wrapDek(crypto, dek, { target, attempts, context })
        } finally {
          dek.fill(0)
        }
      })
    },
  }
}

/** The key alone: its version is the service's to find, and what the row says of it is believed in nothing. */
function keyOf({ kekId }: WrappedDek): string {
  return cryptoKeyOfVersion(kekId) ?? kekId
}

async function wrapDek(crypto: GoogleCrypto, dek: Buffer, sending: Sending): Promise<WrappedDek> {
  const { version, ciphertext } = await crypto.encrypt(dek, sending)
  return { wrapped: ciphertext.toString('base64'), kekId: version }
}

async function unwrapDek(crypto: GoogleCrypto, { wrapped }: WrappedDek, sending: Sending): Promise<Decrypted> {
  const ciphertext = decodeBytes(wrapped, MOST_WRAPPED_BYTES)
  if (!ciphertext) throw notGoogles()
  const decrypted = await crypto.decrypt(ciphertext, sending)
  if (decrypted.plaintext.length === DEK_BYTES) return decrypted
  decrypted.plaintext.fill(0)
  throw callRefused(sending.target, 'does not hold a DEK of 32 bytes')
}

function notGoogles(): FieldsealError {
  const message =
    'The wrapped DEK is no ciphertext of Google Cloud KMS: compare its row of the keys table with a backup.'
  return new FieldsealError('KMS_REFUSED', message)
}
