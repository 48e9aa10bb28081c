/**
 * What a terminal obeys or a reader does not see: control characters (C0, DEL, C1), separators of lines, marks of direction
 * and whatever else is invisible, and halves of surrogate pairs.
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu
/** The same, but for what lays out a text of several lines. */
const UNSEEN_IN_LINES = /(?![\n\t]|\r\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

/** Text from outside as part of a line: whatever steers is written as `\u001b` and not done. */
export function printable(text: unknown): string {
  return String(text).replace(UNSEEN, escaped)
}

/** As `printable`, of a text that may have several lines. JSON stays the same JSON. */
export function printableLines(text: unknown): string {
  return String(text).replace(UNSEEN_IN_LINES, escaped)
}

/** As in JSON, one escape for each unit of UTF-16. */
function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i))
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
}
