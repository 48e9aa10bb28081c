import { createHmac, type KeyObject } from 'node:crypto'
import { lengthPrefixed } from './bytes.js'

/**
 * A blind index value: HMAC-SHA-256(key, LP(context) ‖ plaintext) cut to `bits`, where plaintext is
 * codec(1) ‖ normalised value. Equal values of one tenant in one field give equal indexes; nothing else is revealed
 * to who has no key.
 *
 * @param bits 8 to 256, a multiple of 8
 */
export function blindIndex(key: KeyObject, context: string, plaintext: string | Uint8Array, bits: number): Buffer {
  const mac = createHmac('sha256', key).update(lengthPrefixed(context)).update(plaintext).digest()
  return mac.subarray(0, bits / 8)
}
