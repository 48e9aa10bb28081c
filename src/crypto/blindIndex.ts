import { lengthPrefixed } from './bytes.js'
import type { IndexKey } from './engine.js'

/** Between the contexts of an index over several fields; no context of one field has it. */
const COMBINED = '+'

/** What makes an index over given fields what it is. */
export interface IndexParameters {
  /** 8 to 256, a multiple of 8. */
  readonly bits: number
  /** The names of its normalisers, in the order in which they are applied. */
  readonly normalize: readonly string[]
}

/**
 * What sets the values of one index apart from those of others under the same key: LP(context) ‖ LP(parameters), the
 * latter as canonical JSON. Without the parameters a short index would begin a longer one over the same field, and of two
 * that normalise differently equal values would tell that a value was normal already.
 */
export function indexPrefix(contexts: readonly string[], { bits, normalize }: IndexParameters): Buffer {
  const parameters = JSON.stringify({ bits, normalize })
  return Buffer.concat([lengthPrefixed(contexts.join(COMBINED)), lengthPrefixed(parameters)])
}

/**
 * Blind index values: HMAC-SHA-256(key, prefix ‖ plaintext) cut to `bits`, where plaintext is codec(1) ‖ normalised
 * value, or LP of that for each field of an index over several. Equal values of one tenant in one index give equal index
 * values; nothing else is revealed to those without the key.
 *
 * @param prefix of an index of so many bits
 */
export function blindIndexes(
  key: IndexKey,
  prefix: Buffer,
  plaintexts: readonly (string | Uint8Array)[],
  bits: number,
): Buffer[] {
  return key.index(prefix, plaintexts, bits / 8)
}
