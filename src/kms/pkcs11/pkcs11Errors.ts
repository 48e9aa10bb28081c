import type { CallFailure } from '../call/callFailure.js'
import type { Target } from '../call/kmsCall.js'
import { WrongOutput } from './gcm.js'
import { pkcs11FailureOf } from './returnCodes.js'
import { TextRefused } from './textRefused.js'

/** What the error of an attempt means. */
export function classify(error: unknown): CallFailure {
  if (error instanceof TextRefused) return refused(error.returned)
  if (error instanceof WrongOutput) return refused(error.message)
  const { code, retry, reason, details } = pkcs11FailureOf(error)
  return { code, retry, reason, details }
}

function refused(reason: string): CallFailure {
  const details = reason.startsWith('CKR_') ? { code: reason } : {}
  return { code: 'KMS_REFUSED', retry: 'never', reason, details }
}

/** What to do about a failure. */
export function advice({ code, reason }: CallFailure, { action, subject }: Target): string {
  switch (code) {
    case 'KMS_THROTTLED':
    case 'KMS_UNAVAILABLE':
      return UNAVAILABLE[reason] ?? 'Look at the token: its power, its network, its client’s own log and configuration.'
    case 'KMS_DENIED':
      return DENIED[reason] ?? 'Check the PIN and the role of the user that it is of.'
    case 'KMS_KEY_UNUSABLE':
      return (
        KEY[reason] ??
        'Look at the attributes of the KEK: it must be an AES key of 32 bytes that encrypts and decrypts.'
      )
    case 'KMS_REFUSED':
      if (action !== 'C_Decrypt')
        return 'The token refuses the parameters: it must have CKM_AES_GCM with an iv of 12 bytes.'
      return subject
        ? 'The ciphertext was changed, or belongs to another tenant, field or row.'
        : 'The wrapped DEK does not belong to this tenant, purpose and key id: compare its row of the keys table with a backup.'
  }
}

const UNAVAILABLE: { readonly [reason: string]: string } = {
  'no answer in time':
    'The token is slow, or all sessions wait for it: look at its network and load, or raise "sessions" and UV_THREADPOOL_SIZE.',
  CKR_SESSION_COUNT: 'The token has no more sessions: lower "sessions", or the number of processes.',
  CKR_CANT_LOCK: 'The module cannot be used by several threads: ask its vendor for one that can.',
  CKR_CRYPTOKI_NOT_INITIALIZED: 'Somebody calls C_Finalize while pkcs11Kms works: close it before.',
  CKR_LIBRARY_LOAD_FAILED: 'The module misses a library: see its installation guide.',
  CKR_TOKEN_NOT_PRESENT: 'Look whether the token is there: pkcs11-tool --list-slots.',
}

const DENIED: { readonly [reason: string]: string } = {
  CKR_PIN_LOCKED: 'The token has locked the PIN: its security officer must set a new one.',
  CKR_PIN_EXPIRED: 'The PIN has expired: set a new one.',
  CKR_USER_PIN_NOT_INITIALIZED: 'The token’s security officer must set the user PIN first.',
  CKR_USER_ANOTHER_ALREADY_LOGGED_IN: 'This process is logged in as the security officer: log it out.',
  CKR_ACTION_PROHIBITED: 'A policy of the token prohibits this with the KEK.',
}

const KEY: { readonly [reason: string]: string } = {
  CKR_KEY_FUNCTION_NOT_PERMITTED: 'The KEK needs CKA_ENCRYPT and CKA_DECRYPT.',
  CKR_MECHANISM_INVALID:
    'The token, or CKA_ALLOWED_MECHANISMS of the KEK, does not allow CKM_AES_GCM, or CKM_AES_ECB for the check value.',
  CKR_KEY_EXHAUSTED: 'The KEK has served as often as the token allows: make another one, and rewrap.',
}
