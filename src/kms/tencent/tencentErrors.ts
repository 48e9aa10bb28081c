import {
  type CallErrorDetails,
  type CallFailure,
  type ErrorRules,
  failureOf,
  networkReason,
  unavailable,
} from '../call/callFailure.js'
import type { Target } from '../call/kmsCall.js'
import { CREDENTIALS_FAILED } from './freshCredentials.js'

/** What an error of the SDK says, without its message: Tencent's error code, its request id, the HTTP status. */
export type TencentErrorDetails = CallErrorDetails

const RULES: ErrorRules = [
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

/** What an error of the SDK means. */
export function classify(error: unknown): CallFailure {
  const { code, requestId, httpCode, message } = (error ?? {}) as { readonly [field: string]: unknown }
  if (typeof code === 'string' && isTencentCode(code)) return failureOf(RULES, code, requestId)
  if (typeof httpCode === 'number') return ofStatus(httpCode)
  if (typeof message === 'string' && message.includes(CREDENTIALS_FAILED))
    return { ...unavailable(CREDENTIALS_FAILED), code: 'KMS_DENIED' }
  return unavailable(networkReason(error) ?? 'no answer that can be read')
}

function ofStatus(httpCode: number): CallFailure {
  const retry = httpCode >= 500 ? 'always' : 'never'
  return { ...unavailable(`HTTP status ${httpCode}`), retry, details: { httpCode } }
}

/** Tencent's are in camel case, unlike the system's. */
function isTencentCode(code: string): boolean {
  return /^[A-Z][a-z][A-Za-z0-9]*(\.[A-Za-z0-9_]+)*$/.test(code) && code.length <= 128
}

/** What is wrong with credentials, rather than with what they may do. */
const OF_CREDENTIALS: { readonly [reason: string]: string } = {
  'AuthFailure.TokenFailure':
    'The temporary credentials ran out, or their token is wrong: give the client a provider that fetches new ones, in ' +
    'freshCredentials(…), rather than fixed ones.',
  'AuthFailure.SignatureExpire': "Set this host's clock: it is more than five minutes off.",
  [CREDENTIALS_FAILED]:
    'The onError function of freshCredentials sees why: log it, and look at the role and its metadata service.',
}

/** What to do about a failure. */
export function advice({ code, reason }: CallFailure, { action, subject }: Target): string {
  switch (code) {
    case 'KMS_THROTTLED':
      return 'The rate limit of the account is reached: warm fewer tenants at a time, lower "concurrency", or raise the quota.'
    case 'KMS_UNAVAILABLE':
      return "Check the network and any proxy between this host and Tencent (the SDK obeys http_proxy), and Tencent's status page."
    case 'KMS_DENIED':
      return (
        OF_CREDENTIALS[reason] ?? `Check the credentials, and that their CAM policy allows kms:${action} on this key.`
      )
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
