import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto'
import { decodeBase64url } from '../crypto/bytes.js'
import { DEK_BYTES } from '../crypto/keys.js'

const NONCE = 12
const TAG = 16

/** How a DEK is wrapped in this process. */
export interface Wrapping {
  /** Names the format, at the start of the text. */
  readonly prefix: string
  readonly key: KeyObject
  readonly aad: Buffer
}

/** prefix ‖ base64url(nonce(12) ‖ AES-256-GCM(DEK) ‖ tag(16)). Leaves `dek` as it is. */
export function wrapDek({ prefix, key, aad }: Wrapping, dek: Buffer): string {
  const nonce = randomBytes(NONCE)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(aad)
  const body = Buffer.concat([nonce, cipher.update(dek), cipher.final(), cipher.getAuthTag()])
  return prefix + body.toString('base64url')
}

/** The DEK in memory of its own, to be zeroed by the caller; `null` for a text that was not made with this key and AAD. */
export function unwrapDek({ prefix, key, aad }: Wrapping, text: string): Buffer | null {
  const body = text.startsWith(prefix) ? decodeBase64url(text.slice(prefix.length)) : null
  if (body?.length !== NONCE + DEK_BYTES + TAG) return null
  const decipher = createDecipheriv('aes-256-gcm', key, body.subarray(0, NONCE)).setAAD(aad)
  decipher.setAuthTag(body.subarray(-TAG))
  const dek = decipher.update(body.subarray(NONCE, -TAG))
  try {
    decipher.final()
    return dek
  } catch {
    dek.fill(0)
    return null
  }
}
