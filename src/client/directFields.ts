import { FieldsealError, quoted } from '../errors.js'
import { encryptsValues, type Kms } from '../keys/kms.js'
import type { EncryptionSchema } from '../schema/encryptionSchema.js'

/** The fields that the KMS itself encrypts, as `Model.field`. */
export function directFields({ models }: EncryptionSchema): string[] {
  return Object.entries(models).flatMap(([model, { encrypted }]) =>
    Object.keys(encrypted)
      .filter((field) => encrypted[field]!.mode === 'kms')
      .map((field) => `${model}.${field}`),
  )
}

/** @throws FieldsealError `OPTIONS_INVALID` when there are such fields and the KMS encrypts no values */
export function checkDirectFields(schema: EncryptionSchema, kms: Kms): void {
  const fields = directFields(schema)
  if (fields.length === 0 || encryptsValues(kms)) return
  const message =
    `fieldEncryption: "kms" must encrypt the values of ${fields.join(', ')} itself (mode: kms), and the KMS ` +
    `${quoted(kms.name)} has no encrypt() and decrypt(): use one that has, as those of all vendors here do (tencentKms without "sealed")`
  throw new FieldsealError('OPTIONS_INVALID', message)
}
