import type { ErrorCode } from '../../errors.js'
import type { AttemptFailure, Retry } from './retryPolicy.js'

/** The codes with which a call to a KMS fails. */
export type KmsErrorCode = Extract<ErrorCode, `KMS_${string}`>

/**
 * What an error of an SDK says, without its message: that may quote a piece of the answer, and with it of a DEK. It is the
 * `cause` of this library's error.
 */
export interface CallErrorDetails {
  /** The service's own error code. */
  readonly code?: string
  readonly requestId?: string
  /** The HTTP status, where it was not 200. */
  readonly httpCode?: number
}

/** What the error of one attempt means. */
export interface CallFailure extends AttemptFailure {
  readonly code: KmsErrorCode
  /** The service's code, or what went wrong on the way. It quotes nothing of an answer. */
  readonly reason: string
  readonly details: CallErrorDetails
}

/** The service's error codes, `*` for what follows, and what they mean; the first line that fits counts. */
export type ErrorRules = readonly (readonly [pattern: string, code: KmsErrorCode, retry: Retry])[]

/**
 * What an error code of a service means.
 *
 * @param rules with `*` as the last line
 * @param requestId left out where it is none
 */
export function failureOf(rules: ErrorRules, serviceCode: string, requestId?: unknown): CallFailure {
  const fits = (pattern: string) =>
    pattern.endsWith('*') ? serviceCode.startsWith(pattern.slice(0, -1)) : serviceCode === pattern
  const [, code, retry] = rules.find(([pattern]) => fits(pattern))!
  const details = isRequestId(requestId) ? { code: serviceCode, requestId } : { code: serviceCode }
  return { code, retry, reason: serviceCode, details }
}

/** A failure that another attempt may get over. */
export function unavailable(reason: string): CallFailure {
  return { code: 'KMS_UNAVAILABLE', retry: 'always', reason, details: {} }
}

/** Whether a value can be a request id, and so nothing else of an answer. */
export function isRequestId(value: unknown): value is string {
  return typeof value === 'string' && /^[\w-]{1,64}$/.test(value)
}

/** Pieces of messages, and codes, that are known to quote no answer. */
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
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_HAS_EXPIRED',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_SOCKET',
  'other side closed',
] as const

/** Of these, what a connection ends with that was open, and was cut by the other side or by something on the way. */
const CUT_OFF: readonly string[] = [
  'ECONNRESET',
  'EPIPE',
  'socket hang up',
  'Premature close',
  'UND_ERR_SOCKET',
  'other side closed',
] satisfies (typeof HARMLESS)[number][]

/** Whether an attempt ended because its connection was cut. */
export function wasCutOff(error: unknown): boolean {
  return CUT_OFF.includes(networkReason(error) ?? '')
}

const DEEPEST = 4

/**
 * What went wrong between here and the service, of an error, of what caused it, or of the errors that it gathers;
 * `undefined` where none of them says anything that is known to quote no answer. Compares without regular expressions:
 * they would keep the text, and what it quotes, alive.
 */
export function networkReason(error: unknown, depth = 0): string | undefined {
  if (typeof error !== 'object' || error === null || depth > DEEPEST) return undefined
  const { code, message, cause, errors } = error as { readonly [field: string]: unknown }
  const texts = [code, message].filter((text) => typeof text === 'string')
  const found = HARMLESS.find((piece) => texts.some((text) => text.includes(piece)))
  if (found) return found
  const inner: readonly unknown[] = Array.isArray(errors) ? [cause, ...errors.slice(0, DEEPEST)] : [cause]
  return inner.map((each) => networkReason(each, depth + 1)).find((reason) => reason !== undefined)
}
