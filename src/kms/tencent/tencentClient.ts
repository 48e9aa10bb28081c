import { FieldsealError } from '../../errors.js'

/** A request for a new data key. */
export interface GenerateDataKeyRequest {
  KeyId: string
  KeySpec?: string
  EncryptionContext?: string
  /** PEM; the plaintext of the answer is then encrypted to it. */
  EncryptionPublicKey?: string
  EncryptionAlgorithm?: string
}

/** A request to open a ciphertext blob. */
export interface DecryptRequest {
  CiphertextBlob: string
  EncryptionContext?: string
  /** PEM; the plaintext of the answer is then encrypted to it. */
  EncryptionPublicKey?: string
  EncryptionAlgorithm?: string
}

/** A request to put a ciphertext blob under the newest version of a key. */
export interface ReEncryptRequest {
  CiphertextBlob: string
  DestinationKeyId?: string
  SourceEncryptionContext?: string
  DestinationEncryptionContext?: string
}

/** A request to encrypt up to 4 KB. */
export interface EncryptRequest {
  KeyId: string
  /** Base64. */
  Plaintext: string
  EncryptionContext?: string
}

interface TencentRequests {
  readonly GenerateDataKey: GenerateDataKeyRequest
  readonly Decrypt: DecryptRequest
  readonly ReEncrypt: ReEncryptRequest
  readonly Encrypt: EncryptRequest
}

/** The actions of Tencent Cloud KMS that a `tencentKms` calls. */
export type TencentAction = keyof TencentRequests

/**
 * What `tencentKms` needs of the SDK's `kms.v20190118.Client`. Where `request` exists it is preferred, because only it
 * takes an `AbortSignal`.
 */
export interface TencentKmsClient {
  GenerateDataKey(request: GenerateDataKeyRequest): Promise<object>
  Decrypt(request: DecryptRequest): Promise<object>
  /** For rewrapping only. */
  ReEncrypt?(request: ReEncryptRequest): Promise<object>
  /** For taking over DEKs of another KMS, and for values of fields with `mode: kms`. */
  Encrypt?(request: EncryptRequest): Promise<object>
  request?(action: string, request: object, options: { signal: AbortSignal }): Promise<unknown>
}

/** Sends one request, once. */
export async function send<A extends TencentAction>(
  client: TencentKmsClient,
  action: A,
  request: TencentRequests[A],
  signal: AbortSignal,
): Promise<TencentAnswer> {
  const answer = await (client.request
    ? client.request(action, request, { signal })
    : callMethod(client, action, request))
  return typeof answer === 'object' && answer !== null ? (answer as TencentAnswer) : {}
}

function callMethod<A extends TencentAction>(
  client: TencentKmsClient,
  action: A,
  request: TencentRequests[A],
): Promise<object> {
  const method = client[action] as ((request: TencentRequests[A]) => Promise<object>) | undefined
  if (method) return method.call(client, request)
  throw new FieldsealError('OPTIONS_INVALID', `The option "client" of tencentKms has no method ${action}.`)
}

/** What an answer may hold; nothing of it is sure. */
export interface TencentAnswer {
  readonly KeyId?: unknown
  readonly Plaintext?: unknown
  readonly CiphertextBlob?: unknown
  readonly SourceKeyId?: unknown
}
