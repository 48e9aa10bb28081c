import {
  type CallErrorDetails,
  type CallFailure,
  isRequestId,
  networkReason,
  unavailable,
} from '../call/callFailure.js'
import type { Target } from '../call/kmsCall.js'
import type { Retry } from '../call/retryPolicy.js'
import type { AzureResponse } from './azureClient.js'

/** What an error of the SDK says, without its message: Azure's error code, its request id, the HTTP status. */
export type AzureErrorDetails = CallErrorDetails

/** What is kept of an answer: nothing that could be a plaintext. */
export interface Seen {
  readonly status: number
  /** The version of the key, of an answer that is no error. */
  readonly kid: string | undefined
  readonly code: string | undefined
  /** The more exact one, where there is one: `KeyDisabled` of a `Forbidden`. */
  readonly innerCode: string | undefined
  readonly requestId: string | undefined
  /** Milliseconds. */
  readonly retryAfter: number
}

/** An answer that is an error. */
export class AzureRefusal extends Error {
  override readonly name = 'AzureRefusal'
  readonly seen: Seen
  /** Whether the client had had an answer before this was asked. */
  readonly proven: boolean

  constructor(seen: Seen, proven: boolean) {
    super(`HTTP status ${seen.status}`)
    this.seen = seen
    this.proven = proven
  }
}

type Fields = { readonly [field: string]: unknown }

/** What an answer says, as the SDK's `onResponse` shows it. It must not throw: that would count as an answer. */
export function seenOf({ status, headers, parsedBody }: AzureResponse): Seen {
  const { kid, error } = fieldsOf(parsedBody)
  // The SDK renamed it for its callers before 4.10.
  const { code, innererror, innerError = innererror } = fieldsOf(error)
  const requestId = headers.get('x-ms-request-id')
  const seconds = Number(headers.get('retry-after') ?? 0)
  return {
    status,
    kid: typeof kid === 'string' ? kid : undefined,
    code: codeOf(code),
    innerCode: codeOf(fieldsOf(innerError).code),
    requestId: isRequestId(requestId) ? requestId : undefined,
    retryAfter: seconds > 0 ? seconds * 1000 : 0,
  }
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}

function codeOf(value: unknown): string | undefined {
  return typeof value === 'string' && /^[A-Za-z][A-Za-z0-9]{0,63}$/.test(value) ? value : undefined
}

/** Codes of a `Forbidden` that are about the key, not about who asks. */
const NOT_PERMITTED = 'KeyOperationForbidden'
const KEY_CODES = ['KeyDisabled', 'KeyExpired', 'KeyNotYetValid', NOT_PERMITTED]

/** What the SDK refuses by itself when it has read the attributes of a key; no service was asked. */
const OF_THE_SDK: readonly (readonly [piece: string, reason: string])[] = [
  [' expired at ', 'the key has expired'],
  ["can't be used before", 'the key is not valid yet'],
  [' is not supported on key ', 'the key does not permit this operation'],
]

/** The errors of `@azure/identity`, by name: of a credential, not of the HSM. */
const OF_CREDENTIALS = [
  'AuthenticationError',
  'AuthenticationRequiredError',
  'AggregateAuthenticationError',
  'CredentialUnavailableError',
]

const NO_TOKEN = 'no token from Microsoft Entra ID'

/** Whether the SDK refused by itself, from what it remembers of the key. */
export function isOfTheSdk(error: unknown): boolean {
  return reasonOfTheSdk(error) !== undefined
}

/** What an error of the SDK means. */
export function classify(error: unknown): CallFailure {
  if (error instanceof AzureRefusal) return ofAnswer(error)
  const reason = reasonOfTheSdk(error)
  if (reason !== undefined) return { code: 'KMS_KEY_UNUSABLE', retry: 'once', reason, details: {} }
  const { name, statusCode } = fieldsOf(error)
  if (typeof name === 'string' && OF_CREDENTIALS.includes(name)) return ofCredentials(statusCode)
  return unavailable(networkReason(error) ?? 'no answer that can be read')
}

/** Compares without regular expressions: they would keep the text alive. */
function reasonOfTheSdk(error: unknown): string | undefined {
  const { name, message } = fieldsOf(error)
  if (name !== 'Error' || typeof message !== 'string') return undefined
  return OF_THE_SDK.find(([piece]) => message.includes(piece))?.[1]
}

/** Microsoft's own trouble passes; a wrong secret or a missing identity does not, but one more look costs little. */
function ofCredentials(statusCode: unknown): CallFailure {
  if (typeof statusCode === 'number' && (statusCode >= 500 || statusCode === 429)) return unavailable(NO_TOKEN)
  return { ...unavailable(NO_TOKEN), code: 'KMS_DENIED', retry: 'once' }
}

function ofAnswer({ seen, proven }: AzureRefusal): CallFailure {
  const { status, code, innerCode, requestId } = seen
  const exact = innerCode ?? code
  const reason = exact === undefined ? `HTTP status ${status}` : `${exact} (HTTP ${status})`
  const details = {
    ...(exact === undefined ? {} : { code: exact }),
    ...(requestId === undefined ? {} : { requestId }),
    httpCode: status,
  }
  return { ...meaningOf(seen, proven), reason, details }
}

/** learn.microsoft.com/azure/key-vault/general/rest-error-codes, and "authentication, requests and responses" there. */
function meaningOf({ status, innerCode, code }: Seen, proven: boolean): Pick<CallFailure, 'code' | 'retry'> {
  if (status === 429) return { code: 'KMS_THROTTLED', retry: 'always' }
  if (status >= 500 || status === 408) return { code: 'KMS_UNAVAILABLE', retry: 'always' }
  const ofKey = [innerCode, code].some((each) => each !== undefined && KEY_CODES.includes(each))
  if (status === 404 || status === 409 || ofKey) return { code: 'KMS_KEY_UNUSABLE', retry: 'never' }
  if (status === 401 || status === 403) return { code: 'KMS_DENIED', retry: status === 401 ? 'once' : 'never' }
  if (status < 400) return { code: 'KMS_UNAVAILABLE', retry: 'never' }
  const retry: Retry = status === 400 && !proven ? 'once' : 'never'
  return { code: 'KMS_REFUSED', retry }
}

const WHY_NOT_RSA =
  'The key must be symmetric (oct-HSM) with 256 bits, in a Managed HSM: RSA and EC keys, and AES key wrap, are not used ' +
  'because they authenticate nothing; whoever writes the database could plant a DEK that they know. Check keyId, and that ' +
  'the key was made with "az keyvault key create --hsm-name HSM --kty oct-HSM --size 256".'

/** What to do about a failure. */
export function advice({ code, reason, details }: CallFailure, { action, subject }: Target): string {
  switch (code) {
    case 'KMS_THROTTLED':
      return 'The HSM is busy: warm fewer tenants at a time, or lower "concurrency".'
    case 'KMS_UNAVAILABLE':
      return reason === NO_TOKEN
        ? 'Check the network to login.microsoftonline.com, or to the metadata service of a managed identity.'
        : "Check the network, private endpoint and any proxy between this host and the HSM (the SDK obeys HTTPS_PROXY), and Azure's status page."
    case 'KMS_DENIED':
      if (reason === NO_TOKEN)
        return 'Check the credential: its secret, certificate or session has expired, or this host has no identity. The error of its own getToken says more.'
      return details.httpCode === 401
        ? 'The token ran out, or is of another directory: give the client a credential that renews itself (DefaultAzureCredential), of the directory of the HSM, rather than a fixed token.'
        : `Check the credential, the firewall of the HSM, and that a role of its local RBAC allows Microsoft.KeyVault/managedHsm/keys/${action}/action on this key.`
    case 'KMS_KEY_UNUSABLE':
      if (reason.startsWith(NOT_PERMITTED)) return `The key's key_ops lack ${action}. ${WHY_NOT_RSA}`
      return 'Look the key up in the HSM: enable it, recover it from deletion, correct its dates, or correct keyId.'
    case 'KMS_REFUSED':
      if (action === 'encrypt') return WHY_NOT_RSA
      return subject
        ? 'The ciphertext was changed, or belongs to another tenant, field or row.'
        : 'The wrapped DEK does not belong to this tenant, purpose and key id: compare its row of the keys table with a backup.'
  }
}
