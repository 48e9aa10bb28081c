import { FieldsealError } from '../../errors.js'
import { type CallFailure, unavailable, wasCutOff } from '../call/callFailure.js'
import { type Call, callRefusedOf, type Target } from '../call/kmsCall.js'
import type { Retry } from '../call/retryPolicy.js'
import { Batches, type Outcome } from './batches.js'
import { inTime } from './inTime.js'
import { ownError } from './ownError.js'
import type { TransitKeyIds } from './transitKeyId.js'
import { readTransitText, type TransitText } from './transitText.js'
import { classify, objectOf, type VaultAnswer, VaultFailed } from './vaultClient.js'
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

/** What a call of an operation is about, all of whose calls end at the same time. */
export interface VaultTarget extends Target {
  readonly ends: number
}

type Outcomes = readonly Outcome<TransitResult>[]

/** A request whose connection was cut, in all its attempts or in the last one. */
class CutOff {
  readonly error: FieldsealError

  constructor(error: FieldsealError) {
    this.error = error
  }
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
  async dataKey(target: VaultTarget, context: string): Promise<TransitResult> {
    const body = { context, bits: 256 }
    const path = this.#path(target)
    const answer = await this.#call(target, (attempts) =>
      attempts((signal) => this.#send({ method: 'POST', path, body }, signal)),
    )
    return objectOf(answer.body.data)
  }

  /** Asks about one, in the same request as others about the same key. */
  ask(action: BatchAction, { keyId, subject, ends }: VaultTarget, item: TransitItem): Promise<TransitResult> {
    const target: Target = { action, keyId, ...(subject && { subject }) }
    const askMany = (items: readonly TransitItem[], last: number) => this.#askMany({ ...target, ends: last }, items)
    const asked = this.#batches.ask(`${action} ${subject ?? 'DEK'} ${keyId}`, item, askMany, ends)
    return inTime(asked, ends, () => lateError(target, this.#ids))
  }

  /** Each item fails with an error of its own. */
  async #askMany(target: VaultTarget, items: readonly TransitItem[]): Promise<Outcomes> {
    const tried = await this.#try(target, items, 'always')
    return tried instanceof CutOff ? this.#aroundCut(target, items, tried) : tried
  }

  /**
   * Where the connection is cut each time, one item may be why: the halves are tried, once each. If both are cut off as
   * well, it is no item.
   */
  async #aroundCut(target: VaultTarget, items: readonly TransitItem[], { error }: CutOff): Promise<Outcomes> {
    const halves = items.length === 1 ? [] : halvesOf(items)
    const tried = await Promise.all(halves.map((half) => this.#try(target, half, 'never')))
    if (tried.every((each) => each instanceof CutOff)) return failed(items, error)
    const outcomes = tried.map((each, i) => (each instanceof CutOff ? this.#aroundCut(target, halves[i]!, each) : each))
    return (await Promise.all(outcomes)).flat()
  }

  /**
   * Where Vault refuses the whole of a batch for one item of it (`rewrap` does, for what does not decrypt), it is asked
   * about each half.
   *
   * @param afterCut whether a cut connection is worth another attempt
   */
  async #try(target: VaultTarget, items: readonly TransitItem[], afterCut: Retry): Promise<Outcomes | CutOff> {
    let cut = false
    const send = async (signal: AbortSignal) =>
      this.#sendMany(target, items, signal).catch((error: unknown) => {
        cut = wasCutOff(error)
        throw cut ? new VaultFailed({ ...classify(error), retry: afterCut }) : error
      })
    try {
      const answer = await this.#call(target, (attempts) => attempts(send))
      if (hasResults(answer) || answer.status < 400) return this.#outcomes(target, answer, items.length)
    } catch (error) {
      if (!FieldsealError.is(error)) throw error
      return cut ? new CutOff(error) : failed(items, error)
    }
    return (await Promise.all(halvesOf(items).map((half) => this.#askMany(target, half)))).flat()
  }

  #sendMany(target: Target, items: readonly TransitItem[], signal: AbortSignal): Promise<VaultAnswer> {
    const batch_input = items.map((item, index) => ({ ...item, reference: String(index) }))
    // That some fail is an answer like others here; `rewrap` answers so anyway.
    const body = target.action === 'rewrap' ? { batch_input } : { batch_input, partial_failure_response_code: 200 }
    const accepts = (answer: VaultAnswer) => hasResults(answer) || (items.length > 1 && mayBeOfOneItem(answer))
    return this.#send({ method: 'POST', path: this.#path(target), body }, signal, accepts)
  }

  /** The order is that of the items; where the service names them as well, both must agree. */
  #outcomes(target: Target, { status, body }: VaultAnswer, length: number): Outcomes {
    const results = resultsIn(body)
    if (results?.length !== length) throw callRefused(target, `does not hold ${length} results`)
    return results.map((value, index) => {
      const { error, reference, ...result } = objectOf(value)
      if (typeof error === 'string' && error !== '')
        return { error: failureError(failureOfItem(error, status), target, this.#ids) }
      if (reference !== undefined && reference !== '' && reference !== String(index))
        return { error: callRefused(target, 'names another item than was asked about') }
      return { result }
    })
  }

  #path({ action, keyId }: Target): string {
    const { mount, name } = this.#ids.keyOf(keyId)
    return `${mount}/${action}/${name}`
  }
}

/** The error of one item, or of one who waits. */
function failureError(failure: CallFailure, target: Target, ids: TransitKeyIds): FieldsealError {
  const { code, reason, details } = failure
  const next = advice(failure, target, ids)
  const message = `${SERVICE.service}, ${target.action} with key ${target.keyId}: ${reason}. ${next}`
  return new FieldsealError(code, message, { cause: details })
}

/** That of one whose time is over while others wait on. */
export function lateError(target: Target, ids: TransitKeyIds): FieldsealError {
  return failureError(unavailable('no answer in time'), target, ids)
}

function halvesOf<T>(items: readonly T[]): readonly (readonly T[])[] {
  const half = Math.ceil(items.length / 2)
  return [items.slice(0, half), items.slice(half)]
}

function failed(items: readonly unknown[], error: FieldsealError): Outcomes {
  return items.map(() => ({ error: ownError(error) }))
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
