import { setTimeout } from 'node:timers/promises'

/** The time within which starts may bunch, in milliseconds: timers are late, more so on a busy machine. */
const BUNCH = 100

/** Waits until the next start is due. */
export type Pace = (signal?: AbortSignal) => Promise<void>

/**
 * Spaces starts, for a service that counts requests per second: never more than `rate` in any second, and nearly evenly.
 *
 * @param rate starts per second
 */
export function paceOf(rate: number): Pace {
  if (rate === Number.POSITIVE_INFINITY) return async (signal) => signal?.throwIfAborted()
  const bunch = Math.max(1, Math.floor((rate * BUNCH) / 1000))
  // As many windows as a second can have: a bunch at the beginning of each must not be more than the rate.
  const window = rate < 1 ? 1000 / rate : 1000 / Math.floor(rate / bunch)
  /** When the last starts were, each overwritten by the one that is `bunch` later. */
  const starts = new Array<number>(bunch).fill(Number.NEGATIVE_INFINITY)
  let next = 0
  const begin = async (signal?: AbortSignal) => {
    signal?.throwIfAborted()
    const untilDue = () => starts[next]! + window - performance.now()
    for (let wait = untilDue(); wait > 0; wait = untilDue()) await setTimeout(wait, undefined, signal && { signal })
    starts[next] = performance.now()
    next = (next + 1) % bunch
  }
  /** One after the other: who is late makes those behind it later, or they would bunch. */
  let last: Promise<void> = Promise.resolve()
  return (signal) => {
    const turn = last.then(() => begin(signal))
    last = turn.catch(() => undefined)
    return turn
  }
}
