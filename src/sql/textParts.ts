/** A part of a statement's text: itself, the number of a parameter, or what is known once everything is encrypted. */
export type TextPart = string | number | (() => string)

/** The text of parts, as soon as all of them are known. */
export function textOfParts(parts: readonly TextPart[]): string {
  return parts.map((part) => (typeof part === 'function' ? part() : part)).join('')
}
