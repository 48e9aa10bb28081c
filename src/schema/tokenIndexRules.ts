import type { Annotated } from './annotatedModel.js'
import { type DatamodelField, indexTypesOf, referenceTo, relationOver } from './datamodel.js'
import type { TokenIndexOptions } from './fieldOptions.js'
import { encryptedSource, type IndexColumn, plainSourceProblem } from './indexSource.js'
import type { Rule } from './problem.js'
import { boundsProblem, isRangeKind } from './rangeBounds.js'
import { valueTypeOf } from './valueRules.js'

export interface TokenIndexSubject extends Annotated<TokenIndexOptions>, IndexColumn {}

/** What a `@textIndex` or `@rangeIndex` column and the field behind it must be. */
export const tokenIndexRules: readonly Rule<TokenIndexSubject>[] = [
  ({ options, owner, facts: { wording } }) => {
    if (owner.isKeys)
      return `is in the ${wording.model} that stores the keys; remove ${wording.tokenIndex[options.kind]}`
  },
  ({ owner, facts }) => {
    if (facts.views.has(owner.model.name)) return `is in a view; ${facts.wording.view.tokens}`
  },
  ({ field, options, facts: { wording } }) => {
    if (!isTokenColumn(field))
      return `is a ${options.kind} index of the type ${wording.type(field)}; ${wording.tokenType}`
  },
  ({ field, facts: { wording } }) => {
    if (field.hasDefaultValue) return `has a ${wording.default}, which is no index of any value; remove it`
  },
  ({ field, options, owner, facts }) => {
    const { datamodel } = facts
    const key = relationOver(owner.model, field.name)?.name ?? referenceTo(datamodel, owner.model.name, field.name)
    if (key !== undefined)
      return `is a key of the relation \`${key}\`; use another column for the ${options.kind} index`
  },
  ({ field, owner, facts }) => {
    const types = indexTypesOf(facts.datamodel, owner.model.name, field.name)
    if (!field.isUnique && !types.includes('unique') && !types.includes('id')) return undefined
    return 'is unique, while equal values have the same tokens, and different ones may; remove the uniqueness'
  },
  (subject) => {
    const { options, owner } = subject
    if (options.source === undefined || encryptedSource(owner, options.source) !== undefined) return undefined
    return plainSourceProblem(subject, options.source, `${options.kind} index`)
  },
  ({ options, owner, facts }) => {
    const source = options.source === undefined ? undefined : encryptedSource(owner, options.source)
    if (source === undefined) return undefined
    const indexes = `indexes \`${options.source}\`, which is`
    if (source.field.isList) return `${indexes} a list; index a ${facts.wording.field} of one value`
    const type = valueTypeOf({ ...source, facts })
    const instead = typeProblem(options, type, facts.wording.tokenIndex)
    return instead === undefined ? undefined : `${indexes} ${type}${instead}`
  },
  ({ options, owner, facts }) => {
    const source = options.source === undefined ? undefined : encryptedSource(owner, options.source)
    if (source === undefined || options.kind !== 'range' || options.range === undefined) return undefined
    const type = valueTypeOf({ ...source, facts })
    return isRangeKind(type) ? boundsProblem(options.range, type) : undefined
  },
]

function typeProblem(
  { kind }: TokenIndexOptions,
  type: string,
  names: { readonly text: string; readonly range: string },
): string | undefined {
  if (kind === 'text') {
    if (type === 'String') return undefined
    return `: a text index is of String values${isRangeKind(type) ? `; use ${names.range}` : '; index another field'}`
  }
  if (isRangeKind(type)) return undefined
  if (type === 'Float')
    return ', whose order takes 64 bits, and so hundreds of tokens for a query; make it a Decimal, and give the index a `scale`'
  const ordered = ': a range index is of Int, BigInt, Decimal or DateTime values'
  return `${ordered}${type === 'String' ? `; use ${names.text}` : '; index another field'}`
}

function isTokenColumn({ kind, type, isList, nativeType }: DatamodelField): boolean {
  return kind === 'scalar' && type === 'String' && isList && nativeType?.[0] === 'Uuid'
}
