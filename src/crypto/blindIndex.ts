import { createHmac, type KeyObject } from 'node:crypto'
import { lengthPrefixed } from './bytes.js'

/**
 * A blind index value: HMAC-SHA-256(key, LP(context) ‖ plaintext) cut to `bits`, where plaintext is
 * codec(1) ‖ normalised value. Equal values of one tenant in one field give equal indexes; nothing else is revealed
 * to those without the key.
 *
 * @param bits 8 to 256, a multiple of 8
 */
export function blindIndex(key: KeyObject, context: string, plaintext: string | Uint8Array, bits: number): Buffer {
  return hmacSha256(key, lengthPrefixed(context), plaintext).subarray(0, bits / 8)
}

/** HMAC-SHA-256 (RFC 2104) of the parts, one after the other. */
export function hmacSha256(key: KeyObject, ...parts: readonly (string | Uint8Array)[]): Buffer {
  const hmac = createHmac('sha256', key)
  for (const part of parts) hmac.update(part)
  return hmac.digest()
}
