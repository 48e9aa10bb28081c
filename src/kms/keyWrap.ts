import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto'
import { decodeBase64url } from '../crypto/bytes.js'
import { DEK_BYTES } from '../crypto/keys.js'

const NONCE = 12
const TAG = 16

/** How a DEK is wrapped, or a value encrypted, in this process. */
export interface Wrapping {
  /** Names the format, at the start of the text. */
  readonly prefix: string
  readonly key: KeyObject
  readonly aad: Buffer
}

/** prefix ‖ base64url(nonce(12) ‖ AES-256-GCM(bytes) ‖ tag(16)). Leaves `bytes` as they are. */
export function seal({ prefix, key, aad }: Wrapping, bytes: Buffer): string {
  const nonce = randomBytes(NONCE)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(aad)
  const body = Buffer.concat([nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()])
  return prefix + body.toString('base64url')
}

/** The bytes in memory of their own, to be zeroed by the caller; `null` for a text not made with this key and AAD. */
export function unseal({ prefix, key, aad }: Wrapping, text: unknown): Buffer | null {
  const body = typeof text === 'string' && text.startsWith(prefix) ? decodeBase64url(text.slice(prefix.length)) : null
  if (body === null || body.length < NONCE + TAG) return null
  const decipher = createDecipheriv('aes-256-gcm', key, body.subarray(0, NONCE)).setAAD(aad)
  decipher.setAuthTag(body.subarray(-TAG))
  const bytes = decipher.update(body.subarray(NONCE, -TAG))
  try {
    decipher.final()
    return bytes
  } catch {
    bytes.fill(0)
    return null
  }
}

/** As `unseal`, of a DEK. */
export function unwrapDek(wrapping: Wrapping, text: string): Buffer | null {
  const dek = unseal(wrapping, text)
  if (dek?.length === DEK_BYTES) return dek
  dek?.fill(0)
  return null
}
