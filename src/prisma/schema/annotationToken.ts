export type TokenKind = 'identifier' | 'number' | 'string' | 'punctuation' | 'unknown' | 'end'

/** One token inside the parentheses of an annotation; offsets count UTF-16 units from the start of the text. */
export interface Token {
  readonly kind: TokenKind
  readonly text: string
  readonly start: number
  readonly end: number
}

const blank = /\s*/y

const patterns: readonly (readonly [TokenKind, RegExp])[] = [
  ['identifier', /[A-Za-z][A-Za-z0-9_]*/y],
  ['number', /-?\d+(?:_\d+)*(?:\.\d+(?:_\d+)*)?(?![A-Za-z0-9_.])/y],
  ['string', /"(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy],
  ['punctuation', /[()[\],:]/y],
  ['unknown', /[\s\S]/uy],
]

/** The token at or after `offset`; line breaks are blanks. Past the last one it answers `end`. */
export function tokenAt(text: string, offset: number): Token {
  const start = offset + match(blank, text, offset)!.length
  for (const [kind, pattern] of patterns) {
    const found = match(pattern, text, start)
    if (found !== undefined) return { kind, text: found, start, end: start + found.length }
  }
  return { kind: 'end', text: '', start, end: start }
}

function match(sticky: RegExp, text: string, offset: number): string | undefined {
  sticky.lastIndex = offset
  return sticky.exec(text)?.[0]
}
