import { FieldsealError } from '../errors.js'
import type { Around, Emit, KmsCall } from './events.js'
import type { DekIdentity, Kms } from './kms.js'

export interface Observation {
  readonly emit: Emit | undefined
  readonly around: Around | undefined
  /** Told when a new key has succeeded one that could have gone on, so that other processes can know. */
  readonly onRotated?: (tenant: string) => void
}

/** The same KMS, with its calls told to whoever watches; the KMS itself when nobody does. */
export function observedKms(kms: Kms, { emit, around }: Observation): Kms {
  if (!emit && !around) return kms
  const observe = <T>(action: KmsCall['action'], identity: DekIdentity, work: () => Promise<T>): Promise<T> => {
    const call: KmsCall = { action, kms: kms.name, purpose: identity.purpose, key: identity.key }
    const timed = () => time(work, (end) => emit?.({ type: 'kms.call', ...call, tenant: identity.tenant, ...end }))
    return around ? around(call, timed) : timed()
  }
  return {
    ...kms,
    name: kms.name,
    generate: (identity) => observe('generate', identity, () => kms.generate(identity)),
    unwrap: (wrapped, identity) => observe('unwrap', identity, () => kms.unwrap(wrapped, identity)),
  }
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
