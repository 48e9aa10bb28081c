import type { EncryptedFieldSchema, ModelSchema, TokenIndexSchema } from '../../../schema/encryptionSchema.js'
import { tokenFilterDeclarations, tokenFilters, tokenIndexesOf } from './tokenFilterTypes.js'
import { orNull } from './valueTypes.js'

/** How an encrypted field can be found. */
export interface Searchable {
  /** A blind index of its own answers. */
  readonly alone: boolean
  /** A blind index over several fields has a part of it. */
  readonly combined: boolean
  /** Its own index is unique, and every row has it. */
  readonly unique: boolean
  /** Equal values can be told by its index, in every row. */
  readonly distinct: boolean
  /** Its text and range indexes. */
  readonly tokens: readonly TokenIndexSchema[]
}

const LEAST_DISTINCT_BITS = 128

/** What the indexes of a model offer for one of its encrypted fields. */
export function searchable(model: ModelSchema, name: string): Searchable {
  const { indexes, encrypted } = model
  const { list, state } = encrypted[name]!
  const all = list ? [] : Object.values(indexes).filter(({ sources }) => sources.includes(name))
  const own = all.filter(({ sources }) => sources.length === 1)
  return {
    alone: own.length > 0,
    combined: all.length > own.length,
    unique: state === undefined && own.some(({ unique }) => unique),
    distinct: state === undefined && own.some(({ bits }) => bits >= LEAST_DISTINCT_BITS),
    tokens: tokenIndexesOf(model, name),
  }
}

/** What may stand in a `where` for the field. */
export function filterType(field: EncryptedFieldSchema, searches: Searchable, write: string): string {
  const { alone, combined, tokens } = searches
  const Null = field.required ? 'never' : 'null'
  const { operators, mode } = tokenFilters(tokens, write)
  const more = operators === undefined ? '' : `, ${operators}`
  if (alone) return `Prisma.EncryptedFilter<${write}, ${Null}${more}>${mode} | ${write}${orNull(field)}`
  const asked = operators === undefined ? [] : [`Prisma.EncryptedTokenFilter<${operators}, ${Null}>${mode}`]
  if (combined) {
    return [`Prisma.EncryptedEqualsFilter<${write}, ${Null}>`, ...asked, `${write}${orNull(field)}`].join(' | ')
  }
  if (asked.length > 0) return `${asked[0]}${orNull(field)}`
  if (field.required) return 'never'
  return field.type === 'Json' ? 'Prisma.EncryptedJsonFilter' : 'Prisma.EncryptedNullFilter | null'
}

/** The declarations that {@link filterType} refers to, for the end of the client's commonInputTypes. */
export function filterDeclarations(skips: boolean): string {
  const skip = skips ? ' | runtime.Types.Skip' : ''
  return `
/** A filter on an encrypted field that has a blind index of its own. */
export type EncryptedFilter<Value, Null extends null = never, Operators = unknown> = Operators & {
  equals?: Value | Null${skip}
  in?: Value[] | Null${skip}
  notIn?: Value[] | Null${skip}
  not?: EncryptedFilter<Value, Null, Operators> | Value | Null${skip}
}

/** A filter on an encrypted field that only a blind index over several fields covers. */
export type EncryptedEqualsFilter<Value, Null extends null = never> = {
  equals?: Value | Null${skip}
  not?: ([Null] extends [never] ? never : EncryptedNullFilter | null)${skip}
}

/** A filter on an encrypted field without a blind index. */
export type EncryptedNullFilter = {
  equals?: null${skip}
  not?: EncryptedNullFilter | null${skip}
}

/** A filter on an encrypted Json column. */
export type EncryptedJsonFilter = {
  equals?: typeof runtime.DbNull${skip}
  not?: typeof runtime.DbNull${skip}
}
${tokenFilterDeclarations(skip)}`
}
