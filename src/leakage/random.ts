/** Numbers from 0 to below 1. */
export type Random = () => number

/** The same numbers for the same seed, so that an attack on the same rows gives the same figures twice (mulberry32). */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The same items in another order, by Fisher and Yates. */
export function shuffled<Item>(items: Iterable<Item>, random: Random): Item[] {
  const all = [...items]
  for (let i = all.length - 1; i > 0; i--) {
    const other = Math.floor(random() * (i + 1))
    const item = all[i]!
    all[i] = all[other]!
    all[other] = item
  }
  return all
}
