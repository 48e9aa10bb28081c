import { setTimeout } from 'node:timers/promises'

/** What an answer itself may take, in milliseconds. */
const RESERVE = 500

/** What the platform tells of an invocation. */
export interface Context {
  getRemainingTimeInMillis(): number
}

/** The work has not ended in time. Whether it was done, nobody knows: its caller has to ask again. */
export class DeadlineError extends Error {}

export async function withinDeadline<T>(context: Context, work: () => Promise<T>): Promise<T> {
  const over = new AbortController()
  const left = Math.max(0, context.getRemainingTimeInMillis() - RESERVE)
  const deadline = setTimeout(left, undefined, { signal: over.signal }).then(() => {
    throw new DeadlineError('no time is left')
  })
  try {
    return await Promise.race([work(), deadline])
  } finally {
    over.abort()
  }
}
