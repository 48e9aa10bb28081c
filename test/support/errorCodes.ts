import type { ErrorCode } from 'fieldseal'

const codes = {
  OPTIONS_INVALID: true,
  SCHEMA_INVALID: true,
  ALREADY_EXTENDED: true,
  NOT_EXTENDED: true,
  TENANT_MISSING: true,
  TENANT_MISMATCH: true,
  TENANT_INVALID: true,
  VALUE_INVALID: true,
  QUERY_UNSUPPORTED: true,
  BOUND_VALUE_MISSING: true,
  ACCESS_DENIED: true,
  CIPHERTEXT_INVALID: true,
  DECRYPTION_FAILED: true,
  KEY_NOT_FOUND: true,
  KEY_MISSING: true,
  KEY_DESTROYED: true,
  KEY_INVALID: true,
  KEY_ROTATING: true,
  KEY_STORE_UNAVAILABLE: true,
  KMS_UNAVAILABLE: true,
  KMS_THROTTLED: true,
  KMS_DENIED: true,
  KMS_KEY_UNUSABLE: true,
  KMS_REFUSED: true,
  INDEX_MISMATCH: true,
  ROW_BUSY: true,
  ROW_REFUSED: true,
  PROGRESS_INVALID: true,
  DATABASE_UNAVAILABLE: true,
} satisfies Record<ErrorCode, true>

/** All codes of the closed union; the compiler sees to it. */
export const ERROR_CODES = Object.keys(codes) as ErrorCode[]
