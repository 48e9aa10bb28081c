import { randomUUID } from 'node:crypto'
import type { NewKey } from '../../src/keys/keyStore.js'

/** A key as a key store is given it, like any other but for the change. */
export function newKey(change: Partial<NewKey> = {}): NewKey {
  return {
    id: randomUUID(),
    tenant: 'acme',
    purpose: 'encrypt',
    version: 1,
    state: 'active',
    wrapped: 'opaque',
    kms: 'local',
    kekId: 'local:0',
    messages: 0,
    ...change,
  }
}
