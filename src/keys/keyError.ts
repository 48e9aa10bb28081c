import { type ErrorCode, FieldsealError } from '../errors.js'
import { printable } from '../printable.js'

/** An error about a DEK: it names the key's id, never the key. */
export function keyError(code: ErrorCode, id: string, what: string, cause?: unknown): FieldsealError {
  return new FieldsealError(code, `DEK ${printable(id)} ${what}`, cause === undefined ? undefined : { cause })
}
