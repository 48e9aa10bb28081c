import type { TextOperator } from '../cipher/textQuery.js'

/** What a pattern of LIKE asks, where a text index can tell. */
export interface LikePattern {
  readonly operator: Exclude<TextOperator, 'words'>
  readonly text: string
}

/** A character of a pattern with what escapes it, or a wildcard. */
const PARTS = /\\[\s\S]|[^\\]/gu

/**
 * Reads a pattern as PostgreSQL does, without an ESCAPE of its own: `\` before a character takes it as it is.
 *
 * @returns why no text index answers it, where none does
 */
export function likePattern(pattern: string): LikePattern | string {
  const parts: readonly string[] = pattern.match(PARTS) ?? []
  if (parts.join('') !== pattern) return 'its pattern ends with a "\\", which escapes nothing'
  if (parts.includes('_'))
    return 'its pattern has a "_", of which an index knows nothing: escape it as "\\_", or leave it out'
  const begins = parts[0] === '%'
  const ends = parts.at(-1) === '%'
  const inner = parts.slice(leading(parts), parts.length - leading(parts.toReversed()))
  if (inner.includes('%'))
    return 'its pattern has a "%" inside: an index finds the beginning, the end or a part of a text'
  if (!begins && !ends) return 'its pattern has no "%" at an end: compare by = for the whole text'
  const text = inner.map((part) => (part.length > 1 && part.startsWith('\\') ? part.slice(1) : part)).join('')
  return { operator: begins ? (ends ? 'contains' : 'endsWith') : 'startsWith', text }
}

function leading(parts: readonly string[]): number {
  const first = parts.findIndex((part) => part !== '%')
  return first < 0 ? parts.length : first
}
