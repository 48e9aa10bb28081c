import { lastGraphemes } from './graphemes.js'
import { HIDDEN } from './hidden.js'

/** How many characters a mask shows at the end. */
const SHOWN = 4

/** Shows the last four of the characters that count, where there are twice as many; else the fewer that `few` allows. */
export function maskBut(text: string, counts: (grapheme: string) => boolean, few = 0): string {
  const ending = lastGraphemes(text, 2 * SHOWN, counts)
  const shown = ending.length === 2 * SHOWN ? SHOWN : ending.length >= 2 * few ? few : 0
  return HIDDEN + ending.slice(ending.length - shown).join('')
}
