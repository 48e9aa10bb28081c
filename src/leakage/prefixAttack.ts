import { beginnings, type Lengths } from '../crypto/tokens/textPieces.js'
import { countsOf } from './groups.js'
import type { Random } from './random.js'
import { matchByRank, weighed } from './rankMatching.js'
import { tokenSetsOf } from './tokenSets.js'
import { type TokenTree, tokenTreeOf } from './tokenTree.js'
import type { WordGuesses } from './wordAttack.js'

/**
 * Frequency matching along the tree of beginnings: tokens that are nested are rebuilt into a tree (`tokenTree.ts`), its
 * widest tokens are matched with the beginnings that are known to be most frequent, and those inside of each with how these
 * go on. The text that is most frequent with what was guessed of it is guessed for the row.
 *
 * @param lengths of the beginnings, in code points
 * @param known texts of the same distribution
 * @returns rows whose text was guessed, and rows whose shortest beginning was
 */
export function attackPrefixes(
  texts: readonly string[],
  known: readonly string[],
  lengths: Lengths,
  random: Random,
): WordGuesses {
  const sets = tokenSetsOf(texts, (text) => beginningsOf(text, lengths), random)
  const tree = tokenTreeOf(sets)
  const knowledge = new KnownBeginnings(known, lengths)
  const guesses = guessBeginnings(tree, knowledge, random)
  let [whole, part] = [0, 0]
  for (const [row, text] of texts.entries()) {
    const chain = tree.chainOf(row)
    const first = guesses.get(chain[0] ?? -1)
    if (first !== undefined && text.startsWith(first)) part += 1
    const longest = chain.findLast((token) => guesses.has(token))
    if (longest !== undefined && knowledge.likeliest(guesses.get(longest)!) === text) whole += 1
  }
  return { whole, part }
}

function beginningsOf(text: string, lengths: Lengths): string[] {
  return beginnings(Array.from(text), lengths)
}

/** Texts that an attacker knows, by how they begin. */
class KnownBeginnings {
  /** How each beginning goes on, with how many texts do; the empty one goes on with the shortest. */
  readonly #longer = new Map<string, Map<string, number>>()
  readonly #likeliest = new Map<string, { readonly text: string; readonly count: number }>()

  constructor(known: readonly string[], lengths: Lengths) {
    for (const [text, count] of countsOf(known)) {
      for (const [before, beginning] of pairs(beginningsOf(text, lengths))) this.#add(before, beginning, text, count)
    }
  }

  #add(before: string, beginning: string, text: string, count: number): void {
    const longer = this.#longer.get(before) ?? new Map<string, number>()
    this.#longer.set(before, longer.set(beginning, (longer.get(beginning) ?? 0) + count))
    if (count > (this.#likeliest.get(beginning)?.count ?? 0)) this.#likeliest.set(beginning, { text, count })
  }

  after(beginning: string) {
    return weighed(this.#longer.get(beginning) ?? [])
  }

  likeliest(beginning: string): string | undefined {
    return this.#likeliest.get(beginning)?.text
  }
}

/** Each with the one before it. */
function pairs(beginnings: readonly string[]): [before: string, beginning: string][] {
  return beginnings.map((beginning, i) => [beginnings[i - 1] ?? '', beginning])
}

function guessBeginnings(tree: TokenTree, known: KnownBeginnings, random: Random): Map<number, string> {
  const guesses = new Map<number, string>()
  const place = (tokens: readonly number[], before: string): void => {
    const seen = tokens.map((token) => ({ item: token, weight: tree.sizes[token]! }))
    for (const [token, beginning] of matchByRank(seen, known.after(before), random)) {
      guesses.set(token, beginning)
      place(tree.childrenOf(token), beginning)
    }
  }
  place(tree.roots, '')
  return guesses
}
