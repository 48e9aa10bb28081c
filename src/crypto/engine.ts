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
  /** As `open`, a key that makes blind indexes. */
  openIndex(key: KeyObject, bytes: Uint8Array): IndexKey
}

/** One key of AES-256-GCM (NIST SP 800-38D), and all that an engine prepares once for it. */
export interface ValueKey {
  /** Prepares what the values of one field have in common. To be kept: the key keeps it, too. */
  place(spec: PlaceSpec): Place
  /** The ciphertexts, in the order of the plaintexts; of places that have one form. */
  encrypt(batch: EncryptInput): Ciphertext[]
  /**
   * The plaintexts, in the order of the ciphertexts: each is decided by itself, as if it were alone. A place with a codec
   * gives texts; all places of a batch do or none does.
   */
  decrypt(batch: DecryptInput): Outcome[]
}

/** What the values of one field under one key have in common. */
export interface PlaceSpec {
  readonly header: Buffer
  /** The AAD without bound values. */
  readonly aad: Buffer
  /** Text for String and Json columns, raw for Bytes columns. */
  readonly form: 'text' | 'raw'
  readonly padded: boolean
  /** The codec of a text: outcomes are the texts after it. Without, they are the plaintexts with their codec. */
  readonly codec: number | undefined
}

/** A `PlaceSpec` that a key has prepared; of use with this key only. */
export interface Place extends PlaceSpec {
  /** What its ciphertexts begin with: text where they are text. */
  readonly head: string | Buffer
  readonly prepared: unknown
}

/** Values under one key. */
interface ValuesInput {
  /** What each value is of. */
  readonly places: readonly Place[]
  /** The bound texts of each value; absent where none is bound to columns of its row. */
  readonly bound: readonly (readonly string[])[] | undefined
}

export interface EncryptInput extends ValuesInput {
  /** Each codec(1) ‖ value; a string is well-formed, and taken as UTF-8. */
  readonly plaintexts: readonly (string | Uint8Array)[]
  /** 12 bytes for each plaintext, of a test vector. Without, the engine draws them. */
  readonly nonces?: Buffer | undefined
}

export interface DecryptInput extends ValuesInput {
  /** Ciphertexts; one that does not begin with the header of its place is torn. */
  readonly stored: readonly Ciphertext[]
}

/** One key of HMAC-SHA-256 (RFC 2104). */
export interface IndexKey {
  /** The first `size` bytes of the HMAC of prefix ‖ message for each message, in order; a string is taken as UTF-8. */
  index(prefix: Buffer, messages: readonly (string | Uint8Array)[], size: number): Buffer[]
}

/** Why a ciphertext has no plaintext. */
export const FAILURE = {
  /** It does not begin as it should, is shorter than a value's, or its text is not canonical base64url. */
  torn: 0,
  /** Authentication failed: wrong key, AAD, nonce, ciphertext or tag; one answer. */
  forged: 1,
  /** It is authentic, and its plaintext not what was asked for: another codec, no UTF-8, no padding. */
  foreign: 2,
} as const

export type Failure = (typeof FAILURE)[keyof typeof FAILURE]
export type Outcome = string | Buffer | Failure
