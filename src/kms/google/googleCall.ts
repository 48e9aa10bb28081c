import { types } from 'node:util'
import type { FieldsealError } from '../../errors.js'
import { named } from '../call/kekIds.js'
import { callRefusedOf, type KmsService, type Target } from '../call/kmsCall.js'
import type { Attempts } from '../call/retryPolicy.js'
import { crc32c } from './crc32c.js'
import { cryptoKeyOfVersion } from './cryptoKeyName.js'
import { type GoogleAnswer, type GoogleCallOptions, type GoogleKmsClient, initialized } from './googleClient.js'
import { DAMAGED, Damaged } from './googleErrors.js'

export const GOOGLE_KMS = { service: 'Google Cloud KMS', vendor: 'Google' } as const satisfies KmsService

export const callRefused = callRefusedOf(GOOGLE_KMS)

/** What one call needs that does not change from attempt to attempt. */
export interface Sending {
  readonly target: Target
  readonly attempts: Attempts
  /** The encryption context. */
  readonly context: string
}

/** What was encrypted. */
export interface Encrypted {
  /** Resource name of the version of the key that encrypted it. */
  readonly version: string
  readonly ciphertext: Buffer
}

/** What was decrypted. */
export interface Decrypted {
  /** In memory of its own, owned by the caller. */
  readonly plaintext: Buffer
  /** Whether it was under the version that encrypts now. */
  readonly usedPrimary: boolean
}

/** `Encrypt` and `Decrypt` with checksums of all that goes and comes, https://cloud.google.com/kms/docs/data-integrity-guidelines */
export class GoogleCrypto {
  readonly #client: GoogleKmsClient
  readonly #attemptTimeout: number

  constructor(client: GoogleKmsClient, attemptTimeout: number) {
    this.#client = client
    this.#attemptTimeout = attemptTimeout
  }

  /** Under the key of the target. */
  encrypt(plaintext: Buffer, { target, attempts, context }: Sending): Promise<Encrypted> {
    const plaintextCrc32c = { value: crc32c(plaintext) }
    const request = { name: target.keyId, plaintext, plaintextCrc32c, ...boundTo(context) }
    return attempts(async (signal) => {
      await initialized(this.#client)
      const [answer] = await this.#client.encrypt(request, this.#options(signal))
      return readEncrypted(answer, target)
    })
  }

  /**
   * Under the key of the target, and no other: the service looks for the version among those of the key that is asked, so
   * a ciphertext of another key does not open, and the answer has no name to be compared.
   */
  decrypt(ciphertext: Buffer, { target, attempts, context }: Sending): Promise<Decrypted> {
    const ciphertextCrc32c = { value: crc32c(ciphertext) }
    const request = { name: target.keyId, ciphertext, ciphertextCrc32c, ...boundTo(context) }
    return attempts(async (signal) => {
      await initialized(this.#client)
      const [answer] = await this.#client.decrypt(request, this.#options(signal))
      const decrypted = readDecrypted(answer)
      if (signal.aborted) decrypted.plaintext.fill(0)
      return decrypted
    })
  }

  /** One object for each call: the SDK writes into it. Its retries are off, as ours know the deadline. */
  #options(signal: AbortSignal): GoogleCallOptions {
    return { timeout: this.#attemptTimeout, retry: null, signal }
  }
}

function boundTo(context: string) {
  const additionalAuthenticatedData = Buffer.from(context)
  return {
    additionalAuthenticatedData,
    additionalAuthenticatedDataCrc32c: { value: crc32c(additionalAuthenticatedData) },
  }
}

function readEncrypted(answer: GoogleAnswer, target: Target): Encrypted {
  const { name, ciphertext, ciphertextCrc32c: sum } = answer
  const arrived = answer.verifiedPlaintextCrc32c === true && answer.verifiedAdditionalAuthenticatedDataCrc32c === true
  if (!types.isUint8Array(ciphertext) || ciphertext.length === 0) throw callRefused(target, 'lacks ciphertext')
  if (!arrived || !isIntact(ciphertext, sum)) throw new Damaged(DAMAGED)
  const key = cryptoKeyOfVersion(name)
  if (key === target.keyId) return { version: name as string, ciphertext: Buffer.from(ciphertext) }
  throw otherKey(target, key)
}

/** The SDK's bytes lie in what gRPC received, and are zeroed there. */
function readDecrypted({ plaintext, plaintextCrc32c: sum, usedPrimary }: GoogleAnswer): Decrypted {
  if (!types.isUint8Array(plaintext)) throw new Damaged(DAMAGED)
  try {
    if (!isIntact(plaintext, sum)) throw new Damaged(DAMAGED)
    const own = Buffer.alloc(plaintext.length)
    own.set(plaintext)
    return { plaintext: own, usedPrimary: usedPrimary === true }
  } finally {
    plaintext.fill(0)
  }
}

/** The SDK gives an `Int64Value` as text; a client of another make may give a number. */
function isIntact(bytes: Uint8Array, sum: unknown): boolean {
  const { value } = (sum ?? {}) as { readonly value?: unknown }
  return String(value) === String(crc32c(bytes))
}

function otherKey(target: Target, key: string | undefined): FieldsealError {
  const hint =
    "give googleKms the key's resource name as the console shows it, with the id of the project, not its number"
  return callRefused(target, `names ${named(key)}, not the one that was asked for: ${hint}`)
}
