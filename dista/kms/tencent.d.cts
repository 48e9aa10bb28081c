import { r as Kms } from "../kms-ByobZniR.cjs";

//#region src/kms/tencentClient.d.ts
/** A request for a new data key. */
interface GenerateDataKeyRequest {
  KeyId: string;
  KeySpec?: string;
  EncryptionContext?: string;
  /** PEM; the plaintext of the answer is then encrypted to it. */
  EncryptionPublicKey?: string;
  EncryptionAlgorithm?: string;
}
/** A request to open a ciphertext blob. */
interface DecryptRequest {
  CiphertextBlob: string;
  EncryptionContext?: string;
  /** PEM; the plaintext of the answer is then encrypted to it. */
  EncryptionPublicKey?: string;
  EncryptionAlgorithm?: string;
}
/** A request to put a ciphertext blob under the newest version of a key. */
interface ReEncryptRequest {
  CiphertextBlob: string;
  DestinationKeyId?: string;
  SourceEncryptionContext?: string;
  DestinationEncryptionContext?: string;
}
/** A request to encrypt up to 4 KB. */
interface EncryptRequest {
  KeyId: string;
  /** Base64. */
  Plaintext: string;
  EncryptionContext?: string;
}
/**
 * What `tencentKms` needs of the SDK's `kms.v20190118.Client`. Where `request` exists it is preferred, because only it
 * takes an `AbortSignal`.
 */
interface TencentKmsClient {
  GenerateDataKey(request: GenerateDataKeyRequest): Promise<object>;
  Decrypt(request: DecryptRequest): Promise<object>;
  /** For rewrapping only. */
  ReEncrypt?(request: ReEncryptRequest): Promise<object>;
  /** For taking over DEKs of another KMS only. */
  Encrypt?(request: EncryptRequest): Promise<object>;
  request?(action: string, request: object, options: {
    signal: AbortSignal;
  }): Promise<unknown>;
}
//#endregion
//#region src/kms/tencentOptions.d.ts
/** The id of the KEK for a tenant's DEKs. */
type KeyIdOf = (tenant: string) => string | Promise<string>;
/** Options of `tencentKms`. */
interface TencentKmsOptions {
  /** The SDK's client, `new kms.v20190118.Client(…)`, with credentials and region. */
  readonly client: TencentKmsClient;
  /** The id of the KEK (Tencent: CMK), or a function of the tenant. Only new DEKs ask for it. */
  readonly keyId: string | KeyIdOf;
  /** Milliseconds for a whole call, its retries and its waiting included; 10,000 unless given. */
  readonly timeout?: number | undefined;
  /** Milliseconds for one attempt; 3,000, or `timeout` if that is shorter, unless given. */
  readonly attemptTimeout?: number | undefined;
  /** Retries after the first attempt; 5 unless given, 0 for none. */
  readonly maxRetries?: number | undefined;
  /** Requests in flight at once, over all calls; more of them wait. 20 unless given. */
  readonly concurrency?: number | undefined;
  /**
   * Has Tencent encrypt DEKs to a key of this process on their way here (RSA-OAEP-SHA-256), so that none of them is ever a
   * JavaScript string, or seen by a proxy that ends the TLS connection. `false` unless given: it has not been tried
   * against the real service yet.
   */
  readonly sealed?: boolean | undefined;
}
//#endregion
//#region src/kms/freshCredentials.d.ts
/** What the SDK takes as a credential that changes. */
interface CredentialProvider<C> {
  getCredential(): Promise<C>;
}
/** Options of `freshCredentials`. */
interface FreshCredentialsOptions {
  /** Milliseconds for one fetch; 2,500 unless given. */
  readonly timeout?: number | undefined;
  /** Sees the provider's own error. */
  readonly onError?: ((error: unknown) => void) | undefined;
}
/**
 * Wraps a credential provider of the SDK (STS, CVM role, OIDC). Those keep a rejected promise for ever: after one
 * failed fetch they never recover. This one makes a new provider after a failure, and after a fetch that takes too long.
 *
 * @param make makes a provider; called at the first use and after each failure
 * @param options.timeout milliseconds for one fetch, 2,500 unless given
 * @param options.onError sees the provider's own error, for your log; its message may quote what the credential service
 * answered, so this library passes it on nowhere else
 * @throws FieldsealError `OPTIONS_INVALID` for options that cannot work; `KMS_DENIED` from `getCredential`
 * @example
 * ```ts
 * import { kms } from 'tencentcloud-sdk-nodejs-kms'
 * import { CvmRoleCredential } from 'tencentcloud-sdk-nodejs-common'
 * import { freshCredentials } from 'fieldseal/tencent-kms'
 *
 * const credential = freshCredentials(() => new CvmRoleCredential())
 * const client = new kms.v20190118.Client({ credential, region: 'ap-guangzhou' })
 * ```
 */
declare function freshCredentials<C>(make: () => CredentialProvider<C>, options?: FreshCredentialsOptions): CredentialProvider<C>;
//#endregion
//#region src/kms/tencentErrors.d.ts
/** What an error of the SDK says, without its message: that may quote a piece of the answer, and with it of a DEK. */
interface TencentErrorDetails {
  /** Tencent's error code. */
  readonly code?: string;
  readonly requestId?: string;
  /** The HTTP status, where it was not 200. */
  readonly httpCode?: number;
}
//#endregion
//#region src/kms/tencent.d.ts
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
declare function tencentKms(options: TencentKmsOptions): Kms;
//#endregion
export { type CredentialProvider, type DecryptRequest, type EncryptRequest, type FreshCredentialsOptions, type GenerateDataKeyRequest, type KeyIdOf, type ReEncryptRequest, type TencentErrorDetails, type TencentKmsClient, type TencentKmsOptions, freshCredentials, tencentKms };