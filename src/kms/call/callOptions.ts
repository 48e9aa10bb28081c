import { invalidOptionOf } from '../../invalidOptions.js'

/** How an adapter calls its service. */
export interface CallOptions {
  /** Milliseconds for a whole call, its retries and its waiting included; 10,000 unless given. */
  readonly timeout?: number | undefined
  /** Milliseconds for one attempt; 3,000, or `timeout` if that is shorter, unless given. */
  readonly attemptTimeout?: number | undefined
  /** Retries after the first attempt; 5 unless given, 0 for none. */
  readonly maxRetries?: number | undefined
  /** Requests in flight at once, over all calls; more of them wait. 20 unless given. */
  readonly concurrency?: number | undefined
}

/** `CallOptions` with their defaults. */
export interface CallLimits {
  readonly timeout: number
  readonly attemptTimeout: number
  readonly maxRetries: number
  readonly concurrency: number
}

/** The names of `CallOptions`, for `checkOptionNames`. */
export const CALL_OPTIONS = ['timeout', 'attemptTimeout', 'maxRetries', 'concurrency'] as const

const MAX_MILLISECONDS = 2 ** 31 - 1

/** @throws FieldsealError `OPTIONS_INVALID`, naming the option */
export function checkedCallOptions(adapter: string, options: CallOptions): CallLimits {
  const { timeout = 10_000, maxRetries = 5, concurrency = 20 } = options
  const { attemptTimeout = Math.min(3_000, timeout) } = options
  checkInteger(adapter, { timeout }, 1, MAX_MILLISECONDS)
  checkInteger(adapter, { attemptTimeout }, 1, MAX_MILLISECONDS)
  checkInteger(adapter, { maxRetries }, 0, 100)
  checkInteger(adapter, { concurrency }, 1, 10_000)
  if (attemptTimeout <= timeout) return { timeout, attemptTimeout, maxRetries, concurrency }
  throw invalidOptionOf(adapter)('attemptTimeout', `(${attemptTimeout}) is longer than timeout (${timeout})`)
}

/** @throws FieldsealError `OPTIONS_INVALID` for an option that does not exist */
export function checkOptionNames(adapter: string, options: object, names: readonly string[]): void {
  const unknown = Object.keys(options).find((name) => !names.includes(name))
  if (unknown !== undefined) throw invalidOptionOf(adapter)(unknown, `does not exist; there are ${names.join(', ')}`)
}

/**
 * @param option its name and its value
 * @throws FieldsealError `OPTIONS_INVALID`, naming the option
 */
export function checkInteger(
  adapter: string,
  option: { readonly [name: string]: unknown },
  min: number,
  max: number,
): void {
  for (const [name, value] of Object.entries(option)) {
    const fits = Number.isInteger(value) && (value as number) >= min && (value as number) <= max
    if (!fits) throw invalidOptionOf(adapter)(name, `must be a whole number from ${min} to ${max}`)
  }
}
