import { gramsOf, type Lengths, type PieceKind, pieceBody, wordsOf } from '../crypto/tokens/textPieces.js'
import { FieldsealError } from '../errors.js'
import { foldsCase, textOf } from './tokenBodies.js'
import type { CipherTextIndex } from './tokenIndex.js'
import type { TokenQuery } from './tokenQuery.js'

export type TextOperator = 'startsWith' | 'endsWith' | 'contains' | 'words'

const TEXT_OPERATORS: ReadonlySet<string> = new Set<TextOperator>(['startsWith', 'endsWith', 'contains', 'words'])

export function isTextOperator(operator: string): operator is TextOperator {
  return TEXT_OPERATORS.has(operator)
}

/** Whether an index has tokens of the kind that an operator asks for. */
export function answers({ parts }: CipherTextIndex, operator: TextOperator): boolean {
  switch (operator) {
    case 'startsWith':
      return parts.prefix !== undefined
    case 'endsWith':
      return parts.suffix !== undefined
    case 'contains':
      return parts.grams !== undefined
    case 'words':
      return parts.words === true || parts.wordPrefix !== undefined
  }
}

/** A comparison of texts, and whether upper and lower case are the same to it. */
export interface TextComparison {
  readonly operator: TextOperator
  readonly value: unknown
  readonly isInsensitive: boolean
}

/**
 * The indexes that answer a comparison in one sense, so that what is found does not depend on how long a text is: that of
 * the first one which takes texts as they are, or tells upper and lower case apart, as far as the comparison does.
 */
export function textIndexesFor<Index extends CipherTextIndex>(
  indexes: readonly Index[],
  { operator, isInsensitive }: Omit<TextComparison, 'value'>,
): Index[] {
  const able = indexes.filter((index) => answers(index, operator) && (foldsCase(index) || !isInsensitive))
  const first =
    able.find(({ normalize }) => normalize.length === 0) ?? able.find((index) => !foldsCase(index)) ?? able[0]
  return able.filter(({ normalize }) => normalize.join() === first!.normalize.join())
}

/**
 * What the index that knows best is asked for: one that finds no others, if there is one.
 *
 * @param indexes of one sense, at least one
 * @throws FieldsealError `QUERY_UNSUPPORTED`, `VALUE_INVALID`
 */
export function bestTextQuery<Index extends CipherTextIndex>(
  indexes: readonly Index[],
  { operator, value }: Omit<TextComparison, 'isInsensitive'>,
): { readonly index: Index; readonly query: TokenQuery } {
  const found: { readonly index: Index; readonly query: TokenQuery }[] = []
  const refusals: unknown[] = []
  for (const index of indexes) {
    try {
      found.push({ index, query: textQuery(index, operator, value) })
    } catch (error) {
      if (!FieldsealError.is(error) || error.code !== 'QUERY_UNSUPPORTED') throw error
      refusals.push(error)
    }
  }
  const best = found.find(({ query }) => query.isExact) ?? found[0]
  if (best === undefined) throw refusals[0]
  return best
}

/**
 * The texts that an operator asks for, in the sense of the index: text and value are both normalised.
 *
 * @param index one that `answers` the operator
 * @throws FieldsealError `QUERY_UNSUPPORTED` for a text of which there are no tokens: too short, or without words
 */
export function textQuery(index: CipherTextIndex, operator: TextOperator, value: unknown): TokenQuery {
  if (operator === 'words') return wordsQuery(index, value)
  const text = textOf(index, value, 'searched for')
  const points = Array.from(text)
  const isFound = (stored: string) => stored[OPERATIONS[operator]](text)
  const matches = (stored: unknown) => isFound(textOf(index, stored, 'kept'))
  if (operator === 'contains') {
    const size = index.parts.grams!
    requireLength(index, operator, points, size)
    const bodies = gramsOf(points, size).map((gram) => pieceBody('gram', gram))
    return { match: matchOf(bodies), bodies, isExact: false, matches }
  }
  const kind = operator === 'startsWith' ? 'prefix' : 'suffix'
  const [fewest, most] = index.parts[kind]!
  requireLength(index, operator, points, fewest)
  const piece = kind === 'prefix' ? points.slice(0, most) : points.slice(-most)
  return { match: 'any', bodies: [pieceBody(kind, piece.join(''))], isExact: points.length <= most, matches }
}

/** All of one is any of it, which is asked for by one list of tokens, however many keys there are. */
function matchOf(bodies: readonly Buffer[]): TokenQuery['match'] {
  return bodies.length === 1 ? 'any' : 'all'
}

const OPERATIONS = { startsWith: 'startsWith', endsWith: 'endsWith', contains: 'includes' } as const

/** A word that is looked for: all of it, or its beginning. */
interface WantedWord {
  readonly word: string
  readonly isPrefix: boolean
}

function wordsQuery(index: CipherTextIndex, query: unknown): TokenQuery {
  const wanted = wantedWords(index, query)
  if (wanted.length === 0) throw refused(index, '"words" without a word in it would be every row: leave the filter out')
  const pieces = wanted.map((one) => wordPiece(index, one))
  const bodies = pieces.map(({ kind, piece }) => pieceBody(kind, piece))
  return {
    match: matchOf(bodies),
    bodies,
    isExact: pieces.every(({ isExact }) => isExact),
    matches: (stored) => {
      const words = wordsOf(textOf(index, stored, 'kept'))
      return wanted.every(({ word, isPrefix }) =>
        words.some((each) => (isPrefix ? each.startsWith(word) : each === word)),
      )
    },
  }
}

/**
 * `ada love*` is the word "ada" and a word that begins with "love". What stands between two `*` is normalised as one text,
 * as the stored text is: a normaliser may take the blanks out.
 */
function wantedWords(index: CipherTextIndex, query: unknown): WantedWord[] {
  if (typeof query !== 'string') return [{ word: textOf(index, query, 'searched for'), isPrefix: false }]
  if (STAR_INSIDE.test(query)) throw refused(index, 'a "*" stands at the end of a word, before a blank')
  const parts = query.split(/\*(?=\s|$)/u)
  return parts.flatMap((part, position) => {
    const endsInWord = position < parts.length - 1 && /\S$/u.test(part)
    const words = wordsOf(textOf(index, part, 'searched for'))
    return words.map((word, i) => ({ word, isPrefix: endsInWord && i === words.length - 1 }))
  })
}

const STAR_INSIDE = /\*(?!\s|$)/u

interface Piece {
  readonly kind: PieceKind
  readonly piece: string
  readonly isExact: boolean
}

function wordPiece(index: CipherTextIndex, { word, isPrefix }: WantedWord): Piece {
  const { words, wordPrefix } = index.parts
  if (!isPrefix) {
    if (words) return { kind: 'word', piece: word, isExact: true }
    return { ...wordBeginning(index, word, wordPrefix!), isExact: false }
  }
  if (wordPrefix === undefined) {
    throw refused(index, 'it has whole words only: leave the "*" out, or give it wordPrefix:, as in wordPrefix: [2, 8]')
  }
  return wordBeginning(index, word, wordPrefix)
}

function wordBeginning(index: CipherTextIndex, word: string, [fewest, most]: Lengths): Piece {
  const points = Array.from(word)
  requireLength(index, 'words', points, fewest)
  return { kind: 'wordPrefix', piece: points.slice(0, most).join(''), isExact: points.length <= most }
}

function requireLength(
  index: CipherTextIndex,
  operator: TextOperator,
  points: readonly string[],
  fewest: number,
): void {
  if (points.length >= fewest) return
  const what = operator === 'words' ? 'a beginning of a word' : 'a text'
  throw refused(index, `"${operator}" needs ${what} of at least ${fewest} characters once it is normalised`)
}

function refused({ name, sources }: CipherTextIndex, why: string): FieldsealError {
  const [field] = sources
  return new FieldsealError('QUERY_UNSUPPORTED', `${field!.name} is searched through ${name}: ${why}`)
}
