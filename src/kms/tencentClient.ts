/** A request for a new data key. */
export interface GenerateDataKeyRequest {
  KeyId: string
  KeySpec?: string
  EncryptionContext?: string
}

/** A request to open a ciphertext blob. */
export interface DecryptRequest {
  CiphertextBlob: string
  EncryptionContext?: string
}

interface TencentRequests {
  readonly GenerateDataKey: GenerateDataKeyRequest
  readonly Decrypt: DecryptRequest
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
    : (client[action] as (request: TencentRequests[A]) => Promise<object>).call(client, request))
  return typeof answer === 'object' && answer !== null ? (answer as TencentAnswer) : {}
}

/** What an answer may hold; nothing of it is sure. */
export interface TencentAnswer {
  readonly KeyId?: unknown
  readonly Plaintext?: unknown
  readonly CiphertextBlob?: unknown
}
