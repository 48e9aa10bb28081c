import { firstGrapheme } from './graphemes.js'
import { HIDDEN } from './hidden.js'

/** Shows the first character of the first and of the last word: `Ada King Lovelace` is `A••• L•••`. */
export function maskInitials(text: string): string {
  const words = text.split(/\s+/u).filter((word) => word !== '')
  const ends = words.length > 1 ? [words[0]!, words.at(-1)!] : words
  return ends.map((word) => firstGrapheme(word) + HIDDEN).join(' ') || HIDDEN
}
