import type { Annotated, AnnotatedModel } from './annotatedModel.js'
import { type DatamodelField, indexTypesOf, referenceTo, relationOver } from './datamodel.js'
import type { StorageType } from './encryptionSchema.js'
import type { EncryptedOptions } from './fieldOptions.js'
import type { Rule } from './problem.js'
import type { SchemaFacts } from './schemaFacts.js'
import { isStorageType, maskProblem, modeProblem, padProblem, stateProblem, typeProblem } from './valueRules.js'
import type { SchemaWording } from './wording.js'

export interface EncryptedSubject extends Annotated<EncryptedOptions> {
  readonly owner: AnnotatedModel
  readonly facts: SchemaFacts
}

/** The native types that hold any ciphertext unchanged, none included; the first is what to use instead. */
const nativeTypes = {
  String: ['Text', 'VarChar'],
  Bytes: ['ByteA'],
  Json: ['JsonB', 'Json'],
} as const satisfies Record<StorageType, readonly string[]>

/** What an `@encrypted` field must and must not be. */
export const encryptedRules: readonly Rule<EncryptedSubject>[] = [
  ({ owner, facts: { wording } }) => {
    if (!owner.isKeys) return undefined
    return `is in the ${wording.model} that stores the keys; remove ${wording.encrypted}: wrapped keys are ciphertext already`
  },
  ({ owner, facts }) => {
    if (facts.views.has(owner.model.name)) return `is in a view; ${facts.wording.view.encrypted}`
  },
  ({ field, facts }) => columnProblem(field, facts.wording),
  ({ field, facts: { wording } }) => {
    if (field.isList && field.type === 'Json')
      return `is a list (${wording.type(field)}), which cannot be encrypted; ${wording.listOfJson}`
  },
  (subject) => typeProblem(subject),
  (subject) => padProblem(subject),
  (subject) => stateProblem(subject),
  (subject) => modeProblem(subject),
  (subject) => maskProblem(subject),
  ({ field, facts: { wording } }) => {
    if (!isStorageType(field.type) || !field.nativeType) return undefined
    const [name, args] = field.nativeType
    const allowed: readonly string[] = nativeTypes[field.type]
    if (allowed.includes(name) && args.length === 0) return undefined
    return `has the ${wording.nativeType(field)}, which does not hold every ciphertext; use ${wording.nativeNamed(allowed[0]!)}`
  },
  ({ field, owner, options, facts }) => {
    const { wording } = facts
    const types = indexTypesOf(facts.datamodel, owner.model.name, field.name)
    if (field.isId || types.includes('id')) {
      return `is in the primary key, and equal values have different ciphertexts; use another ${wording.field} as the id`
    }
    if (field.isUnique || types.includes('unique')) {
      return `is unique, and equal values have different ciphertexts; ${wording.unique}`
    }
    // Rows in plaintext are searched by what is in the field itself.
    const holdsPlaintext = options.state !== undefined && types.every((type) => type === 'normal')
    if (types.length > 0 && !holdsPlaintext)
      return `is in an ${wording.index}, which cannot find ciphertext; index a ${wording.blindIndex} column of it instead`
  },
  ({ field, owner }) => {
    const relation = relationOver(owner.model, field.name)
    if (relation !== undefined)
      return `is a foreign key of the relation \`${relation.name}\`; leave keys of relations in plaintext`
  },
  ({ field, owner, facts }) => {
    const relation = referenceTo(facts.datamodel, owner.model.name, field.name)
    if (relation !== undefined)
      return `is what the relation ${relation} refers to; leave keys of relations in plaintext`
  },
  ({ field, facts: { wording } }) => {
    if (field.hasDefaultValue && !isEmptyList(field))
      return `has a ${wording.default}, which would store plaintext; remove it and ${wording.giveValue}`
  },
]

/** What `as:` must not be: the context of two fields. They are counted once, as a schema may have thousands. */
export function duplicateContext(annotated: readonly AnnotatedModel[]): Rule<EncryptedSubject> {
  const places = placesByContext(annotated)
  return (subject) => {
    const context = contextOf(subject.owner, subject)
    const other = places.get(context)?.find(({ field }) => field !== subject.field)
    if (other === undefined) return undefined
    return `has the context "${context}", as ${other.name} has: their ciphertexts could be exchanged; give each its own name in ${subject.facts.wording.as}`
  }
}

function placesByContext(annotated: readonly AnnotatedModel[]) {
  const places = new Map<string, { readonly field: DatamodelField; readonly name: string }[]>()
  for (const owner of annotated) {
    for (const encrypted of owner.encrypted) {
      const context = contextOf(owner, encrypted)
      const place = { field: encrypted.field, name: `${owner.model.name}.${encrypted.field.name}` }
      places.set(context, [...(places.get(context) ?? []), place])
    }
  }
  return places
}

/** The context that goes into the AAD: `Model.field`, or what `as:` pins. */
export function contextOf({ model }: AnnotatedModel, { field, options }: Annotated<EncryptedOptions>): string {
  return options.as ?? `${model.name}.${field.name}`
}

/** What a field's column is made of: Prisma's own type may be another one than that of its values. */
function columnProblem(field: DatamodelField, wording: SchemaWording): string | undefined {
  if (field.kind === 'object') return `is a relation; put ${wording.encrypted} on a String, Bytes or Json field`
  if (isStorageType(field.type)) return undefined
  const instead = wording.storage(field)
  if (field.kind === 'enum') return `has the enum type ${field.type}, whose column cannot hold ciphertext; ${instead}`
  return `has the type ${wording.type(field)}, whose column cannot hold ciphertext; ${instead}`
}

/** An empty list is stored as one, and read as one. */
function isEmptyList(field: DatamodelField): boolean {
  return field.isList && Array.isArray(field.default) && field.default.length === 0
}
