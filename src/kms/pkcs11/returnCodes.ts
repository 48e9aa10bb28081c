import { type CallFailure, type KmsErrorCode, unavailable } from '../call/callFailure.js'
import type { Retry } from '../call/retryPolicy.js'

/**
 * What an error of the module says beside that: `stale` that sessions, the login or the handles of objects are no longer
 * valid, so that everything is opened anew at once; `session` that it is to be, and better later; `unclear` that modules
 * answer it to a text that was changed as well as when they are broken.
 */
type Meaning = 'stale' | 'session' | 'unclear' | ''

type Row = readonly [value: number, name: string, code: KmsErrorCode, retry: Retry, meaning: Meaning]

const rows = (code: KmsErrorCode, retry: Retry, meaning: Meaning, values: { readonly [name: string]: number }): Row[] =>
  Object.entries(values).map(([name, value]) => [value, `CKR_${name}`, code, retry, meaning])

/**
 * The return values of PKCS#11 3.1, less those of functions that nobody here calls. No module says that it is asked too
 * often: a network HSM under load is slow.
 */
const TABLE: readonly Row[] = [
  ...rows('KMS_UNAVAILABLE', 'always', 'unclear', { GENERAL_ERROR: 0x5, FUNCTION_FAILED: 0x6 }),
  ...rows('KMS_REFUSED', 'never', 'unclear', { ARGUMENTS_BAD: 0x7 }),
  ...rows('KMS_UNAVAILABLE', 'always', 'session', {
    SLOT_ID_INVALID: 0x3,
    DEVICE_ERROR: 0x30,
    DEVICE_REMOVED: 0x32,
    TOKEN_NOT_PRESENT: 0xe0,
    TOKEN_NOT_RECOGNIZED: 0xe1,
  }),
  ...rows('KMS_UNAVAILABLE', 'always', 'stale', {
    OPERATION_ACTIVE: 0x90,
    OPERATION_NOT_INITIALIZED: 0x91,
    SESSION_CLOSED: 0xb0,
    SESSION_HANDLE_INVALID: 0xb3,
    CRYPTOKI_NOT_INITIALIZED: 0x190,
  }),
  ...rows('KMS_DENIED', 'never', 'stale', { USER_NOT_LOGGED_IN: 0x101 }),
  ...rows('KMS_KEY_UNUSABLE', 'never', 'stale', { KEY_HANDLE_INVALID: 0x60, OBJECT_HANDLE_INVALID: 0x82 }),
  ...rows('KMS_UNAVAILABLE', 'always', '', {
    CANCEL: 0x1,
    HOST_MEMORY: 0x2,
    DEVICE_MEMORY: 0x31,
    FUNCTION_CANCELED: 0x50,
    SESSION_COUNT: 0xb1,
    RANDOM_NO_RNG: 0x121,
    TOKEN_RESOURCE_EXCEEDED: 0x201,
    OPERATION_CANCEL_FAILED: 0x202,
    PENDING: 0x204,
  }),
  ...rows('KMS_UNAVAILABLE', 'never', '', {
    NEED_TO_CREATE_THREADS: 0x9,
    CANT_LOCK: 0xa,
    FUNCTION_NOT_PARALLEL: 0x51,
    FUNCTION_NOT_SUPPORTED: 0x54,
    SESSION_PARALLEL_NOT_SUPPORTED: 0xb4,
    CRYPTOKI_ALREADY_INITIALIZED: 0x191,
    MUTEX_BAD: 0x1a0,
    MUTEX_NOT_LOCKED: 0x1a1,
    FIPS_SELF_TEST_FAILED: 0x1b6,
    LIBRARY_LOAD_FAILED: 0x1b7,
    TOKEN_NOT_INITIALIZED: 0x208,
  }),
  ...rows('KMS_DENIED', 'never', '', {
    ACTION_PROHIBITED: 0x1b,
    PIN_INCORRECT: 0xa0,
    PIN_INVALID: 0xa1,
    PIN_LEN_RANGE: 0xa2,
    PIN_EXPIRED: 0xa3,
    PIN_LOCKED: 0xa4,
    SESSION_READ_ONLY: 0xb5,
    SESSION_EXISTS: 0xb6,
    SESSION_READ_ONLY_EXISTS: 0xb7,
    SESSION_READ_WRITE_SO_EXISTS: 0xb8,
    TOKEN_WRITE_PROTECTED: 0xe2,
    USER_ALREADY_LOGGED_IN: 0x100,
    USER_PIN_NOT_INITIALIZED: 0x102,
    USER_TYPE_INVALID: 0x103,
    USER_ANOTHER_ALREADY_LOGGED_IN: 0x104,
    USER_TOO_MANY_TYPES: 0x105,
    NEW_PIN_MODE: 0x1b0,
    NEXT_OTP: 0x1b1,
    EXCEEDED_MAX_ITERATIONS: 0x1b5,
    PIN_TOO_WEAK: 0x1b8,
    FUNCTION_REJECTED: 0x200,
  }),
  ...rows('KMS_KEY_UNUSABLE', 'never', '', {
    KEY_SIZE_RANGE: 0x62,
    KEY_TYPE_INCONSISTENT: 0x63,
    KEY_NOT_NEEDED: 0x64,
    KEY_CHANGED: 0x65,
    KEY_NEEDED: 0x66,
    KEY_INDIGESTIBLE: 0x67,
    KEY_FUNCTION_NOT_PERMITTED: 0x68,
    KEY_NOT_WRAPPABLE: 0x69,
    KEY_UNEXTRACTABLE: 0x6a,
    MECHANISM_INVALID: 0x70,
    KEY_EXHAUSTED: 0x203,
  }),
  ...rows('KMS_REFUSED', 'never', '', {
    ATTRIBUTE_READ_ONLY: 0x10,
    ATTRIBUTE_SENSITIVE: 0x11,
    ATTRIBUTE_TYPE_INVALID: 0x12,
    ATTRIBUTE_VALUE_INVALID: 0x13,
    DATA_INVALID: 0x20,
    DATA_LEN_RANGE: 0x21,
    ENCRYPTED_DATA_INVALID: 0x40,
    ENCRYPTED_DATA_LEN_RANGE: 0x41,
    AEAD_DECRYPT_FAILED: 0x42,
    MECHANISM_PARAM_INVALID: 0x71,
    SIGNATURE_INVALID: 0xc0,
    SIGNATURE_LEN_RANGE: 0xc1,
    TEMPLATE_INCOMPLETE: 0xd0,
    TEMPLATE_INCONSISTENT: 0xd1,
    BUFFER_TOO_SMALL: 0x150,
    INFORMATION_SENSITIVE: 0x170,
  }),
]

const BY_VALUE = new Map(TABLE.map((row) => [row[0], row]))
const VENDOR_DEFINED = 0x80000000

/** What the error of a call of the module means. */
export interface Pkcs11Failure extends CallFailure {
  readonly meaning: Meaning
}

/** Reads an error of pkcs11js, by its number: its names end with PKCS#11 2.40. Nothing of its message is kept. */
export function pkcs11FailureOf(error: unknown): Pkcs11Failure {
  const value = returnValueOf(error)
  if (value === undefined)
    return { ...unavailable('the PKCS#11 module failed without a return value'), meaning: 'session' }
  const row = BY_VALUE.get(value)
  if (row) return failure(row)
  const name = `CKR_${value >= VENDOR_DEFINED ? 'VENDOR_DEFINED' : 'UNKNOWN'} 0x${value.toString(16)}`
  return failure([value, name, 'KMS_UNAVAILABLE', 'always', 'unclear'])
}

/** The number that a function of the module returned instead of CKR_OK; `undefined` if the error is of another kind. */
export function returnValueOf(error: unknown): number | undefined {
  const { code } = (error ?? {}) as { readonly code?: unknown }
  return Number.isSafeInteger(code) && (code as number) > 0 ? (code as number) : undefined
}

/** Whether a function of the module returned this. */
export function returned(error: unknown, name: string): boolean {
  const value = returnValueOf(error)
  return value !== undefined && BY_VALUE.get(value)?.[1] === name
}

/** Fails as the module would. */
export function fail(name: string): never {
  throw Object.assign(new Error(name), { code: TABLE.find((row) => row[1] === name)?.[0] })
}

function failure([, name, code, retry, meaning]: Row): Pkcs11Failure {
  return { code, retry, reason: name, details: { code: name }, meaning }
}
