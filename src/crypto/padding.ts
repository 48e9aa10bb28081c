/**
 * ISO/IEC 7816-4 padding: a byte 0x80, then as many 0x00 as fill the block.
 *
 * @param block the length to fill up to a multiple of, in bytes
 */
export function pad(plaintext: Uint8Array, block: number): Buffer {
  const out = Buffer.alloc(Math.ceil((plaintext.length + 1) / block) * block)
  out.set(plaintext, 0)
  out[plaintext.length] = 0x80
  return out
}

/** Takes the padding off again; `null` when there is none. */
export function unpad(padded: Buffer): Buffer | null {
  const mark = padded.findLastIndex((byte) => byte !== 0)
  return mark >= 0 && padded[mark] === 0x80 ? padded.subarray(0, mark) : null
}
