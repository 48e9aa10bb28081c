import { KMS } from '@aws-sdk/client-kms'
import { awsKms } from 'fieldseal/aws-kms'
import { localKms } from 'fieldseal/local-kms'

/** A key of your own does for development; servers ask the KMS. */
export const kms = () =>
  process.env.NODE_ENV === 'production'
    ? awsKms({ client: new KMS({ maxAttempts: 1 }), keyId: process.env.KMS_KEY_ARN ?? '' })
    : localKms({ env: 'FIELDSEAL_KEY' })
