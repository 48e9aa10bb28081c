import { encryptionContext } from '../../keys/encryptionContext.js'
import type { Kms } from '../../keys/kms.js'
import { ofTenant } from '../call/kekIds.js'
import { callsOf, type Target } from '../call/kmsCall.js'
import { advice } from './awsAdvice.js'
import { blobOf, readGenerated, readRewrapped, readUnwrapped, readWrapped } from './awsAnswers.js'
import { AWS_KMS } from './awsCall.js'
import { contextMap } from './awsClient.js'
import { classify } from './awsErrors.js'
import { type AwsKmsOptions, checkedOptions } from './awsOptions.js'
import { awsValues } from './awsValues.js'
import { ownKeyOf } from './ownKey.js'

export type { FormerKeyIdsOf, KeyIdOf } from '../call/kekIds.js'
export type {
  AwsKmsClient,
  AwsKmsCommands,
  AwsKmsMethods,
  AwsKmsSender,
  DecryptInput,
  EncryptInput,
  EncryptionContextMap,
  GenerateDataKeyInput,
  ReEncryptInput,
  SendOptions,
} from './awsClient.js'
export type { AwsErrorDetails } from './awsErrors.js'
export type { AwsKmsOptions } from './awsOptions.js'

/**
 * DEKs wrapped by AWS KMS, through the SDK client (v3) that you make. Each DEK is bound to its id, purpose and tenant by
 * the encryption context, and AWS is always told under which key it must be. Temporary failures are retried with growing,
 * random pauses from about 100 ms.
 *
 * @throws FieldsealError `OPTIONS_INVALID` for options that cannot work. Its methods throw `KMS_UNAVAILABLE`,
 * `KMS_THROTTLED`, `KMS_DENIED`, `KMS_KEY_UNUSABLE`, `KMS_REFUSED` and `TENANT_INVALID`; the `cause` holds AWS's `code`,
 * `requestId` and `httpCode`, as far as there are any.
 * @example
 * ```ts
 * import { KMS } from '@aws-sdk/client-kms'
 * import { awsKms } from 'fieldseal/aws-kms'
 *
 * const client = new KMS({ region: 'eu-central-1', maxAttempts: 1 })
 * const keyId = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'
 * const keys = awsKms({ client, keyId })
 * ```
 */
export function awsKms(options: AwsKmsOptions): Kms {
  const { send, kekIds, limits } = checkedOptions(options)
  const call = callsOf({ ...AWS_KMS, limits, several: kekIds.several, classify, advice })
  return {
    name: 'aws',
    concurrency: limits.concurrency,
    ...awsValues({ send, kekIds, call }),
    generate: async (identity) => {
      const EncryptionContext = contextMap(encryptionContext(identity))
      const target: Target = { action: 'GenerateDataKey', keyId: ofTenant(identity.tenant) }
      return call(target, async (attempts) => {
        target.keyId = await kekIds.current(identity.tenant)
        const input = { KeyId: target.keyId, KeySpec: 'AES_256', EncryptionContext } as const
        return attempts(async (signal) =>
          inTime(readGenerated(await send('GenerateDataKey', input, signal), target), signal),
        )
      })
    },
    unwrap: async ({ wrapped, kekId }, identity) => {
      const EncryptionContext = contextMap(encryptionContext(identity))
      const target: Target = { action: 'Decrypt', keyId: ofTenant(identity.tenant) }
      return call(target, async (attempts) => {
        target.keyId = await ownKeyOf(kekIds, { wrapped, kekId }, identity)
        const input = { KeyId: target.keyId, CiphertextBlob: blobOf(wrapped, target), EncryptionContext }
        return attempts(async (signal) => {
          const dek = readUnwrapped(await send('Decrypt', input, signal), target, kekId)
          return inTime({ dek }, signal).dek
        })
      })
    },
    wrap: async (dek, identity) => {
      const EncryptionContext = contextMap(encryptionContext(identity))
      const target: Target = { action: 'Encrypt', keyId: ofTenant(identity.tenant) }
      return call(target, async (attempts) => {
        const KeyId = await kekIds.current(identity.tenant)
        target.keyId = KeyId
        const input = { KeyId, Plaintext: dek, EncryptionContext }
        return attempts(async (signal) => readWrapped(await send('Encrypt', input, signal), target, KeyId))
      })
    },
    rewrap: async ({ wrapped, kekId }, identity) => {
      const context = contextMap(encryptionContext(identity))
      const contexts = { SourceEncryptionContext: context, DestinationEncryptionContext: context }
      const target: Target = { action: 'ReEncrypt', keyId: ofTenant(identity.tenant) }
      return call(target, async (attempts) => {
        target.keyId = await ownKeyOf(kekIds, { wrapped, kekId }, identity)
        const DestinationKeyId = await kekIds.current(identity.tenant)
        const keys = { SourceKeyId: target.keyId, DestinationKeyId }
        const input = { CiphertextBlob: blobOf(wrapped, target), ...keys, ...contexts }
        return attempts(async (signal) =>
          readRewrapped(await send('ReEncrypt', input, signal), target, { wrapped, kekId }, DestinationKeyId),
        )
      })
    },
  }
}

/** Nobody is there to zero a DEK that comes when the attempt was given up. */
function inTime<Answer extends { readonly dek: Buffer }>(answer: Answer, signal: AbortSignal): Answer {
  if (signal.aborted) answer.dek.fill(0)
  return answer
}
