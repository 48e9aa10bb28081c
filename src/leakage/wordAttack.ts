import { countsOf } from './groups.js'
import type { Random } from './random.js'
import { matchByRank, weighed } from './rankMatching.js'
import { sizesOf, tokenSetsOf } from './tokenSets.js'

/** How much of each row's text was guessed. */
export interface WordGuesses {
  /** Rows all of whose words are. */
  readonly whole: number
  /** Rows at least one of whose words is. */
  readonly part: number
}

/**
 * Frequency matching, on an index that shows which rows share a word (Pouliot and Wright, CCS 2016, who also use which words
 * stand together and do better): the word that is known to be in most rows is guessed for the token that most rows have.
 *
 * @param texts the words of each row
 * @param known the words of rows of the same distribution
 */
export function attackWords(
  texts: readonly (readonly string[])[],
  known: readonly (readonly string[])[],
  random: Random,
): WordGuesses {
  const sets = tokenSetsOf(texts, (words) => words, random)
  const expected = countsOf(known.flatMap((row) => [...new Set(row)]))
  const guesses = new Map(matchByRank(weighed(sizesOf(sets).entries()), weighed(expected), random))
  const rights = texts.map((row, i) => {
    const own = new Set(row)
    const tokens = sets.tokens.subarray(sets.starts[i]!, sets.starts[i + 1]!)
    // Tokens of one row are not told apart: a guess is right if the row has the word.
    const right = tokens.reduce((sum, token) => sum + Number(own.has(guesses.get(token) ?? '')), 0)
    return { right, of: own.size }
  })
  return {
    whole: rights.filter(({ right, of }) => of > 0 && right === of).length,
    part: rights.filter(({ right }) => right > 0).length,
  }
}
