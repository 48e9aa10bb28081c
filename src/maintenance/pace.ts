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
  const window = (bunch / rate) * 1000
  /** When the last starts were, each overwritten by the one that is `bunch` later. */
  const starts = new Array<number>(bunch).fill(Number.NEGATIVE_INFINITY)
  let next = 0
  return async (signal) => {
    const now = performance.now()
    const start = Math.max(now, starts[next]! + window)
    const own = next
    starts[own] = start
    next = (next + 1) % bunch
    if (start > now) await setTimeout(start - now, undefined, signal && { signal })
    else signal?.throwIfAborted()
    // One that waits for this start already has put its own in its place.
    if (starts[own] === start) starts[own] = Math.max(start, performance.now())
  }
}
