import type { KeyStore } from './keyStore.js'
import type { Kms } from './kms.js'
import type { Observation } from './observedKms.js'

/** Makes a `Kms` that keeps keys of its own in the keys table. */
export type KmsOfStore = (store: KeyStore, observation?: Observation) => Kms

export function openKms(kms: Kms | KmsOfStore, store: KeyStore, observation?: Observation): Kms {
  return typeof kms === 'function' ? kms(store, observation) : kms
}
