/** A ciphertext of transit. */
export interface TransitText {
  readonly text: string
  /** The version of the transit key that encrypted it; 1 for the first. */
  readonly version: number
  /** The length of what is encrypted, in bytes. */
  readonly length: number
}

const HEAD = /^vault:v([1-9]\d{0,8}):$/
/** `vault:v`, a version of nine digits and `:`. */
const MOST_HEAD = 17
const NONCE_AND_TAG_BYTES = 12 + 16

/**
 * Reads `vault:v<version>:<base64>`, and nothing that is nearly that: Vault itself takes `v01`, `v+1` and more. `null` for
 * anything else.
 */
export function readTransitText(value: unknown): TransitText | null {
  if (typeof value !== 'string') return null
  // Nothing is matched against the rest, which may be megabytes that somebody planted: base64 is what comes out as it went in.
  const end = value.slice(0, MOST_HEAD).lastIndexOf(':') + 1
  const [, version] = HEAD.exec(value.slice(0, end)) ?? []
  if (version === undefined) return null
  const base64 = value.slice(end)
  const bytes = Buffer.from(base64, 'base64')
  if (bytes.length <= NONCE_AND_TAG_BYTES || bytes.toString('base64') !== base64) return null
  return { text: value, version: Number(version), length: bytes.length - NONCE_AND_TAG_BYTES }
}
