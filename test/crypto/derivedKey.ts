import type { KeyObject } from 'node:crypto'
import { deriveWith } from '../../src/crypto/keys.js'

/** What a DEK derives for a use, where nothing else is made of it. */
export function deriveKey(dek: Uint8Array, use: Parameters<typeof deriveWith>[1]): KeyObject {
  return deriveWith(dek, use, () => undefined).key
}
