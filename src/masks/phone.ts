import { maskBut } from './ending.js'

const DIGIT = /^\p{Nd}/u

/** Shows the last four digits of a number that has eight or more, the last two of one that has four or more. */
export function maskPhone(text: string): string {
  return maskBut(text, (grapheme) => DIGIT.test(grapheme), 2)
}
