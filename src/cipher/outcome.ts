import { FAILURE, type Outcome } from '../crypto/engine.js'
import { decodeField, decodeFieldText } from '../crypto/fieldValue.js'
import type { FieldsealError } from '../errors.js'
import { type CipherField, fieldError } from './slot.js'

/** The value that came out of a ciphertext; `undefined` for none. */
export function plaintextValue(field: CipherField, outcome: Outcome): unknown {
  if (typeof outcome === 'string') return decodeFieldText(field, outcome)
  return typeof outcome === 'number' ? undefined : decodeField(field, outcome)
}

/** Why there is none. */
export function outcomeError(field: CipherField, outcome: Outcome, cause?: FieldsealError): FieldsealError {
  switch (outcome) {
    case FAILURE.torn:
      return fieldError('CIPHERTEXT_INVALID', field, 'is torn: it is shorter or other than it was written')
    case FAILURE.forged: {
      const what = 'could not be decrypted: it was changed, or moved here from another field, row or tenant'
      return fieldError('DECRYPTION_FAILED', field, what, cause)
    }
    default:
      return fieldError(
        'CIPHERTEXT_INVALID',
        field,
        `holds a value that is not of its type, ${field.kind}${field.list ? '[]' : ''}`,
      )
  }
}
