import type { EncryptionSchema } from '../schema/encryptionSchema.js'

/** Models from which an encrypted field can be reached: a fixed point over relations, which may be cyclic. */
export function reachingModels(schema: EncryptionSchema): Set<string> {
  const models = Object.entries(schema.models)
  const reaching = new Set(models.filter(([, model]) => Object.keys(model.encrypted).length > 0).map(([name]) => name))
  for (let before = -1; before !== reaching.size; ) {
    before = reaching.size
    for (const [name, model] of models) {
      if (Object.values(model.relations).some((relation) => reaching.has(relation.model))) reaching.add(name)
    }
  }
  return reaching
}
