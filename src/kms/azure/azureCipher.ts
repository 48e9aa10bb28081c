import { setTimeout } from 'node:timers/promises'
import { named } from '../call/kekIds.js'
import { callRefusedOf, type KmsService, type Target } from '../call/kmsCall.js'
import {
  type AzureClients,
  type AzureCryptographyClient,
  type AzureOperationOptions,
  plaintextOf,
  sealedOf,
} from './azureClient.js'
import { AzureRefusal, isOfTheSdk, type Seen, seenOf } from './azureErrors.js'
import { type AzureKey, azureKeyOf, type KeyVersion, sameId, versionOf } from './azureKey.js'
import { isSealed, type Sealed, type SealedText } from './azureText.js'

/** What messages call it. */
export const AZURE: KmsService = { service: 'Azure Managed HSM', vendor: 'Azure' }

/** An answer that is not as it must be. */
export const callRefused = callRefusedOf(AZURE)

const algorithm = 'A256GCM'

/** An encryption, and the version of the key that it is under. */
export interface SealedUnder extends KeyVersion {
  readonly sealed: Sealed
}

type Ask = (client: AzureCryptographyClient, options: AzureOperationOptions) => Promise<object>

interface Answered {
  readonly answer: object
  /** The version that the service itself names: what the SDK says of it is what it was told, or remembers. */
  readonly kid: string | undefined
}

/** Requests to the HSM, each sent once. */
export class AzureCipher {
  readonly #clients: AzureClients
  readonly #longestPause: number

  /** @param longestPause milliseconds that are waited at most because an answer asks for it (`Retry-After`) */
  constructor(clients: AzureClients, longestPause: number) {
    this.#clients = clients
    this.#longestPause = longestPause
  }

  /** Encrypts under the newest version of the target's key. Leaves `plaintext` as it is. */
  async encrypt(plaintext: Buffer, context: string, target: Target, signal: AbortSignal): Promise<SealedUnder> {
    const request = { algorithm, plaintext, additionalAuthenticatedData: Buffer.from(context) } as const
    const ask: Ask = (client, options) => client.encrypt({ ...request }, options)
    const { answer, kid } = await this.#ask(azureKeyOf(target.keyId), ask, signal)
    const { keyId, version } = versionOf(kid?.toLowerCase() ?? '')
    if (kid === undefined) throw callRefused(target, UNSEEN)
    if (version === '' || !sameId(keyId, target.keyId))
      throw callRefused(target, `names ${named(kid)}, which was not asked for`)
    const sealed = sealedOf(answer)
    if (!isSealed(sealed, plaintext.length)) throw callRefused(target, 'is no authenticated encryption (A256GCM)')
    return { keyId: target.keyId, version, sealed: sealed as Sealed }
  }

  /** Decrypts, into bytes owned by the caller, with exactly the version of the key that is given. */
  async decrypt(text: SealedText, keyId: string, context: string, target: Target, signal: AbortSignal) {
    const { iv, ciphertext, tag, version } = text
    const parameters = { algorithm, iv, ciphertext, authenticationTag: tag } as const
    const ask: Ask = (client, options) =>
      client.decrypt({ ...parameters, additionalAuthenticatedData: Buffer.from(context) }, options)
    const key = azureKeyOf(keyId, version)
    const { answer, kid } = await this.#ask(key, ask, signal)
    const plaintext = plaintextOf(answer)
    if (plaintext && kid !== undefined && sameId(kid, key.id) && plaintext.length === ciphertext.length)
      return plaintext
    plaintext?.fill(0)
    if (kid === undefined) throw callRefused(target, UNSEEN)
    if (!sameId(kid, key.id)) throw callRefused(target, `names ${named(kid)}, which was not asked for`)
    throw callRefused(target, `does not hold ${ciphertext.length} bytes`)
  }

  async #ask(key: AzureKey, ask: Ask, signal: AbortSignal): Promise<Answered> {
    const kept = this.#clients.of(key)
    let seen: Seen | undefined
    const options: AzureOperationOptions = {
      abortSignal: signal,
      onResponse: (response) => {
        seen = seenOf(response)
      },
    }
    try {
      const answer = await ask(kept.client, options)
      const { proven } = kept
      kept.proven = true
      if (seen && seen.status >= 400) throw new AzureRefusal(seen, proven)
      return { answer, kid: seen?.kid }
    } catch (error) {
      // The next one forgets dates of the key, and a token that is not taken any more.
      if (isOfTheSdk(error) || seen?.status === 401) this.#clients.drop(key)
      // The SDK fails in another way on an error without a body, and says nothing of its status then.
      const refusal = seen && seen.status >= 300 ? new AzureRefusal(seen, kept.proven) : error
      await this.#pause(seen, signal)
      throw refusal
    }
  }

  /** Keeps the place of this request meanwhile, so that no other one takes it. */
  async #pause(seen: Seen | undefined, signal: AbortSignal): Promise<void> {
    const busy = seen?.status === 429 || seen?.status === 503
    if (busy && seen.retryAfter > 0)
      await setTimeout(Math.min(seen.retryAfter, this.#longestPause), undefined, { signal })
  }
}

const UNSEEN =
  'names no version of a key, or came from no service: the "client" of azureKms must be a CryptographyClient of ' +
  '@azure/keyvault-keys that asks the HSM for every operation, and calls onResponse'
