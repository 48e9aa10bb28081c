import type { BindingSource } from '../client/clientBinding.js'
import type { ClientContext } from '../client/clientContext.js'
import type { Catalog } from './catalog.js'

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
   * mistake.
   *
   * @throws FieldsealError for the first value that cannot be decrypted exactly, and for a ciphertext that the statement
   * does not explain
   */
  read(rows: readonly object[]): Promise<object[]>
}

export interface StatementEncryptionOptions {
  readonly context: ClientContext
  readonly catalog: Catalog
  /** The value in a seal of the ORM's, or what is given if it is none. */
  readonly open: (value: unknown) => unknown
  readonly isSealed: (value: unknown) => boolean
}

/** Encrypts the statements of one client of a PostgreSQL database. */
export declare class StatementEncryption {
  constructor(options: StatementEncryptionOptions)
  /**
   * Analyses a statement, encrypts what it writes and searches for, and says how to read its results.
   *
   * @param binding of the client that sends it
   * @throws FieldsealError `QUERY_UNSUPPORTED` and whatever else is wrong with it, before any SQL
   */
  prepare(binding: BindingSource, statement: Statement): Promise<EncryptedStatement>
  /**
   * Whether values of encrypted columns are in a statement.
   *
   * @throws FieldsealError as `prepare` does for its analysis
   */
  isSensitive(text: string): boolean
}

/** Loads PostgreSQL's parser. Nothing can be prepared before. */
export declare function loadParser(): Promise<void>
