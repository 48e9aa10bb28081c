/** A ciphertext of transit. */
export interface TransitText {
  readonly text: string
  /** The version of the transit key that encrypted it; 1 for the first. */
  readonly version: number
  /** The length of what is encrypted, in bytes. */
  readonly length: number
}

const FORM = /^vault:v([1-9]\d{0,8}):([A-Za-z0-9+/]+={0,2})$/
const NONCE_AND_TAG_BYTES = 12 + 16

/**
 * Reads `vault:v<version>:<base64>`, and nothing that is nearly that: Vault itself takes `v01`, `v+1` and more. `null` for
 * anything else.
 */
export function readTransitText(value: unknown): TransitText | null {
  if (typeof value !== 'string') return null
  const [, version, base64] = FORM.exec(value) ?? []
  if (version === undefined || base64 === undefined) return null
  const bytes = Buffer.from(base64, 'base64')
  if (bytes.length <= NONCE_AND_TAG_BYTES || bytes.toString('base64') !== base64) return null
  return { text: value, version: Number(version), length: bytes.length - NONCE_AND_TAG_BYTES }
}
