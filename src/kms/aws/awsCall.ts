import { FieldsealError } from '../../errors.js'
import { callRefusedOf, type KmsService, type Target } from '../call/kmsCall.js'

/** What messages call it. */
export const AWS_KMS: KmsService = { service: 'AWS KMS', vendor: 'AWS' }

/** An answer that is not as it must be. */
export const callRefused = callRefusedOf(AWS_KMS)

/** A text that cannot have come from AWS: nothing is asked. */
export function noBlob({ action, keyId, subject }: Target): FieldsealError {
  const [what, row] = subject ? ['ciphertext', 'row'] : ['wrapped DEK', 'row of the keys table']
  return new FieldsealError(
    'KMS_REFUSED',
    `AWS KMS, ${action} with key ${keyId}: the ${what} is no ciphertext blob in base64, so AWS was not asked. It was ` +
      `changed, or another KMS made it: compare its ${row} with a backup.`,
  )
}
