import { setTimeout as sleep } from 'node:timers/promises'

export interface Patience {
  /** In milliseconds; 30 s unless given. */
  readonly timeout?: number
  /** Between two attempts, in milliseconds; 50 unless given. */
  readonly interval?: number
}

/**
 * Tries an expectation again and again until it holds, whatever it fails with.
 *
 * @throws Error when it does not in time, with what was expected and what was there last
 *
 * @example
 * ```ts
 * await eventually(async () => expect(await states()).toEqual(['1 retired', '2 active']))
 * ```
 */
export async function eventually(expectation: () => unknown, patience: Patience = {}): Promise<void> {
  const { timeout = 30_000, interval = 50 } = patience
  const end = performance.now() + timeout
  let last = 'one attempt has not come to its end'
  for (;;) {
    const left = end - performance.now()
    if (left <= 0) throw new Error(`after ${timeout} ms still not: ${expectation}\n\n${last}`)
    const failure = await failureWithin(left, expectation)
    if (failure === undefined) return
    last = failure ?? last
    await sleep(interval)
  }
}

/** What an attempt fails with, `undefined` when it holds, `null` when it has not come to its end in time. */
async function failureWithin(milliseconds: number, expectation: () => unknown): Promise<string | undefined | null> {
  const over = new AbortController()
  const attempt = async () => {
    await expectation()
    return undefined
  }
  try {
    return await Promise.race([
      attempt().catch((error) => String((error as Error)?.message ?? error)),
      sleep(milliseconds, null, { signal: over.signal }),
    ])
  } finally {
    over.abort()
  }
}
