import type { Annotated, AnnotatedModel } from './annotatedModel.js'
import type { DatamodelField } from './datamodel.js'
import type { EncryptedOptions } from './fieldOptions.js'
import type { SchemaFacts } from './schemaFacts.js'
import { didYouMean } from './suggestion.js'

/** A column that indexes encrypted fields of its model. */
export interface IndexColumn {
  readonly field: DatamodelField
  readonly owner: AnnotatedModel
  readonly facts: SchemaFacts
}

/** The encrypted field of this name. */
export function encryptedSource(
  { encrypted }: AnnotatedModel,
  source: string,
): Annotated<EncryptedOptions> | undefined {
  return encrypted.find(({ field }) => field.name === source)
}

/** What is wrong with naming a field, which is not encrypted, as the source of an index. */
export function plainSourceProblem(
  { field, owner, facts: { wording } }: IndexColumn,
  source: string,
  index: string,
): string {
  if (source === field.name) return `indexes itself; name the ${wording.encrypted} ${wording.field} it is made from`
  if (owner.model.fields.some(({ name }) => name === source)) {
    return `indexes \`${source}\`, which is not encrypted; put ${wording.encrypted} on it or remove the ${index}`
  }
  const candidates = owner.encrypted.map((candidate) => candidate.field.name)
  return `indexes \`${source}\`, which is no ${wording.field} of ${owner.model.name}; ${didYouMean(source, candidates) || `name an encrypted ${wording.field} of the same ${wording.model}`}`
}
