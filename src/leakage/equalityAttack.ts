import { countsOf } from './groups.js'
import type { Random } from './random.js'
import { matchByRank, weighed } from './rankMatching.js'

/**
 * Frequency matching, on an index that shows which rows are equal (Naveed, Kamara and Wright, CCS 2015): the value that is
 * known to be most frequent is guessed for the largest group, and so on.
 *
 * @param groups the group of each row, as a number or text that says nothing
 * @param known values of the same distribution
 * @param otherwise guessed for rows in more groups than there are values known
 * @returns a guess for each row
 */
export function attackEquality<Value>(
  groups: readonly unknown[],
  known: readonly Value[],
  otherwise: Value,
  random: Random,
): Value[] {
  const guesses = new Map(matchByRank(weighed(countsOf(groups)), weighed(countsOf(known)), random))
  return groups.map((group) => guesses.get(group) ?? otherwise)
}

/** The groups that an index of so many bits shows: values that fall on the same bits are in one. */
export function groupsOfBits(values: readonly unknown[], bits: number, random: Random): number[] {
  const groups = new Map<unknown, number>()
  const groupOf = (value: unknown) => {
    // Beyond 32 bits no two of these values would meet.
    const group = bits > 32 ? groups.size : Math.floor(random() * 2 ** bits)
    groups.set(value, group)
    return group
  }
  return values.map((value) => groups.get(value) ?? groupOf(value))
}
