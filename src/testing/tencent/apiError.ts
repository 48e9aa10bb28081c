/** An error as the API answers it: HTTP 200 with a code and a message. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}
