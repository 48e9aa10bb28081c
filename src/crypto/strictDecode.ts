const BYTES = 32

/**
 * Decodes exactly 32 bytes of canonical base64, or hex, into a buffer of its own, never a slice of the shared pool, so
 * that zeroing it leaves no copy. `null` for anything else. No regular expression touches the text, which is a key: it
 * would keep the text alive.
 */
export function decodeKey(text: unknown, encoding: 'base64' | 'hex'): Buffer | null {
  if (typeof text !== 'string' || text.length > 2 * BYTES) return null
  const key = Buffer.alloc(BYTES)
  const canonical = encoding === 'hex' ? text.toLowerCase() : text
  if (key.write(text, encoding) === BYTES && key.toString(encoding) === canonical) return key
  key.fill(0)
  return null
}

/**
 * Decodes canonical base64 of 1 to `most` bytes into a buffer of its own, as `decodeKey` does; `null` for anything else.
 */
export function decodeBytes(text: unknown, most: number): Buffer | null {
  if (typeof text !== 'string' || text.length === 0 || text.length > 4 * Math.ceil(most / 3)) return null
  const bytes = Buffer.alloc(Buffer.byteLength(text, 'base64'))
  const fits = bytes.length <= most && bytes.write(text, 'base64') === bytes.length && bytes.length > 0
  if (fits && bytes.toString('base64') === text) return bytes
  bytes.fill(0)
  return null
}
