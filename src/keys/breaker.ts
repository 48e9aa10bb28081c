import {
  BrokenCircuitError,
  type CircuitBreakerPolicy,
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  handleWhen,
} from 'cockatiel'
import { FieldsealError } from '../errors.js'
import { aroundKms } from './aroundKms.js'
import type { KmsCall } from './events.js'
import type { Kms } from './kms.js'

/** Calls that fail one after another before no more are made. */
const FAILURES = 10
const FIRST_PAUSE = 1_000
const LONGEST_PAUSE = 30_000

/**
 * The same KMS, spared while it is down: after ten calls in a row without an answer, further ones fail at once, and one
 * call after a pause, of one second at first and thirty at most, finds out whether it is back. What makes and what opens
 * is judged apart, of keys and of values. Wrapping and rewrapping are never held back: who asks for them waits for all KMSs.
 */
export function withBreaker(kms: Kms): Kms {
  if (kms.ownBreaker) return kms
  const breakers: { readonly [Action in KmsCall['action']]: CircuitBreakerPolicy | undefined } = {
    generate: breaker(),
    unwrap: breaker(),
    encrypt: breaker(),
    decrypt: breaker(),
    wrap: undefined,
    rewrap: undefined,
  }
  return aroundKms(kms, (action, identity, call) => {
    const policy = breakers[action]
    return policy ? guarded(policy, () => call(identity)) : call(identity)
  })
}

const notAsked = new WeakSet<object>()

/** Whether this is why a call failed: the KMS is spared, and was not asked. */
export function wasSpared(error: unknown): boolean {
  return typeof error === 'object' && error !== null && notAsked.has(error)
}

function breaker(): CircuitBreakerPolicy {
  const isDown = handleWhen((error) => FieldsealError.is(error, 'KMS_UNAVAILABLE'))
  const halfOpenAfter = new ExponentialBackoff({ initialDelay: FIRST_PAUSE, maxDelay: LONGEST_PAUSE })
  return circuitBreaker(isDown, { halfOpenAfter, breaker: new ConsecutiveBreaker(FAILURES) })
}

async function guarded<T>(policy: CircuitBreakerPolicy, call: () => Promise<T>): Promise<T> {
  try {
    return await policy.execute(call)
  } catch (error) {
    if (!(error instanceof BrokenCircuitError)) throw error
    const message =
      `the KMS did not answer the last ${FAILURES} calls, so it is not asked now, and again within ` +
      `${LONGEST_PAUSE / 1000} s. Look at its status and the network`
    const spared = new FieldsealError('KMS_UNAVAILABLE', message)
    notAsked.add(spared)
    throw spared
  }
}
