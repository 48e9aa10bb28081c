import { type ErrorCode, FieldsealError } from '../../errors.js'
import { networkReason } from './callFailure.js'

/**
 * The error for one that a function of the options threw. An error of this library says more than that the function
 * failed, and passes. Nothing is passed on of any other, but what is known to be harmless: it may quote a secret, of a
 * connection string say.
 *
 * @param what begins the message: `The keyId function of awsKms failed for tenant "acme"`
 */
export function functionFailed(thrown: unknown, code: ErrorCode, what: string): FieldsealError {
  if (FieldsealError.is(thrown)) return thrown
  const reason = networkReason(thrown)
  const why = reason === undefined ? '' : ` (${reason})`
  const next = 'Log what it throws yourself: it is not shown here, as it may quote a secret.'
  return new FieldsealError(code, `${what}${why}. ${next}`)
}
