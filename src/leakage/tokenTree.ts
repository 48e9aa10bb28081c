import { sizesOf, type TokenSets } from './tokenSets.js'

/** The tokens of an index in which all tokens of a row are nested: dyadic intervals, or the beginnings of a text. */
export interface TokenTree {
  /** How many rows have each token. */
  readonly sizes: Int32Array
  /** The widest tokens. */
  readonly roots: readonly number[]
  /** The tokens just inside of one. */
  childrenOf(token: number): readonly number[]
  /** The tokens of a row, from the widest to the narrowest. */
  chainOf(row: number): Int32Array
}

const NONE: readonly number[] = []

/**
 * Builds the tree from the sets alone. Of two tokens of one row, every row that has the narrower has the wider too, so the
 * one that more rows have is the wider; if as many have both, the same rows have them, and nothing tells them apart or
 * needs to. How wide a token is follows from its place in the chain. What stays unknown is the order of siblings, and which
 * interval or letters a token stands for.
 */
export function tokenTreeOf(sets: TokenSets): TokenTree {
  const sizes = sizesOf(sets)
  const { starts } = sets
  const chains = Int32Array.from(sets.tokens)
  const children: number[][] = []
  const roots: number[] = []
  const placed = new Uint8Array(sets.different)
  for (let row = 0; row + 1 < starts.length; row++) {
    const chain = chains.subarray(starts[row]!, starts[row + 1]!)
    chain.sort((one, other) => sizes[other]! - sizes[one]! || one - other)
    for (const [i, token] of chain.entries()) {
      if (placed[token]) continue
      placed[token] = 1
      if (i === 0) roots.push(token)
      else addTo(children, chain[i - 1]!, token)
    }
  }
  return {
    sizes,
    roots,
    childrenOf: (token) => children[token] ?? NONE,
    chainOf: (row) => chains.subarray(starts[row]!, starts[row + 1]!),
  }
}

function addTo(children: number[][], parent: number, token: number): void {
  const own = children[parent]
  if (own === undefined) children[parent] = [token]
  else own.push(token)
}
