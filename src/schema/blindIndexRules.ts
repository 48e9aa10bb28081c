import type { Annotated, AnnotatedModel } from './annotatedModel.js'
import {
  type DatamodelField,
  indexTypesOf,
  referenceTo,
  relationOver,
  writtenNativeType,
  writtenType,
} from './datamodel.js'
import type { BlindIndexOptions, EncryptedOptions } from './fieldOptions.js'
import type { Rule } from './problem.js'
import type { SchemaFacts } from './schemaFacts.js'
import { didYouMean } from './suggestion.js'
import { type ValueSubject, valueTypeOf } from './valueRules.js'

export interface BlindIndexSubject extends Annotated<BlindIndexOptions> {
  readonly owner: AnnotatedModel
  readonly facts: SchemaFacts
}

/** Below this, different values collide often enough to fail a unique constraint. */
const leastUniqueBits = 128

/** What a `@blindIndex` column and the field behind it must be. */
export const blindIndexRules: readonly Rule<BlindIndexSubject>[] = [
  ({ owner }) => {
    if (owner.isKeys) return 'is in the model that stores the keys; remove `@blindIndex`'
  },
  ({ owner, facts }) => {
    if (facts.views.has(owner.model.name)) return 'is in a view; put `@blindIndex` on a column of the model behind it'
  },
  ({ field }) => {
    if (!isIndexType(field)) return `is a blind index of the type ${writtenType(field)}; make it String? or Bytes?`
  },
  ({ field, options }) => {
    if (!isIndexType(field) || !field.nativeType || holds(field, textLength(options.bits))) return undefined
    const instead = field.type === 'Bytes' ? '@db.ByteA' : `@db.Text or @db.VarChar(${textLength(options.bits)})`
    return `has the native type ${writtenNativeType(field)}, which does not hold an index of ${options.bits} bits; use ${instead}`
  },
  ({ field }) => {
    if (field.isRequired && isIndexType(field)) {
      return `is required; make it ${field.type}?: it is null in rows without a value and in rows not indexed yet`
    }
  },
  ({ field }) => {
    if (field.hasDefaultValue) return 'has a @default, which is no index of any value; remove it'
  },
  ({ field, owner, facts }) => {
    const key =
      relationOver(owner.model, field.name)?.name ?? referenceTo(facts.datamodel, owner.model.name, field.name)
    if (key !== undefined) return `is a key of the relation \`${key}\`; use another column for the blind index`
  },
  ({ field, options, owner, facts }) => {
    const types = indexTypesOf(facts.datamodel, owner.model.name, field.name)
    const unique = field.isUnique || types.includes('unique')
    if (!unique || options.bits >= leastUniqueBits) return undefined
    return (
      `is unique with ${options.bits} bits, so that different values could violate the constraint; ` +
      `remove the uniqueness or use ${leastUniqueBits} bits or more`
    )
  },
  (subject) => firstOf(subject.options.sources, (source) => sourceProblem(subject, source)),
  ({ options, owner, facts }) => {
    const sources = options.sources.flatMap((source) => encryptedSource(owner, source) ?? [])
    if (options.normalize.length === 0 || sources.length === 0) return undefined
    const typed = sources.map((source) => ({ name: source.field.name, type: valueTypeOf({ ...source, facts }) }))
    if (typed.some(({ type }) => type === 'String')) return undefined
    const { name, type } = typed[0]!
    return `normalises \`${name}\`, which is ${type}; leave out \`normalize\`: it works on String values only`
  },
]

function sourceProblem({ field, owner, facts }: BlindIndexSubject, source: string): string | undefined {
  const encrypted = encryptedSource(owner, source)
  if (encrypted !== undefined) return valueProblem(source, { ...encrypted, facts })
  if (source === field.name) return 'indexes itself; name the `@encrypted` field it is made from'
  if (owner.model.fields.some(({ name }) => name === source)) {
    return `indexes \`${source}\`, which is not encrypted; put \`@encrypted\` on it or remove the blind index`
  }
  const candidates = owner.encrypted.map((candidate) => candidate.field.name)
  return `indexes \`${source}\`, which is no field of ${owner.model.name}; ${didYouMean(source, candidates) || 'name an encrypted field of the same model'}`
}

function valueProblem(source: string, subject: ValueSubject): string | undefined {
  if (subject.field.isList) return `indexes \`${source}\`, which is a list; index a field of one value`
  if (valueTypeOf(subject) !== 'Json') return undefined
  return `indexes \`${source}\`, which is Json and has no one form to compare; index a field of another type`
}

function firstOf(sources: readonly string[], problemOf: (source: string) => string | undefined): string | undefined {
  return sources.map(problemOf).find((problem) => problem !== undefined)
}

function encryptedSource(owner: AnnotatedModel, source: string): Annotated<EncryptedOptions> | undefined {
  return owner.encrypted.find(({ field }) => field.name === source)
}

function isIndexType(field: DatamodelField): boolean {
  return field.kind === 'scalar' && !field.isList && (field.type === 'String' || field.type === 'Bytes')
}

function holds({ nativeType }: DatamodelField, characters: number): boolean {
  const [name, args] = nativeType!
  if (name === 'VarChar') return args.length === 0 || Number(args[0]) >= characters
  return name === 'Text' || name === 'ByteA'
}

/** Base64url without padding: six bits a character. */
function textLength(bits: number): number {
  return Math.ceil(bits / 6)
}
