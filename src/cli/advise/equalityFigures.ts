import { attackEquality, groupsOfBits } from '../../leakage/equalityAttack.js'
import { skewOf } from '../../leakage/groups.js'
import type { Random } from '../../leakage/random.js'
import type { IndexFigures, IndexOptions } from './advice.js'

/** Values in a form in which equal ones are the same: numbers, or texts. */
export interface Comparable<Value> {
  readonly known: readonly Value[]
  readonly attacked: readonly Value[]
  readonly everyones: readonly Value[] | undefined
}

/** How good guesses are. */
export interface Judge<Value> {
  /** The best guess at a value of which nothing is known. */
  readonly blind: Value
  isNear: ((guess: Value, value: Value) => boolean) | undefined
}

export const SHORT_BITS = [16, 8] as const

/** What is guessed without an index, and what blind indexes give away; one after the other. */
export function* equalityFigures<Value>(
  values: Comparable<Value>,
  judge: Judge<Value>,
  random: Random,
): Generator<IndexFigures> {
  const { known, attacked, everyones } = values
  const figures = (options: IndexOptions, rows: readonly Value[], groups: readonly unknown[]): IndexFigures => {
    const guesses = attackEquality(groups, known, judge.blind, random)
    return { index: 'blind', options, tokens: 1, largest: skewOf(groups).largest, ...scored(rows, guesses, judge) }
  }
  const same = attacked.map(() => judge.blind)
  yield { index: 'none', options: {}, tokens: null, largest: null, ...scored(attacked, same, judge) }
  yield figures({}, attacked, attacked)
  for (const bits of SHORT_BITS) yield figures({ bits }, attacked, groupsOfBits(attacked, bits, random))
  if (everyones) yield figures({ scope: 'global' }, everyones, everyones)
}

/** The shares of rows that are guessed. */
export function scored<Value>(values: ArrayLike<Value>, guesses: ArrayLike<Value>, { isNear }: Judge<Value>) {
  let [exact, near] = [0, 0]
  for (let row = 0; row < values.length; row++) {
    const [guess, value] = [guesses[row]!, values[row]!]
    if (guess === value) exact += 1
    if (guess === value || isNear?.(guess, value)) near += 1
  }
  return { exactly: exact / values.length, nearly: isNear ? near / values.length : null }
}

/** What is there most often. */
export function commonest<Value>(counts: ReadonlyMap<Value, number>): Value {
  const [first] = [...counts].sort(([, one], [, other]) => other - one)
  return first![0]
}
