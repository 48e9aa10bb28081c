/**
 * How another library stores the values of a field, so that they can be read while the field is `migrating`. It reads and
 * never writes.
 */
export interface FormerFormat {
  /** The library, for messages and `fieldseal encrypt --from`. */
  readonly library: string
  /**
   * What all of its ciphertexts begin with. Plaintext may stand beside them then; without it, whatever is no ciphertext of
   * ours is taken for one of theirs.
   */
  readonly prefix?: string
  /** Whether a wrong key is told for certain: the ciphertexts are authenticated. */
  readonly isAuthenticated: boolean
  /** The types of columns that it stores in. */
  readonly columns: readonly ('String' | 'Bytes' | 'Json')[]
  /** How values are searched for that it has stored; without, they cannot be. */
  readonly search?: FormerSearch
  /**
   * The plaintext of what a column holds.
   *
   * @throws {FormerFailure} when it is no ciphertext of theirs, or not to be opened; whatever else is thrown counts as the
   * latter, and is not shown
   */
  readonly decrypt: (stored: unknown) => Uint8Array
}

/** A column that holds the same for equal values. */
export interface FormerSearch {
  /** The model's field that it is; the encrypted field itself unless given. */
  readonly field?: string
  /** What the column holds of a value. */
  readonly formOf: (text: string) => string
}

type FailureCode = 'KEY_NOT_FOUND' | 'CIPHERTEXT_INVALID' | 'DECRYPTION_FAILED'

/** Why a ciphertext of another library gives no value, in words that fit after the field's name; never with a value. */
export class FormerFailure extends Error {
  override readonly name = 'FormerFailure'

  constructor(
    readonly code: FailureCode,
    message: string,
  ) {
    super(message)
  }

  /** Also across the ESM and CommonJS builds. */
  static is(error: unknown): error is FormerFailure {
    return (error as { name?: unknown } | null | undefined)?.name === 'FormerFailure'
  }
}

/** What is stored is nothing that the library writes. */
export function noCiphertextOf(library: string, why: string): FormerFailure {
  return new FormerFailure('CIPHERTEXT_INVALID', `holds what is no ciphertext of ${library}: ${why}`)
}

/** It was changed, or another key made it. */
export function notOpened(library: string, advice: string): FormerFailure {
  return new FormerFailure(
    'DECRYPTION_FAILED',
    `holds a ciphertext of ${library} that could not be decrypted: it was changed, or ${advice}`,
  )
}
