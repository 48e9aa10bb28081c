import { createCipheriv, createDecipheriv, type KeyObject, randomFillSync } from 'node:crypto'

export const NONCE_BYTES = 12
export const TAG_BYTES = 16

const ALGORITHM = 'aes-256-gcm'
const OPTIONS = { authTagLength: TAG_BYTES }

/**
 * AES-256-GCM (NIST SP 800-38D) with a 96-bit nonce.
 *
 * @param plaintext a string is taken as UTF-8
 * @param nonce 12 bytes from `randomNonces`, never used before under this key
 * @returns nonce(12) ‖ ciphertext ‖ tag(16)
 */
export function encrypt(key: KeyObject, aad: Uint8Array, plaintext: string | Uint8Array, nonce: Uint8Array): Buffer {
  if (nonce.length !== NONCE_BYTES) throw new TypeError(`a nonce must be ${NONCE_BYTES} bytes`)
  const cipher = createCipheriv(ALGORITHM, key, nonce, OPTIONS)
  cipher.setAAD(aad)
  const body = typeof plaintext === 'string' ? cipher.update(plaintext, 'utf8') : cipher.update(plaintext)
  cipher.final()
  const out = Buffer.allocUnsafe(NONCE_BYTES + body.length + TAG_BYTES)
  out.set(nonce, 0)
  out.set(body, NONCE_BYTES)
  out.set(cipher.getAuthTag(), NONCE_BYTES + body.length)
  return out
}

/**
 * Opens what `encrypt` made.
 *
 * @returns the plaintext, or `null` when authentication fails (wrong key, AAD, nonce, ciphertext or tag: one answer)
 */
export function decrypt(key: KeyObject, aad: Uint8Array, sealed: Buffer): Buffer | null {
  const end = sealed.length - TAG_BYTES
  if (end < NONCE_BYTES) return null
  const decipher = createDecipheriv(ALGORITHM, key, sealed.subarray(0, NONCE_BYTES), OPTIONS)
  decipher.setAAD(aad)
  decipher.setAuthTag(sealed.subarray(end))
  const plaintext = decipher.update(sealed.subarray(NONCE_BYTES, end))
  try {
    decipher.final()
  } catch {
    plaintext.fill(0)
    return null
  }
  return plaintext
}

/**
 * Random nonces of `node:crypto` (SP 800-38D §8.2.2), 12 bytes for each of `count` values. Its generator is in this process's
 * memory: processes that go on from copies of that may draw the same.
 */
export function randomNonces(count: number): Buffer {
  return randomFillSync(Buffer.allocUnsafeSlow(count * NONCE_BYTES))
}
