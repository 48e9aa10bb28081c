import { type Random, shuffled } from './random.js'

/** Something with a number of rows. */
export interface Weighed<Item> {
  readonly item: Item
  readonly weight: number
}

export function weighed<Item>(counts: Iterable<readonly [Item, number]>): Weighed<Item>[] {
  return Array.from(counts, ([item, weight]) => ({ item, weight }))
}

/**
 * Pairs what is seen with what is known, the heaviest with the heaviest. Of all pairings it is the likeliest: the product of
 * known shares to the power of seen counts is largest where both go down together (the rearrangement inequality, on
 * logarithms). Where weights are equal, lots are drawn. What is left over on either side is paired with nothing.
 */
export function matchByRank<Seen, Known>(
  seen: readonly Weighed<Seen>[],
  known: readonly Weighed<Known>[],
  random: Random,
): [Seen, Known][] {
  const ranked = heaviestFirst(known, random)
  return heaviestFirst(seen, random)
    .slice(0, ranked.length)
    .map((item, i) => [item, ranked[i]!])
}

function heaviestFirst<Item>(items: readonly Weighed<Item>[], random: Random): Item[] {
  return shuffled(items, random)
    .sort((one, other) => other.weight - one.weight)
    .map(({ item }) => item)
}
