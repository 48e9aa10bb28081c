import { gramsOf, type Lengths, type PieceKind, pieceBody, wordsOf } from '../crypto/tokens/textPieces.js'
import { FieldsealError } from '../errors.js'
import { textOf } from './tokenBodies.js'
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
    return { match: 'all', bodies, isExact: false, matches }
  }
  const kind = operator === 'startsWith' ? 'prefix' : 'suffix'
  const [fewest, most] = index.parts[kind]!
  requireLength(index, operator, points, fewest)
  const piece = kind === 'prefix' ? points.slice(0, most) : points.slice(-most)
  return { match: 'all', bodies: [pieceBody(kind, piece.join(''))], isExact: points.length <= most, matches }
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
  return {
    match: 'all',
    bodies: pieces.map(({ kind, piece }) => pieceBody(kind, piece)),
    isExact: pieces.every(({ isExact }) => isExact),
    matches: (stored) => {
      const words = wordsOf(textOf(index, stored, 'kept'))
      return wanted.every(({ word, isPrefix }) =>
        words.some((each) => (isPrefix ? each.startsWith(word) : each === word)),
      )
    },
  }
}

/** `ada love*` is the word "ada" and a word that begins with "love". */
function wantedWords(index: CipherTextIndex, query: unknown): WantedWord[] {
  if (typeof query !== 'string') return [{ word: textOf(index, query, 'searched for'), isPrefix: false }]
  return query.split(/\s+/u).flatMap((part) => {
    const isPrefix = part.endsWith('*')
    const words = wordsOf(textOf(index, isPrefix ? part.slice(0, -1) : part, 'searched for'))
    return words.map((word, i) => ({ word, isPrefix: isPrefix && i === words.length - 1 }))
  })
}

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
