import { FieldsealError } from '../../errors.js'

/**
 * Failures that say nothing about the key that was asked for: it may serve on for a while. A denial or a KEK that was
 * disabled is not among them: somebody may have meant it.
 */
const OUTAGES: ReadonlySet<string> = new Set(['KMS_UNAVAILABLE', 'KMS_THROTTLED', 'KEY_STORE_UNAVAILABLE'])

export function isOutage(error: unknown): boolean {
  return FieldsealError.is(error) && OUTAGES.has(error.code)
}
