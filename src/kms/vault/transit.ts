import { FieldsealError } from '../../errors.js'
import type { CallFailure } from '../call/callFailure.js'
import { type Call, callRefusedOf, type Target } from '../call/kmsCall.js'
import { Batches, type Outcome } from './batches.js'
import type { TransitKeyIds } from './transitKeyId.js'
import { readTransitText, type TransitText } from './transitText.js'
import { objectOf, type VaultAnswer } from './vaultClient.js'
import { advice, failureOfItem, mayBeOfOneItem } from './vaultErrors.js'
import type { Send } from './vaultRequests.js'

export const SERVICE = { service: 'Vault' } as const

/** Makes the errors of answers that are not as they must be. */
export const callRefused = callRefusedOf(SERVICE)

/** What transit does with many items in one request. */
export type BatchAction = 'decrypt' | 'encrypt' | 'rewrap'

/** What it is asked about one. */
export interface TransitItem {
  /** What the key is derived with: the encryption context, as base64. */
  readonly context: string
  readonly ciphertext?: string
  /** Base64. */
  readonly plaintext?: string
}

/** What it answered about one; nothing of it is sure. */
export interface TransitResult {
  readonly plaintext?: unknown
  readonly ciphertext?: unknown
  readonly key_version?: unknown
}

export interface TransitOptions {
  readonly call: Call
  readonly send: Send
  readonly ids: TransitKeyIds
}

/** The transit secrets engine, with keys that `TransitKeys` found right. */
export class Transit {
  readonly #call: Call
  readonly #send: Send
  readonly #ids: TransitKeyIds
  readonly #batches = new Batches<TransitItem, TransitResult>()

  constructor({ call, send, ids }: TransitOptions) {
    this.#call = call
    this.#send = send
    this.#ids = ids
  }

  /** https://developer.hashicorp.com/vault/api-docs/secret/transit#generate-data-key */
  async dataKey(target: Target, context: string): Promise<TransitResult> {
    const body = { context, bits: 256 }
    const path = this.#path(target)
    const answer = await this.#call(target, (attempts) =>
      attempts((signal) => this.#send({ method: 'POST', path, body }, signal)),
    )
    return objectOf(answer.body.data)
  }

  /** Asks about one, in the same request as others about the same key. */
  ask(action: BatchAction, { keyId, subject }: Pick<Target, 'keyId' | 'subject'>, item: TransitItem) {
    const target = { action, keyId, ...(subject && { subject }) }
    return this.#batches.ask(`${action} ${subject ?? 'DEK'} ${keyId}`, item, (items) => this.#askMany(target, items))
  }

  /**
   * Where Vault refuses the whole of a batch for one item of it (`rewrap` does, for what does not decrypt), it is asked
   * about each half.
   */
  async #askMany(target: Target, items: readonly TransitItem[]): Promise<readonly Outcome<TransitResult>[]> {
    const answer = await this.#call(target, (attempts) => attempts((signal) => this.#sendMany(target, items, signal)))
    if (hasResults(answer) || answer.status < 400) return this.#outcomes(target, answer, items.length)
    const half = Math.ceil(items.length / 2)
    const halves = [items.slice(0, half), items.slice(half)]
    return (await Promise.all(halves.map((each) => this.#settled(target, each)))).flat()
  }

  async #settled(target: Target, items: readonly TransitItem[]): Promise<readonly Outcome<TransitResult>[]> {
    return this.#askMany(target, items).catch((error: unknown) => {
      if (!FieldsealError.is(error)) throw error
      return items.map(() => ({ error }))
    })
  }

  #sendMany(target: Target, items: readonly TransitItem[], signal: AbortSignal): Promise<VaultAnswer> {
    const batch_input = items.map((item, index) => ({ ...item, reference: String(index) }))
    // That some fail is an answer like others here; `rewrap` answers so anyway.
    const body = target.action === 'rewrap' ? { batch_input } : { batch_input, partial_failure_response_code: 200 }
    const accepts = (answer: VaultAnswer) => hasResults(answer) || (items.length > 1 && mayBeOfOneItem(answer))
    return this.#send({ method: 'POST', path: this.#path(target), body }, signal, accepts)
  }

  /** The order is that of the items; where the service names them as well, both must agree. */
  #outcomes(target: Target, { status, body }: VaultAnswer, length: number): readonly Outcome<TransitResult>[] {
    const results = resultsIn(body)
    if (results?.length !== length) throw callRefused(target, `does not hold ${length} results`)
    return results.map((value, index) => {
      const { error, reference, ...result } = objectOf(value)
      if (typeof error === 'string' && error !== '')
        return { error: this.#itemError(failureOfItem(error, status), target) }
      if (reference !== undefined && reference !== '' && reference !== String(index))
        return { error: callRefused(target, 'names another item than was asked about') }
      return { result }
    })
  }

  #itemError(failure: CallFailure, target: Target): FieldsealError {
    const { code, reason, details } = failure
    const next = advice(failure, target, this.#ids)
    const message = `${SERVICE.service}, ${target.action} with key ${target.keyId}: ${reason}. ${next}`
    return new FieldsealError(code, message, { cause: details })
  }

  #path({ action, keyId }: Target): string {
    const { mount, name } = this.#ids.keyOf(keyId)
    return `${mount}/${action}/${name}`
  }
}

function hasResults({ body }: VaultAnswer): boolean {
  return resultsIn(body) !== undefined
}

function resultsIn(body: VaultAnswer['body']): readonly unknown[] | undefined {
  const { batch_results: results } = objectOf(body.data)
  return Array.isArray(results) ? results : undefined
}

/** A ciphertext of an answer, of so many bytes, under the version that the answer names, if it names one. */
export function readCiphertext(
  { ciphertext, key_version: version }: TransitResult,
  target: Target,
  length: number,
): TransitText {
  const text = readTransitText(ciphertext)
  if (text?.length !== length)
    throw callRefused(target, `does not hold a ciphertext of ${length} bytes, of the form vault:v<version>:<base64>`)
  if (version === undefined || version === text.version) return text
  throw callRefused(target, 'names another key version than its ciphertext does')
}
