import type { ValueKind } from '../../crypto/codec.js'
import { hasExactNumbers, hasUniqueKeys, isExactNumber } from './exactJson.js'

/**
 * What would be lost of a plaintext if it were encrypted and decrypted again, in words that fit after "holds"; nothing of
 * most. That it may come back in another form of the same value, as 1.5 for 1.50, is no loss.
 *
 * @param text a value of the kind, as PostgreSQL writes it
 */
export function lossOf(kind: ValueKind, text: string): string | undefined {
  switch (kind) {
    case 'DateTime':
      return FINE.test(text) ? 'a time finer than a millisecond, which would be cut off: round it' : undefined
    case 'Float':
      return isExactNumber(text) ? undefined : 'a number that a Float would round: shorten it'
    case 'Json':
      if (!hasExactNumbers(text)) return 'a number in its JSON that JavaScript would round: make it a string'
      return hasUniqueKeys(text) ? undefined : 'JSON with the same key twice in an object: keep one'
    default:
      return undefined
  }
}

/** Digits behind the third of a second's fraction that say something. */
const FINE = /:\d\d\.\d{3}\d*[1-9]/
