import { setTimeout } from 'node:timers/promises'

/** How far a pace may catch up after a pause, in milliseconds: timers are late by one or two. */
const SLACK = 10

/** Waits until the next start is due. */
export type Pace = (signal?: AbortSignal) => Promise<void>

/**
 * Spaces starts evenly, for a service that counts requests per second.
 *
 * @param rate starts per second
 */
export function paceOf(rate: number): Pace {
  const interval = 1000 / rate
  let next = 0
  return async (signal) => {
    const now = performance.now()
    next = Math.max(next, now - SLACK) + interval
    if (next - interval > now) await setTimeout(next - interval - now, undefined, signal && { signal })
    else signal?.throwIfAborted()
  }
}
