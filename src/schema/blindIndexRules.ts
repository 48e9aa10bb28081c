import type { Annotated } from './annotatedModel.js'
import { type DatamodelField, indexTypesOf, referenceTo, relationOver } from './datamodel.js'
import type { BlindIndexOptions } from './fieldOptions.js'
import { encryptedSource, type IndexColumn, plainSourceProblem } from './indexSource.js'
import type { Rule } from './problem.js'
import { type CheckedValueSubject, valueTypeOf } from './valueRules.js'

export interface BlindIndexSubject extends Annotated<BlindIndexOptions>, IndexColumn {}

/** Below this, different values collide often enough to fail a unique constraint. */
const leastUniqueBits = 128

/** What a `@blindIndex` column and the field behind it must be. */
export const blindIndexRules: readonly Rule<BlindIndexSubject>[] = [
  ({ owner, facts: { wording } }) => {
    if (owner.isKeys) return `is in the ${wording.model} that stores the keys; remove ${wording.blindIndex}`
  },
  ({ owner, facts }) => {
    if (facts.views.has(owner.model.name)) return `is in a view; ${facts.wording.view.index}`
  },
  ({ field, facts: { wording } }) => {
    if (!isIndexType(field)) return `is a blind index of the type ${wording.type(field)}; ${wording.indexType}`
  },
  ({ field, options, facts: { wording } }) => {
    if (!isIndexType(field) || !field.nativeType || holds(field, textLength(options.bits))) return undefined
    const instead =
      field.type === 'Bytes'
        ? wording.nativeNamed('ByteA')
        : `${wording.nativeNamed('Text')} or ${wording.nativeNamed(`VarChar(${textLength(options.bits)})`)}`
    return `has the ${wording.nativeType(field)}, which does not hold an index of ${options.bits} bits; use ${instead}`
  },
  ({ field, facts: { wording } }) => {
    if (field.isRequired && isIndexType(field)) {
      return `is required; ${wording.nullableIndex(field)}: it is null in rows without a value and in rows not indexed yet`
    }
  },
  ({ field, facts: { wording } }) => {
    if (field.hasDefaultValue) return `has a ${wording.default}, which is no index of any value; remove it`
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
    return `normalises \`${name}\`, which is ${type}; ${facts.wording.noNormalize}: it works on String values only`
  },
]

function sourceProblem(subject: BlindIndexSubject, source: string): string | undefined {
  const encrypted = encryptedSource(subject.owner, source)
  if (encrypted === undefined) return plainSourceProblem(subject, source, 'blind index')
  return valueProblem(source, { ...encrypted, facts: subject.facts })
}

function valueProblem(source: string, subject: CheckedValueSubject): string | undefined {
  if (subject.field.isList)
    return `indexes \`${source}\`, which is a list; index a ${subject.facts.wording.field} of one value`
  if (valueTypeOf(subject) !== 'Json') return undefined
  return `indexes \`${source}\`, which is Json and has no one form to compare; index a ${subject.facts.wording.field} of another type`
}

function firstOf(sources: readonly string[], problemOf: (source: string) => string | undefined): string | undefined {
  return sources.map(problemOf).find((problem) => problem !== undefined)
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
