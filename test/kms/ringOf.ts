import type { MemoryKeyStore } from 'fieldseal/testing'
import { DekCache } from '../../src/keys/cache/dekCache.js'
import { KeyRing } from '../../src/keys/keyRing.js'
import type { Kms } from '../../src/keys/kms.js'

/** The keys as a process has them that begins now. */
export function ringOf(kms: Kms, store: MemoryKeyStore): KeyRing {
  return new KeyRing({ kms, store, cache: new DekCache({ ttl: 60_000, max: 100, staleFor: 0 }) })
}
