import type { EncryptedFieldSchema, ModelSchema } from '../../../schema/encryptionSchema.js'
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
}

const LEAST_DISTINCT_BITS = 128

/** What the blind indexes of a model offer for one of its encrypted fields. */
export function searchable({ indexes, encrypted }: ModelSchema, name: string): Searchable {
  const { list, state } = encrypted[name]!
  const all = list ? [] : Object.values(indexes).filter(({ sources }) => sources.includes(name))
  const own = all.filter(({ sources }) => sources.length === 1)
  return {
    alone: own.length > 0,
    combined: all.length > own.length,
    unique: state === undefined && own.some(({ unique }) => unique),
    distinct: state === undefined && own.some(({ bits }) => bits >= LEAST_DISTINCT_BITS),
  }
}

/** What may stand in a `where` for the field. */
export function filterType(field: EncryptedFieldSchema, { alone, combined }: Searchable, write: string): string {
  const Null = field.required ? 'never' : 'null'
  if (alone) return `Prisma.EncryptedFilter<${write}, ${Null}> | ${write}${orNull(field)}`
  if (combined) return `Prisma.EncryptedEqualsFilter<${write}, ${Null}> | ${write}${orNull(field)}`
  if (field.required) return 'never'
  return field.type === 'Json' ? 'Prisma.EncryptedJsonFilter' : 'Prisma.EncryptedNullFilter | null'
}

/** The declarations that {@link filterType} refers to, for the end of the client's commonInputTypes. */
export function filterDeclarations(skips: boolean): string {
  const skip = skips ? ' | runtime.Types.Skip' : ''
  return `
/** A filter on an encrypted field that has a blind index of its own. */
export type EncryptedFilter<Value, Null extends null = never> = {
  equals?: Value | Null${skip}
  in?: Value[] | Null${skip}
  notIn?: Value[] | Null${skip}
  not?: EncryptedFilter<Value, Null> | Value | Null${skip}
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
`
}
