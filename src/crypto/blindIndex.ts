import type { IndexKey } from './batch.js'
import { lengthPrefixed } from './bytes.js'

/** Between the contexts of an index over several fields; no context of one field has it. */
const COMBINED = '+'

/** What sets the values of one index apart from those of others under the same key: LP(context). */
export function indexPrefix(contexts: readonly string[]): Buffer {
  return lengthPrefixed(contexts.join(COMBINED))
}

/**
 * Blind index values: HMAC-SHA-256(key, LP(context) ‖ plaintext) cut to `bits`, where plaintext is
 * codec(1) ‖ normalised value, or LP of that for each field of an index over several. Equal values of one tenant in one
 * index give equal index values; nothing else is revealed to those without the key.
 *
 * @param bits 8 to 256, a multiple of 8
 */
export function blindIndexes(
  key: IndexKey,
  prefix: Buffer,
  plaintexts: readonly (string | Uint8Array)[],
  bits: number,
): Buffer[] {
  return key.index(prefix, plaintexts, bits / 8)
}
