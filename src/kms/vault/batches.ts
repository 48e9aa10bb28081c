import { AsyncLocalStorage } from 'node:async_hooks'
import type { FieldsealError } from '../../errors.js'
import { type FailedAttempt, reportRetry, withRetryListener } from '../../keys/retries.js'
import { ownError } from './ownError.js'

/** What one item of a request came to. */
export type Outcome<R> = { readonly result: R } | { readonly error: FieldsealError }

/**
 * Asks about many items with one request; the outcomes are in the order of the items.
 *
 * @param ends when the last of them must have its outcome, as `performance.now()` tells it
 */
export type AskMany<I, R> = (items: readonly I[], ends: number) => Promise<readonly Outcome<R>[]>

/** What Vault takes has no limit but the size of a request; more than this gains little and makes each wait for all. */
export const MAX_ITEMS = 100

/** How long an item waits for company while another request is on its way, in milliseconds. */
const COMPANY = 10

interface Waiting<I, R> {
  readonly item: I
  readonly ends: number
  readonly resolve: (result: R) => void
  readonly reject: (error: unknown) => void
  /** Runs work for whoever asked, so that the retries are told to them. */
  readonly inContext: (work: () => void) => void
}

interface Lane<I, R> {
  readonly askMany: AskMany<I, R>
  waiting: Waiting<I, R>[]
  inFlight: number
  planned: { cancel(): void } | undefined
}

/**
 * Puts what is asked within one turn of the event loop, or while others are on their way, into one request of at most 100
 * items. An item by itself waits for nobody. Only what is asked of the same lane goes together.
 */
export class Batches<I, R> {
  readonly #lanes = new Map<string, Lane<I, R>>()

  /**
   * @param askMany for this lane: that of the first who asks counts while there is anybody in it
   * @param ends for `askMany`; who asks looks at the clock as well
   */
  ask(lane: string, item: I, askMany: AskMany<I, R>, ends = Number.POSITIVE_INFINITY): Promise<R> {
    const { promise, resolve, reject } = deferred<R>()
    const inContext = AsyncLocalStorage.snapshot()
    const current = this.#lanes.get(lane) ?? { askMany, waiting: [], inFlight: 0, planned: undefined }
    this.#lanes.set(lane, current)
    current.waiting.push({ item, ends, resolve, reject, inContext })
    if (current.waiting.length >= MAX_ITEMS) this.#send(lane, current)
    else this.#plan(lane, current, current.inFlight === 0)
    return promise
  }

  #plan(name: string, lane: Lane<I, R>, now: boolean): void {
    if (lane.planned) return
    const send = () => this.#send(name, lane)
    if (now) {
      const turn = setImmediate(send)
      lane.planned = { cancel: () => clearImmediate(turn) }
    } else {
      const timer = setTimeout(send, COMPANY)
      lane.planned = { cancel: () => clearTimeout(timer) }
    }
  }

  #send(name: string, lane: Lane<I, R>): void {
    lane.planned?.cancel()
    lane.planned = undefined
    const batch = lane.waiting
    lane.waiting = []
    lane.inFlight += 1
    const [first, ...others] = batch
    first?.inContext(() => {
      withRetryListener(told(others), () => deliver(batch, lane.askMany)).then(() => this.#landed(name, lane))
    })
  }

  #landed(name: string, lane: Lane<I, R>): void {
    lane.inFlight -= 1
    if (lane.waiting.length > 0) {
      lane.planned?.cancel()
      lane.planned = undefined
      this.#plan(name, lane, true)
    } else if (lane.inFlight === 0) this.#lanes.delete(name)
  }
}

/** The first of a batch hears of retries by itself, because the request is made in its context. */
function told<I, R>(others: readonly Waiting<I, R>[]): (failed: FailedAttempt) => void {
  return (failed) => {
    for (const { inContext } of others) inContext(() => reportRetry(failed))
  }
}

/** Never fails. Each gets an error of its own, so that nobody changes another's. */
async function deliver<I, R>(batch: readonly Waiting<I, R>[], askMany: AskMany<I, R>): Promise<void> {
  try {
    const outcomes = await askMany(
      batch.map(({ item }) => item),
      Math.max(...batch.map(({ ends }) => ends)),
    )
    for (const [index, { resolve, reject }] of batch.entries()) {
      const outcome = outcomes[index]!
      if ('result' in outcome) resolve(outcome.result)
      else reject(outcome.error)
    }
  } catch (error) {
    for (const { reject } of batch) reject(ownError(error))
  }
}

function deferred<R>() {
  let resolve!: (result: R) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<R>((onResult, onError) => {
    resolve = onResult
    reject = onError
  })
  return { promise, resolve, reject }
}
