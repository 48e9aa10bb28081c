/** `LP(x)`: a 4-byte big-endian length and the bytes. Makes a concatenation of fields unambiguous. */
export function lengthPrefixed(value: string | Uint8Array): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value
  const out = Buffer.alloc(4 + bytes.length)
  out.writeUInt32BE(bytes.length, 0)
  out.set(bytes, 4)
  return out
}

const BASE64URL = /^[A-Za-z0-9_-]*$/
/** By how many characters there are beyond whole groups of four: the last ones whose bits beyond the last byte are 0. */
const LAST_CHARACTERS = { 2: 'AQgw', 3: 'AEIMQUYcgkosw048' }

/**
 * Decodes base64url (RFC 4648 §5) without padding, and only its canonical form: one text for each byte string, so that
 * no changed character goes unnoticed. `null` when the text is anything else.
 */
export function decodeBase64url(text: string): Buffer | null {
  const rest = text.length % 4
  if (rest === 1 || !BASE64URL.test(text)) return null
  if (rest !== 0 && !LAST_CHARACTERS[rest as 2 | 3].includes(text.charAt(text.length - 1))) return null
  return Buffer.from(text, 'base64url')
}
