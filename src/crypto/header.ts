/** Suite 1 is AES-256-GCM under the tenant's DEK; suite 2 is the KMS itself. */
export const SUITE_AES_256_GCM = 1
export const SUITE_KMS = 2

/** Stands for the DEK id in suite 2, which has none. */
export const NO_DEK = '00000000-0000-0000-0000-000000000000'

/** Flag bit 0: the plaintext is padded (ISO/IEC 7816-4). All other bits are reserved and must be 0. */
export const FLAG_PADDED = 1

export const HEADER_BYTES = 18
/** 18 bytes are exactly 24 characters of base64url, so headers can be compared as text. */
export const HEADER_CHARS = 24

/** The head of every ciphertext: suite(1) ‖ flags(1) ‖ DEK id(16). */
export interface Header {
  readonly suite: number
  readonly flags: number
  /** A lower-case UUID; `NO_DEK` in suite 2. */
  readonly dekId: string
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

export function isDekId(text: string): boolean {
  return UUID.test(text)
}

/** The text of a UUID whose 32 hexadecimal digits these are. */
export function uuidOfHex(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

export function encodeHeader({ suite, flags, dekId }: Header): Buffer {
  if (!isDekId(dekId)) throw new TypeError('a DEK id must be a lower-case UUID')
  const out = Buffer.alloc(HEADER_BYTES)
  out[0] = suite
  out[1] = flags
  out.write(dekId.replaceAll('-', ''), 2, 'hex')
  return out
}

/** Reads a header of a suite and flags that this version knows; `null` for any other. */
export function decodeHeader(bytes: Uint8Array): Header | null {
  if (bytes.length < HEADER_BYTES) return null
  const [suite, flags] = bytes as unknown as [number, number]
  if ((suite !== SUITE_AES_256_GCM && suite !== SUITE_KMS) || (flags & ~FLAG_PADDED) !== 0) return null
  const dekId = uuidOfHex(Buffer.from(bytes.buffer, bytes.byteOffset + 2, 16).toString('hex'))
  return suite === SUITE_KMS && dekId !== NO_DEK ? null : { suite, flags, dekId }
}
