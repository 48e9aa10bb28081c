import { printable, printableLines, shortened } from './printable.js'

/**
 * Every way in which fieldseal can refuse. The union is closed: a `switch` over it can be exhaustive.
 *
 * | code | what happened |
 * |---|---|
 * | `OPTIONS_INVALID` | options that cannot work, found when they are given |
 * | `SCHEMA_INVALID` | an annotation in the Prisma schema or of an entity that means nothing or contradicts another |
 * | `ALREADY_EXTENDED` | `fieldEncryption` was applied to a client that has it already |
 * | `NOT_EXTENDED` | a client that should encrypt does not |
 * | `TENANT_MISSING` | an encrypted field was reached and nothing says whose it is |
 * | `TENANT_MISMATCH` | two sources name different tenants, or the ciphertext is another tenant's |
 * | `TENANT_INVALID` | a tenant id that cannot be used (empty, reserved, too long) |
 * | `VALUE_INVALID` | a value that the field cannot hold |
 * | `QUERY_UNSUPPORTED` | a query that has no right answer on encrypted data |
 * | `BOUND_VALUE_MISSING` | a bound column (`bind:`) whose value is not known before the SQL |
 * | `ACCESS_DENIED` | a client reads or searches a field that its `allow` leaves out |
 * | `CIPHERTEXT_INVALID` | what is stored is not a ciphertext of this library |
 * | `DECRYPTION_FAILED` | authentication failed: changed, or moved from another place |
 * | `KEY_NOT_FOUND` | the keys table has no row for the DEK that a ciphertext names; or another library's key is not given |
 * | `KEY_MISSING` | the keys table has no key of a tenant whose values are stored: its rows are lost |
 * | `KEY_DESTROYED` | the DEK was crypto-shredded |
 * | `KEY_INVALID` | a keys-table row that was tampered with or belongs to another set-up |
 * | `KEY_ROTATING` | while the tenant's key for indexes is rotated, a blind index cannot be used so; later it can |
 * | `KEY_STORE_UNAVAILABLE` | the keys table could not be read or written |
 * | `KMS_UNAVAILABLE` | the KMS could not be reached, was too slow, or kept failing |
 * | `KMS_THROTTLED` | the KMS kept refusing for its rate limit |
 * | `KMS_DENIED` | credentials or permissions are wrong |
 * | `KMS_KEY_UNUSABLE` | the KEK is disabled, archived, pending deletion or unknown |
 * | `KMS_REFUSED` | the KMS refused this request: wrong wrapped key, encryption context or parameter |
 * | `INDEX_MISMATCH` | verification: a blind index is not what is made of the value beside it now |
 * | `ROW_BUSY` | maintenance: a row stayed locked, or changed between every read and write |
 * | `ROW_REFUSED` | maintenance: a constraint of the database refuses what should be written |
 * | `PROGRESS_INVALID` | maintenance: what is stored of a run was changed by somebody else, or is no command's |
 * | `DATABASE_UNAVAILABLE` | the database could not be reached or used: by maintenance, by the audit log, or by a data source for what is related to its encrypted tables |
 */
export type ErrorCode =
  | 'OPTIONS_INVALID'
  | 'SCHEMA_INVALID'
  | 'ALREADY_EXTENDED'
  | 'NOT_EXTENDED'
  | 'TENANT_MISSING'
  | 'TENANT_MISMATCH'
  | 'TENANT_INVALID'
  | 'VALUE_INVALID'
  | 'QUERY_UNSUPPORTED'
  | 'BOUND_VALUE_MISSING'
  | 'ACCESS_DENIED'
  | 'CIPHERTEXT_INVALID'
  | 'DECRYPTION_FAILED'
  | 'KEY_NOT_FOUND'
  | 'KEY_MISSING'
  | 'KEY_DESTROYED'
  | 'KEY_INVALID'
  | 'KEY_ROTATING'
  | 'KEY_STORE_UNAVAILABLE'
  | 'KMS_UNAVAILABLE'
  | 'KMS_THROTTLED'
  | 'KMS_DENIED'
  | 'KMS_KEY_UNUSABLE'
  | 'KMS_REFUSED'
  | 'INDEX_MISMATCH'
  | 'ROW_BUSY'
  | 'ROW_REFUSED'
  | 'PROGRESS_INVALID'
  | 'DATABASE_UNAVAILABLE'

/** Text from outside, in a message: in quotes and on one line, whatever it holds, and no more of it than tells which. */
export function quoted(text: unknown): string {
  return printable(JSON.stringify(shortened(String(text))))
}

/** UTF-16 units of a message: more than any list of what is wrong takes, less than a value from a database might. */
const MOST_OF_MESSAGE = 50_000

/**
 * The one error class of this library. Messages name model, field, tenant or key id and what to do next;
 * never a value, a ciphertext or key material.
 *
 * @example
 * ```ts
 * import { FieldsealError } from 'fieldseal'
 *
 * try {
 *   await prisma.$forTenant('acme').patient.findMany()
 * } catch (error) {
 *   if (FieldsealError.is(error, 'TENANT_MISMATCH')) audit(error)
 *   throw error
 * }
 * ```
 */
export class FieldsealError extends Error {
  override readonly name = 'FieldsealError'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(printableLines(shortened(message, MOST_OF_MESSAGE)), options)
    this.code = code
  }

  /** Tells this library's errors from others, also across its ESM and CommonJS builds. */
  static is(error: unknown, code?: ErrorCode): error is FieldsealError {
    const named = (error as { name?: unknown } | null | undefined)?.name === 'FieldsealError'
    return named && (code === undefined || (error as FieldsealError).code === code)
  }
}
