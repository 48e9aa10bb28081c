import { createHmac, type KeyObject } from 'node:crypto'

/** HMAC-SHA-256 (RFC 2104) of the parts, one after the other. */
export function hmacSha256(key: KeyObject, ...parts: readonly (string | Uint8Array)[]): Buffer {
  const hmac = createHmac('sha256', key)
  for (const part of parts) hmac.update(part)
  return hmac.digest()
}
