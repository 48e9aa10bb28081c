import { FieldsealError } from '../errors.js'
import type { Around, Emit, KmsCall } from './events.js'
import { type DekIdentity, encryptsValues, type Kms, type ValueIdentity } from './kms.js'
import { withRetriesTold } from './retries.js'

export interface Observation {
  readonly emit: Emit | undefined
  readonly around: Around | undefined
  /** Told when a new key has succeeded one that could have gone on, so that other processes can know. */
  readonly onRotated?: (tenant: string) => void
}

/** The same KMS, with its calls told to whoever watches; the KMS itself when nobody does. */
export function observedKms(kms: Kms, { emit, around }: Observation): Kms {
  if (!emit && !around) return kms
  const observe: Observe = (action, identity, work) => {
    const call = { action, kms: kms.name, ...subjectOf(identity) }
    const { tenant } = identity
    const told = () => withRetriesTold((failed) => emit?.({ type: 'kms.retry', ...call, tenant, ...failed }), work)
    const timed = () => time(told, (end) => emit?.({ type: 'kms.call', ...call, tenant, ...end }))
    return around ? around(call, timed) : timed()
  }
  return {
    ...kms,
    name: kms.name,
    generate: (identity) => observe('generate', identity, () => kms.generate(identity)),
    unwrap: (wrapped, identity) => observe('unwrap', identity, () => kms.unwrap(wrapped, identity)),
    ...observedMoves(kms, observe),
    ...observedValues(kms, observe),
  }
}

type Observe = <T>(
  action: KmsCall['action'],
  identity: DekIdentity | ValueIdentity,
  work: () => Promise<T>,
) => Promise<T>

function observedMoves(kms: Kms, observe: Observe): Pick<Kms, 'wrap' | 'rewrap'> {
  const { wrap, rewrap } = kms
  return {
    ...(wrap ? { wrap: (dek, identity) => observe('wrap', identity, () => wrap.call(kms, dek, identity)) } : {}),
    ...(rewrap
      ? { rewrap: (old, identity) => observe('rewrap', identity, () => rewrap.call(kms, old, identity)) }
      : {}),
  }
}

function observedValues(kms: Kms, observe: Observe): Pick<Kms, 'encrypt' | 'decrypt'> {
  if (!encryptsValues(kms)) return {}
  return {
    encrypt: (plaintext, identity) => observe('encrypt', identity, () => kms.encrypt(plaintext, identity)),
    decrypt: (ciphertext, identity) => observe('decrypt', identity, () => kms.decrypt(ciphertext, identity)),
  }
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
