import { FieldsealError } from '../../errors.js'
import { reportRetry } from '../../keys/retries.js'
import { type CallFailure, unavailable } from './callFailure.js'
import type { CallLimits } from './callOptions.js'
import { type Attempts, GaveUp, RetryPolicy } from './retryPolicy.js'

/** What a call is about, for messages. */
export interface Target {
  /** The service's name of what it is asked to do, as its policies name it. */
  readonly action: string
  /** What is encrypted or opened; a DEK unless given. */
  readonly subject?: 'value'
  /** `ofTenant(tenant)` until it is known. */
  keyId: string
  /**
   * When it must be over, as `performance.now()` tells it, where several calls make one operation; after `timeout` unless
   * given.
   */
  readonly ends?: number
}

/** What messages call the service. */
export interface KmsService {
  /** `'Tencent KMS'` */
  readonly service: string
  /** Who is at the other end of the network; the service unless given. */
  readonly vendor?: string
  /** What its adapter calls the option for calls at once; `concurrency` unless given. */
  readonly concurrencyOption?: string
}

/** What is called, and how. */
export interface CallsOptions extends KmsService {
  readonly limits: CallLimits
  /** Whether there are several KEKs, which share `concurrency`. */
  readonly several: boolean
  /** What an attempt's error means. Errors of this library are not asked about: they pass as they are. */
  readonly classify: (error: unknown) => CallFailure
  /** What to do about a failure: the end of its message. */
  readonly advice: (failure: CallFailure, target: Target) => string
}

/** Makes a call, again if need be; its errors are this library's. */
export type Call = <T>(target: Target, work: (attempts: Attempts) => Promise<T>) => Promise<T>

const TIMED_OUT = unavailable('no answer in time')

const busy = (option: string) =>
  `No request was sent: the keyId function took too long, or other calls held all places. Raise "${option}" or ` +
  '"timeout", or warm fewer tenants at a time.'

/**
 * The calls of one adapter: they share the places that `concurrency` gives, of which one KEK that hangs cannot have all. A call has one deadline, for `work` as a whole;
 * what `work` hands to `attempts` is tried again as long as the failure is worth it. Retries are told to whoever watches.
 *
 * @example
 * ```ts
 * const call = callsOf({ service: 'AWS KMS', limits, classify, advice })
 * const target: Target = { action: 'Decrypt', keyId: kekId }
 * return call(target, async (attempts) => {
 *   await kekIds.expectOwn({ wrapped, kekId }, identity)
 *   return attempts(async (signal) => readUnwrapped(await send('Decrypt', request, signal), target))
 * })
 * ```
 */
export function callsOf({ limits, several, classify, ...words }: CallsOptions): Call {
  const retryPolicy = new RetryPolicy<CallFailure>({
    ...limits,
    classify: (error) => (FieldsealError.is(error) ? undefined : classify(error)),
    timedOut: TIMED_OUT,
    onRetry: ({ code, reason }, attempt) => reportRetry({ attempt, code, reason }),
  })
  return async (target, work) =>
    retryPolicy
      .run(work, { shareOf: () => (several ? target.keyId : undefined), ends: target.ends })
      .catch((error: unknown) => {
        throw error instanceof GaveUp ? gaveUp(error, target, limits.timeout, words) : error
      })
}

/** Makes the errors of answers that are not as they must be; `why` follows "the answer". */
export function callRefusedOf({ service, vendor = service }: KmsService): (t: Target, why: string) => FieldsealError {
  return ({ action, keyId, subject }, why) => {
    const row = subject === 'value' ? 'row' : 'row of the keys table'
    return new FieldsealError(
      'KMS_REFUSED',
      `${service}, ${action} with key ${keyId}: the answer ${why}. Compare the ${row} with a backup, and ` +
        `check that nothing stands between this host and ${vendor}.`,
    )
  }
}

/** The library's error for a call that was given up. */
function gaveUp(
  { failure: last, attempts, late }: GaveUp<CallFailure>,
  target: Target,
  timeout: number,
  {
    service,
    advice,
    concurrencyOption = 'concurrency',
  }: Pick<CallsOptions, 'service' | 'advice' | 'concurrencyOption'>,
): FieldsealError {
  const failure = last ?? TIMED_OUT
  const { code, reason, details } = failure
  const request = details.requestId === undefined ? '' : ` (request ${details.requestId})`
  const times = attempts === 1 ? '1 attempt' : `${attempts} attempts`
  const end = late
    ? `given up after ${timeout} ms and ${times}: ${reason}${request}`
    : `${reason}${request} after ${times}`
  const next = attempts === 0 ? busy(concurrencyOption) : advice(failure, target)
  const message = `${service}, ${target.action} with key ${target.keyId}: ${end}. ${next}`
  return new FieldsealError(code, message, { cause: details })
}
