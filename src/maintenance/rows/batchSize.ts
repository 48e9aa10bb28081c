import { setTimeout as delay } from 'node:timers/promises'

const SMALLEST = 20
const LARGEST = 2_000
const FIRST = 500
/** How long one statement should take, in milliseconds: rows are locked for that long. */
const TARGET = 250

/** The size of batches, so that each statement takes about as long as it should, whatever the rows and the load. */
export class BatchSize {
  #rows = FIRST

  get rows(): number {
    return Math.round(this.#rows)
  }

  /** Learns from a statement that took `ms`. */
  adjustTo(ms: number): void {
    const factor = Math.min(2, Math.max(0.25, TARGET / Math.max(ms, 1)))
    this.#rows = Math.min(LARGEST, Math.max(SMALLEST, this.#rows * factor))
  }

  /** Others were held up. */
  shrink(): void {
    this.adjustTo(Number.POSITIVE_INFINITY)
  }
}

/** Keeps work at or below a rate, by waiting after each batch. */
export class Throttle {
  readonly #perSecond: () => number
  #free = 0

  /** @param perSecond rows, as of now; `Infinity` for no limit */
  constructor(perSecond: () => number) {
    this.#perSecond = perSecond
  }

  async after(rows: number, signal: AbortSignal | undefined): Promise<void> {
    const now = performance.now()
    this.#free = Math.max(this.#free, now) + (rows / this.#perSecond()) * 1000
    await pause(this.#free - now, signal)
  }
}

/** Waits, but not once the signal is given. */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  if (ms < 1 || signal?.aborted) return
  await delay(ms, undefined, signal && { signal }).catch(() => undefined)
}
