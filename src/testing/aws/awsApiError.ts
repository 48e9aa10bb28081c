/**
 * The HTTP status of an error; 400 for all others, as JSON services answer what the client did wrong. The pages of the
 * actions (docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html, …) and that of the common errors
 * (…/CommonErrors.html) list the codes, the service's model the status of what the server did wrong.
 */
const STATUS: { readonly [code: string]: number } = {
  DependencyTimeoutException: 503,
  InternalFailure: 500,
  KeyUnavailableException: 500,
  KMSInternalException: 500,
  RequestEntityTooLargeException: 413,
  RequestTimeoutException: 408,
  ServiceUnavailable: 503,
  ServiceUnavailableException: 503,
  UnknownOperationException: 404,
}

/** An error as the API answers it: `{"__type": code, "message": …}`. */
export class AwsApiError extends Error {
  override readonly name = 'AwsApiError'
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }

  get status(): number {
    return STATUS[this.code] ?? 400
  }
}

/** A parameter that is missing or of the wrong form. */
export function invalid(message: string): AwsApiError {
  return new AwsApiError('ValidationException', message)
}
