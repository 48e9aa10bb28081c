import { RangeScale } from '../../src/crypto/tokens/rangeScale.js'
import { within } from '../../src/leakage/closeness.js'
import { attackEquality } from '../../src/leakage/equalityAttack.js'
import { attackOrder } from '../../src/leakage/orderAttack.js'
import { inOrder, type Line, medianOf, type PlacedValues } from '../../src/leakage/placedValues.js'
import { type Random, randomFrom } from '../../src/leakage/random.js'
import { attackRange, rangeTokensOf } from '../../src/leakage/rangeAttack.js'

const SCALE = new RangeScale({ min: 0n, max: 1_000_000n, step: 1n })
const LINE: Line = { scale: SCALE, valueAt: (cell) => cell }
const FIVE_PER_CENT = within(0.05)

/**
 * Salaries of which half are below about 50,000, with a lowest and a highest: lognormal around 46,000 with σ = 0.75, from
 * 18,000 to 200,000.
 */
export function salaries(count: number, random: Random): PlacedValues {
  const values = Float64Array.from({ length: count }, () => salary(random))
  return { values, cells: values }
}

function salary(random: Random): number {
  for (;;) {
    const value = Math.round(46_000 * Math.exp(0.75 * normal(random)))
    if (value >= 18_000 && value <= 200_000) return value
  }
}

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

/** Per cent of rows guessed within 5 %. */
export interface Figures {
  readonly median: number
  readonly equality: number
  readonly sparsity2: number
  readonly sparsity4: number
  readonly order: number
}

/** A draw of so many rows, attacked by somebody who has other values of the same distribution. */
class AttackedSalaries {
  readonly #stored: PlacedValues
  readonly #known: PlacedValues
  readonly #random: Random

  constructor(rows: number, known: PlacedValues, random: Random) {
    this.#stored = salaries(rows, random)
    this.#known = known
    this.#random = random
  }

  median(): number {
    return this.#score(new Float64Array(this.#stored.values.length).fill(medianOf(this.#known.values)))
  }

  equality(): number {
    const [groups, known] = [[...this.#stored.values], [...this.#known.values]]
    return this.#score(attackEquality(groups, known, medianOf(this.#known.values), this.#random))
  }

  range(sparsity: number): number {
    const sets = rangeTokensOf(this.#stored.cells, { scale: SCALE, sparsity }, this.#random)
    const knowledge = { line: LINE, sparsity, known: this.#known, closeness: FIVE_PER_CENT }
    return this.#score(attackRange(sets, knowledge, this.#random))
  }

  order(): number {
    return this.#score(attackOrder(this.#stored.values, this.#known.values))
  }

  #score(guesses: ArrayLike<number>): number {
    const { values } = this.#stored
    const right = values.reduce((sum, value, i) => sum + Number(FIVE_PER_CENT.isClose(guesses[i]!, value)), 0)
    return (100 * right) / values.length
  }
}

/** The medians of several draws: one of few rows says little. Attackers have 100,000 values. */
export function medianFigures(rows: number, { attackers, draws }: { attackers: number; draws: number }): Figures {
  const random = randomFrom(rows)
  const drawn = Array.from({ length: attackers }, () => {
    const known = inOrder(salaries(100_000, random))
    return Array.from({ length: draws }, () => new AttackedSalaries(rows, known, random))
  })
  const all = drawn.flat()
  return {
    median: middle(all.map((one) => one.median())),
    // It hardly differs from draw to draw, and takes longest.
    equality: middle(drawn.map(([first]) => first!.equality())),
    sparsity2: middle(all.map((one) => one.range(2))),
    sparsity4: middle(all.map((one) => one.range(4))),
    order: middle(all.map((one) => one.order())),
  }
}

function middle(figures: readonly number[]): number {
  return Math.round(medianOf(Float64Array.from(figures).sort()))
}
