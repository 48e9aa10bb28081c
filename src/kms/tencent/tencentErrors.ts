import type { ErrorCode } from '../../errors.js'
import { FieldsealError } from '../../errors.js'
import { CREDENTIALS_FAILED } from './freshCredentials.js'
import type { AttemptFailure, GaveUp, Retry } from './retryPolicy.js'
import type { TencentAction } from './tencentClient.js'

type KmsErrorCode = Extract<ErrorCode, `KMS_${string}`>

/** What an error of the SDK says, without its message: that may quote a piece of the answer, and with it of a DEK. */
export interface TencentErrorDetails {
  /** Tencent's error code. */
  readonly code?: string
  readonly requestId?: string
  /** The HTTP status, where it was not 200. */
  readonly httpCode?: number
}

export interface TencentFailure extends AttemptFailure {
  readonly code: KmsErrorCode
  /** Tencent's code, or what went wrong on the way. */
  readonly reason: string
  readonly details: TencentErrorDetails
}

/** Tencent's error codes, `*` for what follows; the first line that fits counts. */
const RULES: readonly (readonly [pattern: string, code: KmsErrorCode, retry: Retry])[] = [
  ['RequestLimitExceeded*', 'KMS_THROTTLED', 'always'],
  ['InternalError*', 'KMS_UNAVAILABLE', 'always'],
  ['ServiceUnavailable', 'KMS_UNAVAILABLE', 'always'],
  ['UnsupportedOperation.ServiceTemporaryUnavailable', 'KMS_UNAVAILABLE', 'always'],
  ['AuthFailure.TokenFailure', 'KMS_DENIED', 'once'],
  ['AuthFailure.SignatureExpire', 'KMS_DENIED', 'once'],
  ['AuthFailure*', 'KMS_DENIED', 'never'],
  ['UnauthorizedOperation*', 'KMS_DENIED', 'never'],
  ['ResourceUnavailable*', 'KMS_KEY_UNUSABLE', 'never'],
  ['InvalidParameterValue.InvalidKeyId', 'KMS_KEY_UNUSABLE', 'never'],
  ['*', 'KMS_REFUSED', 'never'],
]

/** Pieces of messages that are known to quote no answer. */
const HARMLESS = [
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EPIPE',
  'socket hang up',
  'network timeout',
  'Response timeout',
  'Premature close',
  'self-signed certificate',
  'self signed certificate',
  'unable to verify the first certificate',
  'unable to get local issuer certificate',
  'certificate has expired',
  'does not match certificate',
] as const

export const TIMED_OUT: TencentFailure = unavailable('no answer in time')

/** What an error of the SDK means. Errors of this library pass. */
export function classify(error: unknown): TencentFailure | undefined {
  if (FieldsealError.is(error)) return undefined
  const { code, requestId, httpCode, message } = (error ?? {}) as { readonly [field: string]: unknown }
  if (typeof code === 'string' && isTencentCode(code)) return ofCode(code, requestId)
  if (typeof httpCode === 'number') return ofStatus(httpCode)
  return ofMessage(`${typeof code === 'string' ? code : ''} ${typeof message === 'string' ? message : ''}`)
}

function ofCode(tencentCode: string, requestId: unknown): TencentFailure {
  const rule = RULES.find(([pattern]) =>
    pattern.endsWith('*') ? tencentCode.startsWith(pattern.slice(0, -1)) : tencentCode === pattern,
  )
  const [, code, retry] = rule!
  const known = typeof requestId === 'string' && /^[\w-]{1,64}$/.test(requestId)
  const details = known ? { code: tencentCode, requestId } : { code: tencentCode }
  return { code, retry, reason: tencentCode, details }
}

function ofStatus(httpCode: number): TencentFailure {
  const retry = httpCode >= 500 ? 'always' : 'never'
  return { ...unavailable(`HTTP status ${httpCode}`), retry, details: { httpCode } }
}

/** Compares without regular expressions: they would keep the text, and what it quotes, alive. */
function ofMessage(message: string): TencentFailure {
  if (message.includes(CREDENTIALS_FAILED)) return { ...unavailable(CREDENTIALS_FAILED), code: 'KMS_DENIED' }
  return unavailable(HARMLESS.find((piece) => message.includes(piece)) ?? 'no answer that can be read')
}

function unavailable(reason: string): TencentFailure {
  return { code: 'KMS_UNAVAILABLE', retry: 'always', reason, details: {} }
}

/** Tencent's are in camel case, unlike the system's. */
function isTencentCode(code: string): boolean {
  return /^[A-Z][a-z][A-Za-z0-9]*(\.[A-Za-z0-9_]+)*$/.test(code) && code.length <= 128
}

/** The library's error for a call that was given up. */
export function tencentError(
  { failure, attempts, late }: GaveUp<TencentFailure>,
  call: { action: TencentAction; subject?: 'value'; keyId: string; timeout: number },
): FieldsealError {
  const { code, reason, details } = failure ?? TIMED_OUT
  const request = details.requestId === undefined ? '' : ` (request ${details.requestId})`
  const times = attempts === 1 ? '1 attempt' : `${attempts} attempts`
  const when = late ? `given up after ${call.timeout} ms and ${times}: ${reason}` : `${reason}${request} after ${times}`
  const what = `Tencent KMS, ${call.action} with key ${call.keyId}: ${late ? when + request : when}.`
  const next = attempts === 0 ? BUSY : advice(code, reason, call)
  return new FieldsealError(code, `${what} ${next}`, { cause: details })
}

const BUSY =
  'No request was sent: the keyId function took too long, or other calls held all places. Raise "concurrency" or ' +
  '"timeout", or warm fewer tenants at a time.'

function advice(
  code: KmsErrorCode,
  reason: string,
  { action, subject }: { action: TencentAction; subject?: 'value' },
): string {
  switch (code) {
    case 'KMS_THROTTLED':
      return 'The rate limit of the account is reached: warm fewer tenants at a time, lower "concurrency", or raise the quota.'
    case 'KMS_UNAVAILABLE':
      return "Check the network and any proxy between this host and Tencent (the SDK obeys http_proxy), and Tencent's status page."
    case 'KMS_DENIED':
      return reason === 'AuthFailure.SignatureExpire'
        ? "Set this host's clock: it is more than five minutes off."
        : `Check the credentials, and that their CAM policy allows kms:${action} on this key.`
    case 'KMS_KEY_UNUSABLE':
      return 'Look the key up in the KMS console of this region: enable it, cancel its deletion or archiving, or correct keyId.'
    case 'KMS_REFUSED':
      if (subject && action === 'Decrypt')
        return 'The ciphertext was changed, or belongs to another tenant, field or row.'
      return action === 'Decrypt' || action === 'ReEncrypt'
        ? 'The wrapped DEK does not belong to this tenant, purpose and key id: compare its row of the keys table with a backup.'
        : "Check keyId, region and the account's KMS quotas."
  }
}
