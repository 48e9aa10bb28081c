import { FieldsealError } from '../errors.js'
import { aroundKms } from './aroundKms.js'
import type { Around, Emit, KmsCall } from './events.js'
import type { DekIdentity, Kms, ValueIdentity } from './kms.js'
import { withRetryListener } from './retries.js'

export interface Observation {
  readonly emit: Emit | undefined
  readonly around: Around | undefined
  /** Told when a new key has succeeded one that could have gone on, so that other processes can know. */
  readonly onRotated?: (tenant: string) => void
}

/** The same KMS, with its calls told to whoever watches; the KMS itself when nobody does. */
export function observedKms(kms: Kms, { emit, around }: Observation): Kms {
  if (!emit && !around) return kms
  return aroundKms(kms, (action, identity, work) => {
    const asked = () => work(identity)
    const call = { action, kms: kms.name, ...subjectOf(identity) }
    const { tenant } = identity
    const told = () => withRetryListener((failed) => emit?.({ type: 'kms.retry', ...call, tenant, ...failed }), asked)
    const timed = () => time(told, (end) => emit?.({ type: 'kms.call', ...call, tenant, ...end }))
    return around ? around(call, timed) : timed()
  })
}

function subjectOf(identity: DekIdentity | ValueIdentity): Pick<KmsCall, 'purpose' | 'key' | 'field'> {
  return 'field' in identity
    ? { purpose: 'value', field: identity.field }
    : { purpose: identity.purpose, key: identity.key }
}

type End = Pick<Parameters<Emit>[0] & { type: 'kms.call' }, 'milliseconds' | 'code'>

async function time<T>(work: () => Promise<T>, tell: (end: End) => void): Promise<T> {
  const start = performance.now()
  try {
    const result = await work()
    tell({ milliseconds: performance.now() - start, code: undefined })
    return result
  } catch (error) {
    const code = FieldsealError.is(error) ? error.code : 'KMS_UNAVAILABLE'
    tell({ milliseconds: performance.now() - start, code })
    throw error
  }
}
