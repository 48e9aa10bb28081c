import {
  type CallErrorDetails,
  type CallFailure,
  type ErrorRules,
  failureOf,
  isRequestId,
  networkReason,
  unavailable,
} from '../call/callFailure.js'

/** What an error of the SDK says, without its message: AWS's error code, its request id, the HTTP status. */
export type AwsErrorDetails = CallErrorDetails

/** Of the API reference: the errors of the four actions, and those common to all. */
const RULES: ErrorRules = [
  ['Throttling*', 'KMS_THROTTLED', 'always'],
  ['TooManyRequests*', 'KMS_THROTTLED', 'always'],
  ['RequestLimitExceeded', 'KMS_THROTTLED', 'always'],
  ['KMSInternal*', 'KMS_UNAVAILABLE', 'always'],
  ['DependencyTimeout*', 'KMS_UNAVAILABLE', 'always'],
  ['KeyUnavailable*', 'KMS_UNAVAILABLE', 'always'],
  ['InternalFailure', 'KMS_UNAVAILABLE', 'always'],
  ['InternalServer*', 'KMS_UNAVAILABLE', 'always'],
  ['ServiceUnavailable*', 'KMS_UNAVAILABLE', 'always'],
  ['RequestTimeout*', 'KMS_UNAVAILABLE', 'always'],
  ['RequestAborted*', 'KMS_UNAVAILABLE', 'always'],
  // The SDK may have corrected its clock, or have fetched other credentials, by the next attempt.
  ['ExpiredToken*', 'KMS_DENIED', 'once'],
  ['InvalidSignatureException', 'KMS_DENIED', 'once'],
  ['SignatureDoesNotMatch', 'KMS_DENIED', 'once'],
  ['RequestExpired', 'KMS_DENIED', 'once'],
  ['RequestTimeTooSkewed', 'KMS_DENIED', 'once'],
  ['AccessDenied*', 'KMS_DENIED', 'never'],
  ['UnrecognizedClient*', 'KMS_DENIED', 'never'],
  ['InvalidClientTokenId', 'KMS_DENIED', 'never'],
  ['IncompleteSignature*', 'KMS_DENIED', 'never'],
  ['MissingAuthenticationToken*', 'KMS_DENIED', 'never'],
  ['NotAuthorized*', 'KMS_DENIED', 'never'],
  ['Unauthorized*', 'KMS_DENIED', 'never'],
  ['OptInRequired', 'KMS_DENIED', 'never'],
  ['DisabledException', 'KMS_KEY_UNUSABLE', 'never'],
  ['KMSInvalidState*', 'KMS_KEY_UNUSABLE', 'never'],
  ['NotFoundException', 'KMS_KEY_UNUSABLE', 'never'],
  ['InvalidArnException', 'KMS_KEY_UNUSABLE', 'never'],
  ['InvalidKeyUsageException', 'KMS_KEY_UNUSABLE', 'never'],
  ['*', 'KMS_REFUSED', 'never'],
]

/** Reasons that are no code of AWS. */
export const NO_CREDENTIALS = 'the AWS credentials could not be loaded'
export const NO_REGION = 'the client has no region'

/** The SDK's names of what goes wrong where credentials come from: the environment, a file, SSO, STS, the metadata service. */
const PROVIDERS = ['CredentialsProviderError', 'TokenProviderError', 'ProviderError']

/** What an error of the SDK means. */
export function classify(error: unknown): CallFailure {
  const { name, message, $metadata } = (error ?? {}) as { readonly [field: string]: unknown }
  const { httpStatusCode, requestId } = ($metadata ?? {}) as { readonly [field: string]: unknown }
  if (typeof name === 'string' && isAwsCode(name)) return failureOf(RULES, name, requestId)
  if (PROVIDERS.includes(name as string)) return { ...unavailable(NO_CREDENTIALS), code: 'KMS_DENIED' }
  if (message === 'Region is missing') return { ...unavailable(NO_REGION), code: 'KMS_REFUSED', retry: 'never' }
  if (typeof httpStatusCode === 'number' && httpStatusCode >= 300) return ofStatus(httpStatusCode, requestId)
  const timedOut = name === 'TimeoutError' || name === 'AbortError'
  return unavailable(networkReason(error) ?? (timedOut ? 'no answer in time' : 'no answer that can be read'))
}

/** An error without a code of AWS: a gateway, a proxy or a captive portal answered. */
function ofStatus(httpCode: number, requestId: unknown): CallFailure {
  const details = isRequestId(requestId) ? { httpCode, requestId } : { httpCode }
  const failure: CallFailure = { ...unavailable(`HTTP status ${httpCode}`), details }
  if (httpCode === 429) return { ...failure, code: 'KMS_THROTTLED' }
  return httpCode >= 500 ? failure : { ...failure, retry: 'never' }
}

/** Nothing else of an answer looks like one: all end in Exception, but the few that have a rule. */
function isAwsCode(name: string): boolean {
  if (!/^[A-Z][A-Za-z]{3,63}$/.test(name)) return false
  return name.endsWith('Exception') || RULES.some(([pattern]) => pattern === name || pattern === `${name}*`)
}
