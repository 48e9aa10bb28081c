import { blindIndexes, indexPrefix } from '../crypto/blindIndex.js'
import type { Dek } from '../keys/dek.js'
import type { CipherIndex } from './slot.js'

/** What one key makes of messages, in the form of the index's column. */
export function indexValues(
  dek: Dek,
  index: CipherIndex,
  messages: readonly (string | Uint8Array)[],
): (string | Uint8Array)[] {
  const made = blindIndexes(dek.indexes!, prefixOf(index), messages, index.bits)
  return made.map((bytes) => (index.column === 'Bytes' ? new Uint8Array(bytes) : bytes.toString('base64url')))
}

const PREFIXES = new WeakMap<CipherIndex, Buffer>()

function prefixOf(index: CipherIndex): Buffer {
  let prefix = PREFIXES.get(index)
  if (!prefix) {
    prefix = indexPrefix(
      index.sources.map(({ context }) => context),
      index,
    )
    PREFIXES.set(index, prefix)
  }
  return prefix
}
