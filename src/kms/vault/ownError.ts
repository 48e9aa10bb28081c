import { FieldsealError } from '../../errors.js'

/** An error that several get, for one of them: nobody changes another's stack or details. */
export function ownError<E>(error: E): E | FieldsealError {
  if (!FieldsealError.is(error)) return error
  const { code, message, cause } = error
  return new FieldsealError(
    code,
    message,
    cause === undefined ? undefined : { cause: isPlain(cause) ? { ...cause } : cause },
  )
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
