import { types } from 'node:util'
import { LRUCache } from 'lru-cache'
import { invalidOptionOf } from '../../invalidOptions.js'
import { functionFailed } from '../call/functionFailed.js'
import type { AzureKey } from './azureKey.js'
import { sameId } from './azureKey.js'
import type { Sealed } from './azureText.js'

/** What is asked of an encryption: authenticated, or not at all. */
export interface AzureEncryptParameters {
  algorithm: 'A256GCM'
  plaintext: Uint8Array
  additionalAuthenticatedData: Uint8Array
}

/** What is asked of a decryption. */
export interface AzureDecryptParameters {
  algorithm: 'A256GCM'
  ciphertext: Uint8Array
  iv: Uint8Array
  authenticationTag: Uint8Array
  additionalAuthenticatedData: Uint8Array
}

/** The service's answer, before the SDK takes out of it what it passes on. */
export interface AzureResponse {
  readonly status: number
  readonly headers: { get(name: string): string | undefined }
  readonly parsedBody?: unknown
}

/** What goes along with an operation. */
export interface AzureOperationOptions {
  abortSignal: AbortSignal
  onResponse: (response: AzureResponse) => void
}

/** What `azureKms` needs of a `CryptographyClient` of @azure/keyvault-keys. */
export interface AzureCryptographyClient {
  /** Empty in a client that works by itself, with a JsonWebKey. */
  readonly vaultUrl: string
  readonly keyID: string | undefined
  encrypt(parameters: AzureEncryptParameters, options: AzureOperationOptions): Promise<object>
  decrypt(parameters: AzureDecryptParameters, options: AzureOperationOptions): Promise<object>
}

/** Makes the client of a key, or of a version of it. */
export type AzureClientOf = (key: AzureKey) => AzureCryptographyClient

/** A client that is kept. */
export interface KeptClient {
  readonly client: AzureCryptographyClient
  /**
   * Whether it has had an answer: the SDK sends the first request of a client without its body, to be told whom to get a
   * token from, and loses that body when another request is told before it.
   */
  proven: boolean
}

/** Clients are small, but hold tokens: those of the keys in use. */
const MOST_CLIENTS = 1_000

/** The clients of keys and of their versions, each made once. */
export class AzureClients {
  readonly #make: AzureClientOf
  readonly #kept = new LRUCache<string, KeptClient>({ max: MOST_CLIENTS })

  constructor(make: AzureClientOf) {
    this.#make = make
  }

  /** @throws FieldsealError `OPTIONS_INVALID` for what is no client of this key at the service */
  of(key: AzureKey): KeptClient {
    const kept = this.#kept.get(key.id) ?? { client: checkedClient(this.#made(key), key), proven: false }
    this.#kept.set(key.id, kept)
    return kept
  }

  /** For a client that holds what may be out of date. */
  drop({ id }: AzureKey): void {
    this.#kept.delete(id)
  }

  #made(key: AzureKey): unknown {
    try {
      return this.#make(key)
    } catch (thrown) {
      throw functionFailed(thrown, 'OPTIONS_INVALID', `The client function of azureKms failed for the key ${key.id}`)
    }
  }
}

const invalid = invalidOptionOf('azureKms')

/** @throws FieldsealError `OPTIONS_INVALID` */
function checkedClient(made: unknown, { id }: AzureKey): AzureCryptographyClient {
  const client = made as AzureCryptographyClient | null | undefined
  if (typeof client?.encrypt !== 'function' || typeof client.decrypt !== 'function')
    throw invalid('client', `gave no CryptographyClient of @azure/keyvault-keys for the key ${id}`)
  if (typeof client.vaultUrl !== 'string' || client.vaultUrl === '')
    throw invalid(
      'client',
      'gave a CryptographyClient that was made of a JsonWebKey: that one encrypts in this process, with a key that lies in ' +
        'its memory. Make it of the key that the function is given: (key) => new CryptographyClient(key, credential)',
    )
  if (typeof client.keyID === 'string' && sameId(client.keyID, id)) return client
  throw invalid('client', `gave the client of another key than the one that it was asked for, ${id}`)
}

/** What an answer of `encrypt` holds, under names of ours; nothing of it is sure. */
export function sealedOf(answer: object): { readonly [part in keyof Sealed]: unknown } {
  const { iv, result, authenticationTag } = answer as { readonly [field: string]: unknown }
  return { iv, ciphertext: result, tag: authenticationTag }
}

/** The plaintext in memory of its own, to be zeroed by the caller; the SDK's is zeroed here. */
export function plaintextOf(answer: object): Buffer | undefined {
  const { result } = answer as { readonly result?: unknown }
  if (!types.isUint8Array(result)) return undefined
  const plaintext = Buffer.alloc(result.length)
  plaintext.set(result)
  result.fill(0)
  return plaintext
}
