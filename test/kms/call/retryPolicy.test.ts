import { describe, expect, it } from '@jest/globals'
import { type AttemptFailure, GaveUp, RetryPolicy, type RetryPolicyOptions } from '../../../src/kms/call/retryPolicy.js'

const lasting: AttemptFailure = { retry: 'always' }
const late: AttemptFailure = { retry: 'always' }

function retryPolicy(options: Partial<RetryPolicyOptions<AttemptFailure>> = {}) {
  const defaults = { timeout: 5_000, attemptTimeout: 5_000, maxRetries: 2, concurrency: 20 }
  return new RetryPolicy<AttemptFailure>({ ...defaults, classify: () => lasting, timedOut: late, ...options })
}

function gate() {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, opened }
}

describe('RetryPolicy', () => {
  it('passes on an error that is not classified, at once and as it is', async () => {
    let attempts = 0
    const error = new Error('mine')
    const run = retryPolicy({ classify: () => undefined }).run((tries) =>
      tries(() => {
        attempts += 1
        return Promise.reject(error)
      }),
    )
    await expect(run).rejects.toBe(error)
    expect(attempts).toBe(1)
  })

  it('gives up after the first attempt and its retries, with the last failure and no error of an attempt', async () => {
    const error = await retryPolicy()
      .run((tries) => tries(() => Promise.reject(new Error('a secret'))))
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(GaveUp)
    expect(error).toMatchObject({ failure: lasting, attempts: 3, late: false })
    expect(error).not.toHaveProperty('cause')
  })

  it('aborts an attempt that takes too long, and tells it from one that failed', async () => {
    const signals: AbortSignal[] = []
    const error = await retryPolicy({ attemptTimeout: 20, maxRetries: 1 })
      .run((tries) =>
        tries((signal) => {
          signals.push(signal)
          return new Promise(() => {})
        }),
      )
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ failure: late, attempts: 2, late: false })
    expect(signals.map((signal) => signal.aborted)).toEqual([true, true])
  })

  it('does not abort what has been answered', async () => {
    let seen: AbortSignal | undefined
    await retryPolicy().run((tries) =>
      tries(async (signal) => {
        seen = signal
      }),
    )
    expect(seen?.aborted).toBe(false)
  })

  it('wakes the next call in the queue when one before it has expired there', async () => {
    const calls = retryPolicy({ concurrency: 1, timeout: 100, attemptTimeout: 100, maxRetries: 0 })
    const [begin, release] = [gate(), gate()]
    const expires = calls.run(async (tries) => {
      await begin.opened
      return tries(async () => 'never sent')
    })
    const holds = calls.run((tries) => tries(() => release.opened))
    begin.open()
    await Promise.resolve()
    await begin.opened
    const waits = calls.run((tries) => tries(async () => 'sent'))
    await expect(expires).rejects.toMatchObject({ attempts: 0, late: true })
    release.open()
    await expect(holds).resolves.toBeUndefined()
    await expect(waits).resolves.toBe('sent')
  })
})
