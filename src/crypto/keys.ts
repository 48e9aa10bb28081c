import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'

/** A DEK is 256 bits. */
export const DEK_BYTES = 32

const INFO = {
  encrypt: 'fieldseal/1 aes-256-gcm',
  index: 'fieldseal/1 blind-index',
  textIndex: 'fieldseal/1 text-index',
  rangeIndex: 'fieldseal/1 range-index',
  wrap: 'fieldseal/1 dek-wrap',
  maintenance: 'fieldseal/1 maintenance',
} as const

/** A key derived from a DEK, and what else was made of its bytes. */
export interface Derived<T> {
  readonly key: KeyObject
  readonly made: T
}

/**
 * Derives the key that works on values from a DEK: HKDF-SHA-256 (RFC 5869) with an empty salt, 32 bytes, and an info
 * string that separates the uses. The key is a `KeyObject`: its bytes are outside the JavaScript heap. `make` may read
 * them until it returns, when they are zeroed.
 */
export function deriveWith<T>(
  dek: Uint8Array,
  use: keyof typeof INFO,
  make: (key: KeyObject, bytes: Uint8Array) => T,
): Derived<T> {
  const bytes = hkdfSha256({ key: dek, salt: new Uint8Array(0), info: Buffer.from(INFO[use]), length: DEK_BYTES })
  try {
    const key = createSecretKey(bytes)
    return { key, made: make(key, bytes) }
  } finally {
    bytes.fill(0)
  }
}

/** What RFC 5869 calls IKM, salt, info and L. */
export interface HkdfInput {
  readonly key: Uint8Array
  readonly salt: Uint8Array
  readonly info: Uint8Array
  /** Bytes to make. */
  readonly length: number
}

/** HKDF-SHA-256 (RFC 5869), extract and expand. */
export function hkdfSha256({ key, salt, info, length }: HkdfInput): Buffer {
  return Buffer.from(hkdfSync('sha256', key, salt, info, length))
}
