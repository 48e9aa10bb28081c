import { ExponentialBackoff, handleWhen, retry, TaskCancelledError, TimeoutStrategy, timeout } from 'cockatiel'
import { Places, type Share } from './places.js'

/** Whether a failed attempt is worth another one: `once` per call, or as long as retries are left. */
export type Retry = 'never' | 'once' | 'always'

export interface AttemptFailure {
  readonly retry: Retry
}

export interface RetryPolicyOptions<F extends AttemptFailure> {
  /** Milliseconds for a whole call: its waiting for a free place, its attempts and the pauses between them. */
  readonly timeout: number
  /** Milliseconds for one attempt. */
  readonly attemptTimeout: number
  readonly maxRetries: number
  /** Attempts in flight at once, over all calls: as `Places` shares them. */
  readonly concurrency: number
  /** What an attempt's error means; `undefined` passes the error on as it is. */
  readonly classify: (error: unknown) => F | undefined
  /** What it means that an attempt had no answer in time. */
  readonly timedOut: F
  /** Told of a failed attempt that another one follows. */
  readonly onRetry?: (failure: F, attempt: number) => void
}

/** The end of a call that was given up. It holds no error of the attempts, only what they were classified as. */
export class GaveUp<F extends AttemptFailure> extends Error {
  override readonly name = 'GaveUp'
  /** The last failure; none when no attempt has ended. */
  readonly failure: F | undefined
  readonly attempts: number
  /** Whether the time was over. */
  readonly late: boolean

  constructor(state: { failure: F | undefined; attempts: number; late: boolean }) {
    super('The call was given up.')
    this.failure = state.failure
    this.attempts = state.attempts
    this.late = state.late
  }
}

/** Makes one attempt after another until one succeeds. */
export type Attempts = <T>(attempt: (signal: AbortSignal) => Promise<T>) => Promise<T>

/** What is special about one run. */
export interface RunOptions {
  /** Whose share of what is in flight it takes, asked before each attempt; there is one for all unless given. */
  readonly shareOf?: (() => Share) | undefined
  /** When it must be over, as `performance.now()` tells it; after `timeout` unless given. */
  readonly ends?: number | undefined
}

interface Tally<F extends AttemptFailure> {
  attempts: number
  retriedOnce: boolean
  last: F | undefined
}

class AttemptFailed<F extends AttemptFailure> extends Error {
  readonly failure: F
  readonly again: boolean

  constructor(failure: F, again: boolean) {
    super('An attempt failed.')
    this.failure = failure
    this.again = again
  }
}

const AGGRESSIVE = { strategy: TimeoutStrategy.Aggressive, abortOnReturn: false }

/** Retries with growing, random pauses, within a deadline, with a limit on what is in flight at once. */
export class RetryPolicy<F extends AttemptFailure> {
  readonly #options: RetryPolicyOptions<F>
  readonly #retries
  readonly #places: Places
  readonly #attemptTimeout

  constructor(options: RetryPolicyOptions<F>) {
    const backoff = new ExponentialBackoff({ initialDelay: 100, maxDelay: 2_000 })
    const again = handleWhen((error) => error instanceof AttemptFailed && error.again)
    this.#options = options
    // The deadline's timer keeps the process alive as long as anyone waits; a pause must not do so longer.
    this.#retries = retry(again, { maxAttempts: options.maxRetries, backoff }).dangerouslyUnref()
    this.#places = new Places({ count: options.concurrency, slow: slowOf(options) })
    this.#attemptTimeout = timeout(options.attemptTimeout, AGGRESSIVE)
  }

  /** @throws GaveUp when the attempts or the time are used up; errors that `classify` passes on, as they are */
  async run<T>(work: (attempts: Attempts) => Promise<T>, { shareOf, ends }: RunOptions = {}): Promise<T> {
    const tally: Tally<F> = { attempts: 0, retriedOnce: false, last: undefined }
    let deadline: AbortSignal | undefined
    try {
      return await timeout(this.#left(ends), AGGRESSIVE).execute(({ signal }) => {
        deadline = signal
        const inPlace: Attempts = (attempt) =>
          this.#inPlace(shareOf?.(), signal, () => this.#attempt(attempt, signal, tally))
        return work((attempt) => this.#retries.execute(() => inPlace(attempt), signal))
      })
    } catch (error) {
      const late = deadline?.aborted ?? false
      if (late || error instanceof AttemptFailed) throw new GaveUp({ ...tally, failure: tally.last, late })
      throw error
    }
  }

  #left(ends = Number.POSITIVE_INFINITY): number {
    return Math.max(0, Math.min(this.#options.timeout, ends - performance.now()))
  }

  async #inPlace<T>(share: Share, deadline: AbortSignal, attempt: () => Promise<T>): Promise<T> {
    const giveBack = await this.#places.take(share, deadline)
    try {
      return await attempt()
    } finally {
      giveBack()
    }
  }

  async #attempt<T>(attempt: (signal: AbortSignal) => Promise<T>, deadline: AbortSignal, tally: Tally<F>): Promise<T> {
    if (deadline.aborted) throw new TaskCancelledError()
    tally.attempts += 1
    let own: AbortSignal | undefined
    try {
      return await this.#attemptTimeout.execute(({ signal }) => {
        own = signal
        return attempt(signal)
      }, deadline)
    } catch (error) {
      const failure = own?.aborted ? this.#options.timedOut : this.#options.classify(error)
      if (!failure) throw error
      const again = noteFailure(failure, tally, deadline)
      if (again && tally.attempts <= this.#options.maxRetries) this.#options.onRetry?.(failure, tally.attempts)
      throw new AttemptFailed(failure, again)
    }
  }
}

/** Milliseconds from which on an attempt is slow: half of those that it has. */
export function slowOf({ attemptTimeout }: { readonly attemptTimeout: number }): number {
  return attemptTimeout / 2
}

/** Keeps the failure, unless the deadline itself made it, and says whether to try again. */
function noteFailure<F extends AttemptFailure>(failure: F, tally: Tally<F>, deadline: AbortSignal): boolean {
  if (deadline.aborted) return false
  tally.last = failure
  const again = failure.retry === 'always' || (failure.retry === 'once' && !tally.retriedOnce)
  if (failure.retry === 'once') tally.retriedOnce = true
  return again
}
