import type { EncryptionSchema } from 'fieldseal/prisma'

/** The schema as `prisma generate` writes it once all encrypted fields are marked `ejecting`. */
export function ejecting(schema: EncryptionSchema): EncryptionSchema {
  const marked = Object.entries(schema.models).map(([name, model]) => {
    const encrypted = Object.entries(model.encrypted).map(([field, its]) => [field, { ...its, state: 'ejecting' }])
    return [name, { ...model, encrypted: Object.fromEntries(encrypted) }]
  })
  return { ...schema, models: Object.fromEntries(marked) }
}
