import type { OutgoingHttpHeaders } from 'node:http'

/** Codes that the service gives as the inner error of a `Forbidden` or `Conflict`. */
const INNER: { readonly [code: string]: readonly [status: number, code: string] } = {
  KeyDisabled: [403, 'Forbidden'],
  KeyExpired: [403, 'Forbidden'],
  KeyNotYetValid: [403, 'Forbidden'],
  KeyOperationForbidden: [403, 'Forbidden'],
  ObjectIsDeletedButRecoverable: [409, 'Conflict'],
  ObjectIsBeingDeleted: [409, 'Conflict'],
}

const STATUS: { readonly [code: string]: number } = {
  BadParameter: 400,
  Unauthorized: 401,
  AccessDenied: 403,
  Forbidden: 403,
  KeyNotFound: 404,
  NotFound: 404,
  Conflict: 409,
  Throttled: 429,
  InternalServerError: 500,
  ServiceUnavailable: 503,
}

/**
 * An error as the service answers it: an HTTP status, and `{ error: { code, message, innererror } }`.
 * learn.microsoft.com/azure/key-vault/general/rest-error-codes and …/authentication-requests-and-responses; inner codes as
 * in github.com/Azure/azure-sdk-for-net/issues/11518.
 */
export class AzureApiError extends Error {
  override readonly name = 'AzureApiError'
  readonly status: number
  readonly code: string
  readonly innerCode: string | undefined
  readonly headers: OutgoingHttpHeaders

  /** @param code the inner one, where the service gives one; 400 for a code that is not known here */
  constructor(code: string, message: string, headers: OutgoingHttpHeaders = {}) {
    super(message)
    const inner = Object.hasOwn(INNER, code) ? INNER[code] : undefined
    this.status = inner?.[0] ?? (Object.hasOwn(STATUS, code) ? STATUS[code]! : 400)
    this.code = inner?.[1] ?? code
    this.innerCode = inner && code
    this.headers = headers
  }

  get json(): object {
    const { code, message, innerCode } = this
    return { error: { code, message, ...(innerCode === undefined ? {} : { innererror: { code: innerCode } }) } }
  }
}

export function badParameter(message: string): AzureApiError {
  return new AzureApiError('BadParameter', message)
}
