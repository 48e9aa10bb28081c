import type { Call, Target } from '../call/kmsCall.js'
import type { PooledSession, SessionPool } from './sessionPool.js'

/**
 * Makes a call of the token, in one session, again if need be.
 *
 * @param ask learns what the options say of the tenant, once
 */
export type InToken = <A, T>(
  target: Target,
  ask: () => Promise<A>,
  work: (pooled: PooledSession, answer: A) => Promise<T>,
) => Promise<T>

interface InTokenOptions {
  readonly call: Call
  readonly pool: SessionPool
  /** Whether there are several KEKs, which share the sessions. */
  readonly several: boolean
}

export function inTokenOf({ call, pool, several }: InTokenOptions): InToken {
  return (target, ask, work) =>
    call(target, async (attempts) => {
      const answer = await ask()
      const share = several ? target.keyId : undefined
      return attempts(async (signal) => {
        const result = await pool.use({ share, signal }, (pooled) => work(pooled, answer))
        if (signal.aborted) zero(result)
        return result
      })
    })
}

/** Nobody waits any longer for what came too late, and so nobody else zeroes it. */
function zero(result: unknown): void {
  const { dek = result } = result as { readonly dek?: unknown }
  if (Buffer.isBuffer(dek)) dek.fill(0)
}
