import type { ModelSchema, TextIndexSchema, TokenIndexSchema } from '../../../schema/encryptionSchema.js'

/** What the text and range indexes of a field answer, as TypeScript. */
export interface TokenFilters {
  /** The operators, in an intersection; `undefined` for none. */
  readonly operators: string | undefined
  /** What stands beside the operators of a filter, and not of one inside of it. */
  readonly mode: string
}

/** The text and range indexes of a field. */
export function tokenIndexesOf({ tokenIndexes = {} }: ModelSchema, name: string): TokenIndexSchema[] {
  return Object.values(tokenIndexes).filter(({ source }) => source === name)
}

/** @param write the type of a value that is compared */
export function tokenFilters(indexes: readonly TokenIndexSchema[], write: string): TokenFilters {
  const texts = indexes.filter((index) => index.kind === 'text')
  const some = (answers: (index: TextIndexSchema) => unknown, filter: string) => (texts.some(answers) ? [filter] : [])
  const operators = [
    ...(texts.length < indexes.length ? [`Prisma.EncryptedRangeFilter<${write}>`] : []),
    ...some(({ prefix }) => prefix, 'Prisma.EncryptedPrefixFilter'),
    ...some(({ suffix }) => suffix, 'Prisma.EncryptedSuffixFilter'),
    ...some(({ grams }) => grams, 'Prisma.EncryptedSubstringFilter'),
    ...some(({ words, wordPrefix }) => words || wordPrefix, 'Prisma.EncryptedWordsFilter'),
  ]
  const folds = texts.some(({ normalize }) => normalize.includes('lowercase'))
  return {
    operators: operators.length === 0 ? undefined : operators.join(' & '),
    mode: folds ? ' & Prisma.EncryptedModeFilter' : '',
  }
}

/** The declarations that {@link tokenFilters} refers to. */
export function tokenFilterDeclarations(skip: string): string {
  return `
/** A filter on an encrypted field that text or range indexes answer, and no blind index of its own. */
export type EncryptedTokenFilter<Operators, Null extends null = never> = Operators & {
  equals?: Null${skip}
  not?: EncryptedTokenFilter<Operators, Null> | Null${skip}
}

/** What a range index answers. */
export type EncryptedRangeFilter<Value> = {
  lt?: Value${skip}
  lte?: Value${skip}
  gt?: Value${skip}
  gte?: Value${skip}
}

/** What a text index with \`prefix:\` answers. */
export type EncryptedPrefixFilter = {
  startsWith?: string${skip}
}

/** What a text index with \`suffix:\` answers. */
export type EncryptedSuffixFilter = {
  endsWith?: string${skip}
}

/** What a text index with \`grams:\` answers. */
export type EncryptedSubstringFilter = {
  contains?: string${skip}
}

/** What a text index with \`words:\` or \`wordPrefix:\` answers: all of these words, \`love*\` for those that begin so. */
export type EncryptedWordsFilter = {
  words?: string${skip}
}

/** Of a text index that tells no upper from lower case. */
export type EncryptedModeFilter = {
  mode?: 'default' | 'insensitive'${skip}
}
`
}
