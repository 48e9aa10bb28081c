import { AsyncLocalStorage } from 'node:async_hooks'
import type { ErrorCode } from '../errors.js'

/** An attempt of a call that failed and is made again. */
export interface FailedAttempt {
  /** 1 for the first. */
  readonly attempt: number
  /** What the call would fail with. */
  readonly code: ErrorCode
  /** The KMS's own code, or what went wrong on the way. */
  readonly reason: string
}

const listeners = new AsyncLocalStorage<(failed: FailedAttempt) => void>()

/**
 * Does work, and has the retries of the KMS's calls in it told, to whoever listens around it too: a `Kms` may serve
 * clients that listen and others.
 */
export function withRetryListener<T>(listener: (failed: FailedAttempt) => void, work: () => T): T {
  const outer = listeners.getStore()
  const both = (failed: FailedAttempt) => {
    listener(failed)
    outer?.(failed)
  }
  return listeners.run(outer ? both : listener, work)
}

/** For a `Kms`: tells whoever watches the running call that it is tried again. */
export function reportRetry(failed: FailedAttempt): void {
  listeners.getStore()?.(failed)
}
