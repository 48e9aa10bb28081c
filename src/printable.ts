/**
 * What a terminal obeys or a reader does not see: control characters (C0, DEL, C1), separators of lines, marks of direction
 * and whatever else is invisible, and halves of surrogate pairs.
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu
/** The same, but for what lays out a text of several lines. */
const UNSEEN_IN_LINES = /(?![\n\t]|\r\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

/** UTF-16 units of one name, id or text from outside in a message. */
const MOST_OF_TEXT = 256
/** Of a line: as much as one that somebody reads, far less than a row of a table may hold. */
const MOST_OF_LINE = 10_000

/**
 * Text from outside as part of a line: whatever steers is written as `\u001b` and not done, and of what is longer than any
 * line the rest is left out.
 */
export function printable(text: unknown): string {
  return shortened(String(text), MOST_OF_LINE).replace(UNSEEN, escaped)
}

/** The beginning of a text that is longer than any that is meant to be read: `aaaa… (5000000 characters)`. */
export function shortened(text: string, most = MOST_OF_TEXT): string {
  return text.length > most ? `${text.slice(0, most)}… (${text.length} characters)` : text
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
