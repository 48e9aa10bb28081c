import type { KeyStore } from './keyStore.js'
import type { Kms } from './kms.js'

/** Makes a `Kms` that keeps keys of its own in the keys table. */
export type KmsOfStore = (store: KeyStore) => Kms

export function openKms(kms: Kms | KmsOfStore, store: KeyStore): Kms {
  return typeof kms === 'function' ? kms(store) : kms
}
