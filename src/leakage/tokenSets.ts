import { type Random, shuffled } from './random.js'

/**
 * What a stolen snapshot shows of an index: for each row a set of tokens. A token is a number that is drawn by lot, so that
 * nothing but who shares it with whom is left of what it was made of, as with an HMAC whose key nobody has.
 */
export interface TokenSets {
  /** The tokens of all rows, row after row, and in each in the order of the tokens, as they are stored. */
  readonly tokens: Int32Array
  /** Where each row's begin; one more at the end. */
  readonly starts: Int32Array
  /** How many different ones there are: they are numbered from 0. */
  readonly different: number
}

/** What tokens are made of. */
export type Piece = number | string

/** @param piecesOf what the tokens of a value are made of; asked once for each different value */
export function tokenSetsOf<Value>(
  values: readonly Value[],
  piecesOf: (value: Value) => readonly Piece[],
  random: Random,
): TokenSets {
  const numbers = new Map<Piece, number>()
  const known = new Map<Value, readonly number[]>()
  const numberOf = (piece: Piece) => {
    const number = numbers.get(piece) ?? numbers.size
    if (number === numbers.size) numbers.set(piece, number)
    return number
  }
  const setOf = (value: Value) => {
    const set = [...new Set(piecesOf(value))].map(numberOf)
    known.set(value, set)
    return set
  }
  const sets = values.map((value) => known.get(value) ?? setOf(value))
  const lots = Int32Array.from(shuffled(numbers.values(), random))
  return inRows(sets, lots)
}

function inRows(sets: readonly (readonly number[])[], lots: Int32Array): TokenSets {
  const starts = new Int32Array(sets.length + 1)
  for (const [row, set] of sets.entries()) starts[row + 1] = starts[row]! + set.length
  const tokens = new Int32Array(starts.at(-1)!)
  for (const [row, set] of sets.entries()) {
    const own = tokens.subarray(starts[row]!, starts[row + 1]!)
    for (const [i, number] of set.entries()) own[i] = lots[number]!
    own.sort()
  }
  return { tokens, starts, different: lots.length }
}

/** How many rows have each token. */
export function sizesOf({ tokens, different }: TokenSets): Int32Array {
  const sizes = new Int32Array(different)
  for (const token of tokens) sizes[token]! += 1
  return sizes
}
