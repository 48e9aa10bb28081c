import { DEK_BYTES } from '../../crypto/keys.js'
import { decodeKey } from '../../crypto/strictDecode.js'
import { FieldsealError } from '../../errors.js'
import { encryptionContext } from '../../keys/encryptionContext.js'
import type { GeneratedDek, Kms, WrappedDek } from '../../keys/kms.js'
import { isKeyId, named, ofTenant } from '../call/kekIds.js'
import { callsOf, type Target } from '../call/kmsCall.js'
import { type SealedTransport, sealedTransport } from './sealedTransport.js'
import { callRefused, TENCENT_KMS } from './tencentCall.js'
import { send, type TencentAnswer } from './tencentClient.js'
import { advice, classify } from './tencentErrors.js'
import { checkedOptions, type TencentKmsOptions } from './tencentOptions.js'
import { tencentValues } from './tencentValues.js'

export type { FormerKeyIdsOf, KeyIdOf } from '../call/kekIds.js'
export { type CredentialProvider, type FreshCredentialsOptions, freshCredentials } from './freshCredentials.js'
export type {
  DecryptRequest,
  EncryptRequest,
  GenerateDataKeyRequest,
  ReEncryptRequest,
  TencentKmsClient,
} from './tencentClient.js'
export type { TencentErrorDetails } from './tencentErrors.js'
export type { TencentKmsOptions } from './tencentOptions.js'

/**
 * DEKs wrapped by Tencent Cloud KMS (API 2019-01-18), through the SDK client that you make. Each DEK is bound to its
 * id, purpose and tenant by the encryption context. Temporary failures are retried with growing, random pauses from
 * about 100 ms.
 *
 * @throws FieldsealError `OPTIONS_INVALID` for options that cannot work. Its methods throw `KMS_UNAVAILABLE`,
 * `KMS_THROTTLED`, `KMS_DENIED`, `KMS_KEY_UNUSABLE`, `KMS_REFUSED` and `TENANT_INVALID`; the `cause` holds Tencent's
 * `code`, `requestId` and `httpCode`, as far as there are any.
 * @example
 * ```ts
 * import { kms } from 'tencentcloud-sdk-nodejs-kms'
 * import { tencentKms } from 'fieldseal/tencent-kms'
 *
 * const { TENCENTCLOUD_SECRET_ID: secretId = '', TENCENTCLOUD_SECRET_KEY: secretKey = '' } = process.env
 * const client = new kms.v20190118.Client({ credential: { secretId, secretKey }, region: 'ap-guangzhou' })
 * const keys = tencentKms({ client, keyId: '7b1bd7cb-5d5e-11ef-9d2e-5254005cbf2d' })
 * ```
 */
export function tencentKms(options: TencentKmsOptions): Kms {
  const { client, kekIds, limits, sealed } = checkedOptions(options)
  const transport = () => (sealed ? sealedTransport() : PLAIN)
  const call = callsOf({ ...TENCENT_KMS, limits, several: kekIds.several, classify, advice })
  return {
    name: 'tencent',
    concurrency: limits.concurrency,
    ...(sealed ? {} : tencentValues({ client, kekIds, call })),
    generate: async (identity) => {
      const EncryptionContext = encryptionContext(identity)
      const target: Target = { action: 'GenerateDataKey', keyId: ofTenant(identity.tenant) }
      return call(target, async (attempts) => {
        target.keyId = await kekIds.current(identity.tenant)
        const { request: sealing, open } = await transport()
        const request = { KeyId: target.keyId, KeySpec: 'AES_256', EncryptionContext, ...sealing }
        return attempts(async (signal) =>
          readGenerated(await send(client, 'GenerateDataKey', request, signal), target, open),
        )
      })
    },
    unwrap: async ({ wrapped, kekId }, identity) => {
      const EncryptionContext = encryptionContext(identity)
      const target: Target = { action: 'Decrypt', keyId: ofTenant(identity.tenant) }
      return call(target, async (attempts) => {
        await kekIds.expectOwn({ wrapped, kekId }, identity)
        target.keyId = kekId
        const { request: sealing, open } = await transport()
        const request = { CiphertextBlob: wrapped, EncryptionContext, ...sealing }
        return attempts(async (signal) => readUnwrapped(await send(client, 'Decrypt', request, signal), target, open))
      })
    },
    wrap: async (dek, identity) => {
      if (sealed) throw unsealed()
      const request = { Plaintext: dek.toString('base64'), EncryptionContext: encryptionContext(identity) }
      const target: Target = { action: 'Encrypt', keyId: ofTenant(identity.tenant) }
      return call(target, async (attempts) => {
        target.keyId = await kekIds.current(identity.tenant)
        const wanted = { KeyId: target.keyId, ...request }
        return attempts(async (signal) => readWrapped(await send(client, 'Encrypt', wanted, signal), target))
      })
    },
    rewrap: async ({ wrapped, kekId }, identity) => {
      const context = encryptionContext(identity)
      const contexts = { SourceEncryptionContext: context, DestinationEncryptionContext: context }
      const target: Target = { action: 'ReEncrypt', keyId: ofTenant(identity.tenant) }
      return call(target, async (attempts) => {
        await kekIds.expectOwn({ wrapped, kekId }, identity)
        target.keyId = kekId
        const DestinationKeyId = await kekIds.current(identity.tenant)
        const request = { CiphertextBlob: wrapped, DestinationKeyId, ...contexts }
        return attempts(async (signal) =>
          readRewrapped(await send(client, 'ReEncrypt', request, signal), target, DestinationKeyId),
        )
      })
    },
  }
}

type Open = SealedTransport['open']

/** Plaintexts as they come. */
const PLAIN = { request: {}, open: async (text: unknown) => decodeKey(text, 'base64') }

async function readGenerated(answer: TencentAnswer, target: Target, open: Open): Promise<GeneratedDek> {
  const wrapped = readWrapped(answer, target)
  return { dek: await readDek(answer, target, open), ...wrapped }
}

/** What is under another key than was asked for, or under a key that an alias names, would not be unwrapped later. */
function readWrapped(answer: TencentAnswer, target: Target, wanted = target.keyId): WrappedDek {
  const { KeyId: kekId, CiphertextBlob: wrapped } = answer
  if (!isKeyId(kekId) || typeof wrapped !== 'string' || wrapped === '')
    throw callRefused(target, 'lacks KeyId or CiphertextBlob')
  if (kekId === wanted) return { wrapped, kekId }
  throw callRefused(
    target,
    `names the key ${kekId}, not ${wanted}: give tencentKms the key's id as "keyId", not an alias`,
  )
}

/** ReEncrypt takes no source key id, so a blob of another key would be taken over as well. */
function readRewrapped(answer: TencentAnswer, target: Target, destination: string): WrappedDek {
  if (answer.SourceKeyId === target.keyId) return readWrapped(answer, target, destination)
  throw callRefused(target, `names ${named(answer.SourceKeyId)} as the source: ${NOT_TOGETHER}`)
}

/** Decrypt takes no key id, so a blob of another key would open as well. */
async function readUnwrapped(answer: TencentAnswer, target: Target, open: Open): Promise<Buffer> {
  if (answer.KeyId === target.keyId) return readDek(answer, target, open)
  throw callRefused(target, `names ${named(answer.KeyId)}: ${NOT_TOGETHER}`)
}

const NOT_TOGETHER = 'the wrapped DEK and the key id of its row do not belong together'

/** An answer that ignores the wish to have it sealed is refused as any other that is not as it must be. */
async function readDek({ Plaintext }: TencentAnswer, target: Target, open: Open): Promise<Buffer> {
  const dek = await open(Plaintext)
  if (dek?.length === DEK_BYTES) return dek
  dek?.fill(0)
  const how = open === PLAIN.open ? '' : ', sealed to the key of this process (the option "sealed")'
  throw callRefused(target, `does not hold a DEK of 32 bytes${how}`)
}

function unsealed(): FieldsealError {
  const message =
    'tencentKms with sealed: true takes no DEK over from another KMS: Encrypt takes it in the clear. Rewrap with a ' +
    'tencentKms without that option, in a process of its own.'
  return new FieldsealError('OPTIONS_INVALID', message)
}
