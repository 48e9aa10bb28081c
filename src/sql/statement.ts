/** A statement as an ORM or an application sends it. */
export interface Statement {
  readonly text: string
  readonly values: readonly unknown[] | undefined
  /** It holds a connection, so that the wait for a key has an end. */
  readonly inTransaction: boolean
}

/** A statement as the database gets it. */
export interface EncryptedStatement {
  readonly text: string
  readonly values: readonly unknown[] | undefined
  /** Values of encrypted columns are in it, as parameters or as results: nobody may keep them in plaintext. */
  readonly isSensitive: boolean
  /**
   * The rows that it gave, as copies with values in the place of ciphertexts, without those that a short index found by
   * mistake: at once where nothing has to be waited for.
   *
   * @throws FieldsealError for the first value that cannot be decrypted exactly, and for a ciphertext that the statement
   * does not explain
   */
  read(rows: readonly object[]): object[] | Promise<object[]>
  /** What an error of PostgreSQL's means, by its code; `undefined` where it means what it says. */
  readonly meaningOf?: ((code: unknown) => Error | undefined) | undefined
}
