import type { KeyStore } from './keyStore.js'
import type { Kms } from './kms.js'
import type { Observation } from './observedKms.js'

/** A `Kms` that keeps keys of its own in the keys table, which it is given by the client that it works for. */
export interface StoredKms extends Kms {
  /** The KMS that wraps those keys. */
  readonly inner: Kms
  withStore(store: KeyStore, observation?: Observation): Kms
}

export function isStoredKms(kms: Kms): kms is StoredKms {
  return typeof (kms as Partial<StoredKms>).withStore === 'function'
}

/** The same KMS, able to work on a keys table. */
export function onStore(kms: Kms, store: KeyStore, observation?: Observation): Kms {
  return isStoredKms(kms) ? kms.withStore(store, observation) : kms
}
