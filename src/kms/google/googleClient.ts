/** A CRC-32C, as the SDK sends it. */
export interface Crc32c {
  value: number
}

/** A request to encrypt up to 64 KiB, 8 KiB with a key of Cloud HSM. */
export interface EncryptRequest {
  /** Resource name of the key. */
  name: string
  plaintext: Uint8Array
  plaintextCrc32c: Crc32c
  additionalAuthenticatedData: Uint8Array
  additionalAuthenticatedDataCrc32c: Crc32c
}

/** A request to decrypt what `encrypt` answered. */
export interface DecryptRequest {
  /** Resource name of the key; which version it was is in the ciphertext. */
  name: string
  ciphertext: Uint8Array
  ciphertextCrc32c: Crc32c
  additionalAuthenticatedData: Uint8Array
  additionalAuthenticatedDataCrc32c: Crc32c
}

/** How the SDK makes one call: the retries are ours. */
export interface GoogleCallOptions {
  /** Milliseconds. */
  timeout: number
  retry: null
  /** Cancels the gRPC call; SDKs before 6 do not know it, and end it at `timeout`. */
  signal: AbortSignal
}

/** What `googleKms` needs of the SDK's `KeyManagementServiceClient`. */
export interface GoogleKmsClient {
  encrypt(request: EncryptRequest, options: GoogleCallOptions): Promise<readonly [object, ...unknown[]]>
  decrypt(request: DecryptRequest, options: GoogleCallOptions): Promise<readonly [object, ...unknown[]]>
  /** Loads the credentials; the SDK calls it, too, but lets its failure end the process as an unhandled rejection. */
  initialize?(): Promise<unknown>
  /** What `initialize` keeps, even if it was rejected. */
  keyManagementServiceStub?: unknown
}

/** What an answer may hold; nothing of it is sure. */
export interface GoogleAnswer {
  readonly name?: unknown
  readonly ciphertext?: unknown
  readonly ciphertextCrc32c?: unknown
  readonly verifiedPlaintextCrc32c?: unknown
  readonly verifiedAdditionalAuthenticatedDataCrc32c?: unknown
  readonly plaintext?: unknown
  readonly plaintextCrc32c?: unknown
  readonly usedPrimary?: unknown
}

/** The client's credentials could not be loaded. What was in the way stays with the SDK: it may quote them. */
export class CredentialsFailed extends Error {
  override readonly name = 'CredentialsFailed'
}

/**
 * Waits until the client has its credentials. The SDK keeps the promise of that, also when it was rejected: after one
 * metadata server that was late at boot it would fail for ever. So a rejected one is taken from it, and the next attempt
 * loads them anew.
 *
 * @throws CredentialsFailed
 */
export async function initialized(client: GoogleKmsClient): Promise<void> {
  const ready = client.initialize?.()
  try {
    await ready
  } catch {
    if (client.keyManagementServiceStub === ready) client.keyManagementServiceStub = undefined
    throw new CredentialsFailed('The credentials could not be loaded.')
  }
}
