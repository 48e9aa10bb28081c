import { setTimeout } from 'node:timers/promises'
import { named } from '../call/kekIds.js'
import { callRefusedOf, type KmsService, type Target } from '../call/kmsCall.js'
import {
  type AzureClients,
  type AzureCryptographyClient,
  type AzureOperationOptions,
  type AzureResponse,
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
      throw callRefused(
        target,
        `names ${named(kid)}, not ${target.keyId}: give azureKms the key's id as the HSM names it`,
      )
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
    // Nobody waits for it any more.
    if (signal.aborted) plaintext?.fill(0)
    if (plaintext && kid !== undefined && sameId(kid, key.id) && plaintext.length === ciphertext.length)
      return plaintext
    plaintext?.fill(0)
    if (kid === undefined) throw callRefused(target, UNSEEN)
    if (!sameId(kid, key.id)) throw callRefused(target, `names ${named(kid)}, which was not asked for`)
    throw callRefused(target, `does not hold ${ciphertext.length} bytes`)
  }

  async #ask(key: AzureKey, ask: Ask, signal: AbortSignal): Promise<Answered> {
    const kept = this.#clients.of(key)
    const { proven } = kept
    const last: { seen?: Seen } = {}
    const onResponse = (response: AzureResponse) => {
      last.seen = seenOf(response)
    }
    try {
      const answer = await ask(kept.client, { abortSignal: signal, onResponse })
      kept.proven = true
      return { answer, kid: last.seen?.kid }
    } catch (error) {
      const { seen } = last
      // The next client forgets dates of the key, and a token that is not taken any more.
      if (isOfTheSdk(error) || seen?.status === 401) this.#clients.drop(key)
      await this.#pause(seen, signal)
      // On an error without a body the SDK fails in another way, and does not tell its status.
      throw seen && seen.status >= 300 ? new AzureRefusal(seen, proven) : error
    }
  }

  /** Keeps the place of this request meanwhile, so that no other one takes it. */
  async #pause(seen: Seen | undefined, signal: AbortSignal): Promise<void> {
    if (seen?.status !== 429 && seen?.status !== 503) return
    const pause = Math.min(seen.retryAfter, this.#longestPause)
    if (pause > 0) await setTimeout(pause, undefined, { signal })
  }
}

const UNSEEN =
  'names no version of a key, or came from no service: the "client" of azureKms must be a CryptographyClient of ' +
  '@azure/keyvault-keys that asks the HSM for every operation, and calls onResponse'
