import type { CipherIndex } from '../cipher/cipher.js'

/** An index of fewer bits finds other values too. */
const EXACT_BITS = 128

/** Whether a blind index finds no other values than those that are looked for. */
export function isExact({ bits }: Pick<CipherIndex, 'bits'>): boolean {
  return bits >= EXACT_BITS
}
