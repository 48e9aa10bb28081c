import type { Lengths, TextParts } from '../crypto/tokens/textPieces.js'
import type { Report } from './problem.js'
import { isWholeWithin } from './wholeNumber.js'

/** The options of a text index that say what it makes tokens of, as given. */
export interface GivenTextParts {
  readonly prefix?: unknown
  readonly suffix?: unknown
  readonly words?: unknown
  readonly wordPrefix?: unknown
  readonly grams?: unknown
}

const MOST_LENGTH = 64
const LEAST_GRAMS = 2
const MOST_GRAMS = 6

/** Reads what a text index makes tokens of; what was reported is left out. The advice is written alike in every ORM. */
export function textParts({ prefix, suffix, words, wordPrefix, grams }: GivenTextParts, report: Report): TextParts {
  const given = [prefix, suffix, words, wordPrefix, grams].filter((part) => part !== undefined && part !== false)
  if (given.length === 0) {
    report(
      'says nothing that can be searched for; give one or more of `prefix: [2, 10]` (startsWith), `suffix: [2, 6]` ' +
        '(endsWith), `words: true`, `wordPrefix: [2, 8]` (words that begin so) and `grams: 3` (contains)',
    )
  }
  const parts = {
    prefix: lengths('prefix', prefix, report),
    suffix: lengths('suffix', suffix, report),
    words: wholeWords(words, report),
    wordPrefix: lengths('wordPrefix', wordPrefix, report),
    grams: size(grams, report),
  }
  return Object.fromEntries(Object.entries(parts).filter(([, part]) => part !== undefined))
}

function lengths(option: string, value: unknown, report: Report): Lengths | undefined {
  if (value === undefined) return undefined
  const [fewest, most, ...more] = Array.isArray(value) ? (value as unknown[]) : []
  if (isWholeWithin(fewest, 1, MOST_LENGTH) && isWholeWithin(most, fewest, MOST_LENGTH) && more.length === 0)
    return [fewest, most]
  report(
    `\`${option}\` is the fewest and the most characters that can be searched for, from 1 to ${MOST_LENGTH}; write \`${option}: [2, 8]\``,
  )
  return undefined
}

function wholeWords(value: unknown, report: Report): true | undefined {
  if (value === undefined || value === false) return undefined
  if (value !== true) report('`words` is true or false; write `words: true`')
  return value === true ? true : undefined
}

function size(value: unknown, report: Report): number | undefined {
  if (value === undefined || isWholeWithin(value, LEAST_GRAMS, MOST_GRAMS)) return value
  report(
    `\`grams\` is how many characters in a row a token is made of, from ${LEAST_GRAMS} to ${MOST_GRAMS}; write \`grams: 3\``,
  )
  return undefined
}
