import { nodesOver, type RangeTree } from '../crypto/tokens/rangeCover.js'
import type { Closeness } from './closeness.js'
import { countBelow, type Line, type PlacedValues } from './placedValues.js'
import type { Random } from './random.js'
import { matchByRank } from './rankMatching.js'
import { type TokenSets, tokenSetsOf } from './tokenSets.js'
import { type TokenTree, tokenTreeOf } from './tokenTree.js'

/** What an attacker on a range index has, beside the tokens. */
export interface RangeKnowledge {
  /** The options of the index: they are in the code and no secret. */
  readonly line: Line
  readonly sparsity: number
  /** Values of the same distribution, in order. */
  readonly known: PlacedValues
  /** How close a guess has to be. */
  readonly closeness: Closeness
}

/** More than there are levels. A number of few bits is found soonest. */
const LEVELS = 64

/** What is stored of rows in a range index. */
export function rangeTokensOf(cells: Float64Array, tree: RangeTree, random: Random): TokenSets {
  // A level and a prefix as one number.
  const piecesOf = (cell: number) => nodesOver(tree, cell).map(({ level, prefix }) => prefix * LEVELS + level)
  return tokenSetsOf([...cells], piecesOf, random)
}

/**
 * From token sets to values, without any query having been seen. The tree of dyadic intervals is rebuilt from which tokens
 * occur together (`tokenTree.ts`); this leaves open only in which order siblings stand. From the top down, the siblings of
 * one parent are matched to the parts of its interval by how many rows each has and how many are to be expected there. An
 * attacker stops where the interval is as narrow as his guess has to be, or where there is no token inside any more.
 *
 * Reconstruction from co-occurrence alone, and what auxiliary data adds to it: Lacharité, Minaud and Paterson, S&P 2018;
 * Pouliot and Wright, CCS 2016; Gui, Paterson and Tang, USENIX Security 2023. Those attack by queries or weigh all
 * positions at once, and do better; this is the least that must be reckoned with.
 *
 * @returns a guess for each row
 */
export function attackRange(sets: TokenSets, knowledge: RangeKnowledge, random: Random): Float64Array {
  const tree = tokenTreeOf(sets)
  const guesses = new RangeGuesses(tree, knowledge, random).ofTokens()
  const rows = sets.starts.length - 1
  return Float64Array.from({ length: rows }, (_, row) => {
    const chain = tree.chainOf(row)
    return guesses[chain.find((token) => !Number.isNaN(guesses[token]!)) ?? -1] ?? Number.NaN
  })
}

/** Cells from `first` to before `end`. */
interface Interval {
  readonly first: number
  readonly end: number
}

class RangeGuesses {
  readonly #tree: TokenTree
  readonly #knowledge: RangeKnowledge
  readonly #random: Random
  readonly #guesses: Float64Array

  constructor(tree: TokenTree, knowledge: RangeKnowledge, random: Random) {
    this.#tree = tree
    this.#knowledge = knowledge
    this.#random = random
    this.#guesses = new Float64Array(tree.sizes.length).fill(Number.NaN)
  }

  /** A guess for each token at which the attacker stops; NaN for all others. */
  ofTokens(): Float64Array {
    const { line, sparsity } = this.#knowledge
    const { bits } = line.scale
    this.#place(this.#tree.roots, { first: 0, end: 2 ** bits }, bits % sparsity || sparsity)
    return this.#guesses
  }

  /** @param deeper by how many bits the intervals of the tokens are narrower than the one around them */
  #place(tokens: readonly number[], around: Interval, deeper: number): void {
    const seen = tokens.map((token) => ({ item: token, weight: this.#tree.sizes[token]! }))
    const parts = this.#partsOf(around, 2 ** deeper)
    for (const [token, interval] of matchByRank(seen, parts, this.#random)) {
      const inside = this.#tree.childrenOf(token)
      const guess = this.#closeGuess(interval) ?? (inside.length === 0 ? this.#median(interval) : undefined)
      if (guess === undefined) this.#place(inside, interval, this.#knowledge.sparsity)
      else this.#guesses[token] = guess
    }
  }

  #partsOf({ first, end }: Interval, parts: number) {
    const width = (end - first) / parts
    const { cells } = this.#knowledge.known
    return Array.from({ length: parts }, (_, i) => {
      const item = { first: first + i * width, end: first + (i + 1) * width }
      return { item, weight: countBelow(cells, item.end) - countBelow(cells, item.first) }
    })
  }

  #closeGuess({ first, end }: Interval): number | undefined {
    const { line, closeness } = this.#knowledge
    return closeness.guessFor(line.valueAt(first), line.valueAt(end - 1))
  }

  #median({ first, end }: Interval): number {
    const { known, line } = this.#knowledge
    const [from, to] = [countBelow(known.cells, first), countBelow(known.cells, end)]
    return from === to ? (line.valueAt(first) + line.valueAt(end)) / 2 : known.values[(from + to) >> 1]!
  }
}
