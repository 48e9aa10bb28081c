/** Of how many code points pieces are, at least and at most. */
export type Lengths = readonly [fewest: number, most: number]

/** What a text index makes tokens of. */
export interface TextParts {
  readonly prefix?: Lengths | undefined
  readonly suffix?: Lengths | undefined
  /** Whole words. */
  readonly words?: boolean | undefined
  /** The beginnings of words. */
  readonly wordPrefix?: Lengths | undefined
  /** Everything of so many code points in a row. */
  readonly grams?: number | undefined
}

/** The first byte of what a token is made of: pieces of two kinds have nothing in common. */
const KIND = { prefix: 1, suffix: 2, word: 3, gram: 4, wordPrefix: 5 } as const

export type PieceKind = keyof typeof KIND

/** A piece of a text, as its token is made of: kind(1) ‖ the piece in UTF-8. */
export function pieceBody(kind: PieceKind, piece: string): Buffer {
  return Buffer.concat([Buffer.of(KIND[kind]), Buffer.from(piece, 'utf8')])
}

/** A letter or digit of any script, with the marks that belong to it. Everything else parts words. */
const WORD = /[\p{L}\p{M}\p{N}]+/gu

/** The words of a text, in order. */
export function wordsOf(text: string): string[] {
  return text.match(WORD) ?? []
}

/**
 * What the tokens of a text are made of, some of it more than once.
 *
 * @param text normalised, and well-formed
 */
export function piecesOf(text: string, { prefix, suffix, words, wordPrefix, grams }: TextParts): Buffer[] {
  const points = Array.from(text)
  const found = words || wordPrefix ? wordsOf(text) : []
  return [
    ...(prefix ? beginnings(points, prefix).map((piece) => pieceBody('prefix', piece)) : []),
    ...(suffix ? endings(points, suffix).map((piece) => pieceBody('suffix', piece)) : []),
    ...(words ? found.map((word) => pieceBody('word', word)) : []),
    ...(wordPrefix
      ? found.flatMap((word) => beginnings(Array.from(word), wordPrefix)).map((piece) => pieceBody('wordPrefix', piece))
      : []),
    ...(grams ? gramsOf(points, grams).map((piece) => pieceBody('gram', piece)) : []),
  ]
}

/** Everything of `size` code points in a row. */
export function gramsOf(points: readonly string[], size: number): string[] {
  return points.slice(0, Math.max(points.length - size + 1, 0)).map((_, i) => points.slice(i, i + size).join(''))
}

/** What a text begins with, in each of the lengths that it has. */
export function beginnings(points: readonly string[], lengths: Lengths): string[] {
  return lengthsWithin(points, lengths).map((length) => points.slice(0, length).join(''))
}

function endings(points: readonly string[], lengths: Lengths): string[] {
  return lengthsWithin(points, lengths).map((length) => points.slice(points.length - length).join(''))
}

function lengthsWithin(points: readonly string[], [fewest, most]: Lengths): number[] {
  const longest = Math.min(most, points.length)
  return Array.from({ length: Math.max(longest - fewest + 1, 0) }, (_, i) => fewest + i)
}
