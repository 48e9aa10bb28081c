import { decodeBase64url } from '../../crypto/bytes.js'

/** What AES-GCM made. */
export interface GcmMessage {
  /** 12 bytes; 16 of tokens that append an iv of their own. */
  readonly iv: Buffer
  /** The ciphertext and the tag of 16 bytes. */
  readonly sealed: Buffer
}

export const TAG_BYTES = 16
export const IV_BYTES = 12
/** Of tokens that make an iv of their own and append it (Luna in FIPS mode). */
export const APPENDED_IV_BYTES = 16

/** prefix ‖ base64url(length of iv(1) ‖ iv ‖ ciphertext ‖ tag(16)). */
export function writeWrapped(prefix: string, { iv, sealed }: GcmMessage): string {
  return prefix + Buffer.concat([Buffer.of(iv.length), iv, sealed]).toString('base64url')
}

/** `null` for a text that `writeWrapped` cannot have written with this prefix. */
export function readWrapped(prefix: string, text: unknown): GcmMessage | null {
  const body = typeof text === 'string' && text.startsWith(prefix) ? decodeBase64url(text.slice(prefix.length)) : null
  const ivLength = body?.[0]
  if (!body || (ivLength !== IV_BYTES && ivLength !== APPENDED_IV_BYTES)) return null
  const sealed = body.subarray(1 + ivLength)
  return sealed.length > TAG_BYTES ? { iv: body.subarray(1, 1 + ivLength), sealed } : null
}
