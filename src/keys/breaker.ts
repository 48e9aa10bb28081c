import {
  BrokenCircuitError,
  type CircuitBreakerPolicy,
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  handleWhen,
} from 'cockatiel'
import { LRUCache } from 'lru-cache'
import { FieldsealError } from '../errors.js'
import { aroundKms } from './aroundKms.js'
import type { KmsCall } from './events.js'
import type { Kms } from './kms.js'

/** Calls that fail one after another before no more are made. */
const FAILURES = 10
const FIRST_PAUSE = 1_000
const LONGEST_PAUSE = 30_000
/** So many tenants must fail before it counts as the KMS: one of them may have a KEK, or a KMS, of its own that is gone. */
const TENANTS = 3
/** Tenants that are judged apart at once; the one that failed longest ago is forgotten. */
const MOST_TENANTS = 10_000

/**
 * The same KMS, spared while it is down: after ten calls in a row without an answer, further ones fail at once, and one
 * call after a pause, of one second at first and thirty at most, finds out whether it is back. That is judged for each
 * tenant, and for all together once several fail while none has an answer. What makes and what opens is judged apart, of
 * keys and of values. Wrapping and rewrapping are never held back: who asks for them waits for all KMSs.
 */
export function withBreaker(kms: Kms): Kms {
  if (kms.ownBreaker) return kms
  const guards: { readonly [Action in KmsCall['action']]: Guard | undefined } = {
    generate: new Guard(),
    unwrap: new Guard(),
    encrypt: new Guard(),
    decrypt: new Guard(),
    wrap: undefined,
    rewrap: undefined,
  }
  return aroundKms(kms, (action, identity, call) => {
    const guard = guards[action]
    return guard ? guard.run(identity.tenant, () => call(identity)) : call(identity)
  })
}

/** Calls of one action. */
class Guard {
  /** Tenants that failed since any had an answer. */
  readonly #failing = new Set<string>()
  readonly #tenants = new LRUCache<string, CircuitBreakerPolicy>({ max: MOST_TENANTS })
  readonly #all = breaker(() => this.#failing.size >= TENANTS)

  async run<T>(tenant: string, call: () => Promise<T>): Promise<T> {
    const own = this.#tenants.get(tenant)
    const asked = () => this.#all.execute(() => this.#noted(tenant, call))
    try {
      return await (own ? own.execute(asked) : asked())
    } catch (error) {
      if (error instanceof BrokenCircuitError) throw spared()
      // Most tenants never fail, and have no breaker.
      if (isDown(error) && !this.#tenants.has(tenant))
        this.#tenants.set(
          tenant,
          breaker(() => true, FAILURES - 1),
        )
      throw error
    }
  }

  async #noted<T>(tenant: string, call: () => Promise<T>): Promise<T> {
    try {
      const answer = await call()
      this.#failing.clear()
      return answer
    } catch (error) {
      if (isDown(error)) this.#failing.add(tenant)
      throw error
    }
  }
}

function isDown(error: unknown): boolean {
  return FieldsealError.is(error, 'KMS_UNAVAILABLE')
}

function breaker(counts: () => boolean, failures = FAILURES): CircuitBreakerPolicy {
  const policy = handleWhen((error) => isDown(error) && counts())
  const halfOpenAfter = new ExponentialBackoff({ initialDelay: FIRST_PAUSE, maxDelay: LONGEST_PAUSE })
  return circuitBreaker(policy, { halfOpenAfter, breaker: new ConsecutiveBreaker(failures) })
}

function spared(): FieldsealError {
  const message =
    `the KMS did not answer the last ${FAILURES} calls, so it is not asked now, and again within ` +
    `${LONGEST_PAUSE / 1000} s. Look at its status and the network`
  const error = new FieldsealError('KMS_UNAVAILABLE', message)
  notAsked.add(error)
  return error
}

const notAsked = new WeakSet<object>()

/** Whether this is why a call failed: the KMS is spared, and was not asked. */
export function wasSpared(error: unknown): boolean {
  return typeof error === 'object' && error !== null && notAsked.has(error)
}
