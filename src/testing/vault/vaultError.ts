/** An error as Vault answers it: a status with a list of messages. https://developer.hashicorp.com/vault/api-docs#error-response */
export class VaultError extends Error {
  override readonly name = 'VaultError'
  readonly status: number
  /** None for what is not there. */
  readonly errors: readonly string[]
  readonly headers: { readonly [name: string]: string }

  constructor(status: number, errors: readonly string[], headers: { readonly [name: string]: string } = {}) {
    super(errors[0] ?? `HTTP status ${status}`)
    this.status = status
    this.errors = errors
    this.headers = headers
  }
}

/** A mistake in the request: status 400, in the words of the source of both products. */
export function refused(message: string): VaultError {
  return new VaultError(400, [message])
}

export function notThere(): VaultError {
  return new VaultError(404, [])
}

/** Several errors as one message, in the form of Go's multierror. */
export function together(...messages: readonly string[]): string {
  const count = messages.length === 1 ? '1 error occurred' : `${messages.length} errors occurred`
  return `${count}:\n${messages.map((message) => `\t* ${message}\n`).join('')}\n`
}

export function permissionDenied(): VaultError {
  return new VaultError(403, [together('permission denied')])
}
