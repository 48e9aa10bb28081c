import { maskBut } from './ending.js'

const LETTER_OR_DIGIT = /^[\p{L}\p{N}]/u

/** Shows the last four letters or digits of a text that has eight or more: of a card, an account, a passport. */
export function maskLast4(text: string): string {
  return maskBut(text, (grapheme) => LETTER_OR_DIGIT.test(grapheme))
}
