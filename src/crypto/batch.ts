import type { KeyObject } from 'node:crypto'
import type { Ciphertext } from './ciphertext.js'

/**
 * What works on values, many at a time. All engines make the same bytes and the same decisions; they differ in what a
 * value costs.
 */
export interface Engine {
  readonly name: 'native' | 'node'
  /**
   * A key to work with. It holds the bytes where JavaScript cannot see them.
   *
   * @param bytes the 32 bytes of `key`; the caller zeroes them afterwards
   */
  open(key: KeyObject, bytes: Uint8Array): ValueKey
}

/** One key of AES-256-GCM (NIST SP 800-38D), and all that an engine prepares once for it. */
export interface ValueKey {
  /** The ciphertexts, in the order of the plaintexts. */
  encrypt(batch: EncryptBatch): Ciphertext[]
  /** The plaintexts, in the order of the ciphertexts: each is decided by itself, as if it were alone. */
  decrypt(batch: DecryptBatch): Outcome[]
}

/** Values of one field under one key. */
interface BatchPlace {
  /** The AAD without bound values. */
  readonly aad: Buffer
  /** The bound texts of each value, where the field is bound to columns of its row. */
  readonly bound: readonly (readonly string[])[] | undefined
}

export interface EncryptBatch extends BatchPlace {
  readonly header: Buffer
  /** Text for String and Json columns, raw for Bytes columns. */
  readonly form: 'text' | 'raw'
  /** Each codec(1) ‖ value; a string is well-formed, and taken as UTF-8. */
  readonly plaintexts: readonly (string | Uint8Array)[]
  /** 12 bytes for each plaintext, never used before under this key. */
  readonly nonces: Buffer
}

export interface DecryptBatch extends BatchPlace {
  /** Ciphertexts that have the head of `aad`. */
  readonly stored: readonly Ciphertext[]
  readonly padded: boolean
  /** The codec of a text: outcomes are the texts after it. Without, they are the plaintexts with their codec. */
  readonly codec: number | undefined
}

/** Why a ciphertext has no plaintext. */
export const FAILURE = {
  /** It is shorter than a value's, or its text is not canonical base64url. */
  torn: 0,
  /** Authentication failed: wrong key, AAD, nonce, ciphertext or tag; one answer. */
  forged: 1,
  /** It is authentic, and its plaintext not what was asked for: another codec, no UTF-8, no padding. */
  foreign: 2,
} as const

export type Failure = (typeof FAILURE)[keyof typeof FAILURE]
export type Outcome = string | Buffer | Failure
