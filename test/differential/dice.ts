import fc from 'fast-check'

/** Random decisions, all from one source that a seed fixes. */
export class Dice {
  readonly #random: fc.Random

  constructor(random: fc.Random) {
    this.#random = random
  }

  /** A whole number from `min` to `max`, both included. */
  int(min: number, max: number): number {
    return this.#random.nextInt(min, max)
  }

  chance(probability: number): boolean {
    return this.int(0, 9_999) < probability * 10_000
  }

  of<T>(list: readonly T[]): T {
    return list[this.int(0, list.length - 1)]!
  }

  /** Some of a list, in its order. */
  some<T>(list: readonly T[], probability = 0.5): T[] {
    return list.filter(() => this.chance(probability))
  }

  list<T>(min: number, max: number, make: (position: number) => T): T[] {
    return Array.from({ length: this.int(min, max) }, (_, position) => make(position))
  }

  /** One of several ways, by their weights; those of weight 0 never. */
  weighted<T>(ways: readonly (readonly [weight: number, make: () => T])[]): T {
    const total = ways.reduce((sum, [weight]) => sum + weight, 0)
    let left = this.int(1, total)
    for (const [weight, make] of ways) {
      left -= weight
      if (left <= 0) return make()
    }
    throw new Error('no way has a weight')
  }

  shuffled<T>(list: readonly T[]): T[] {
    const rest = [...list]
    return list.map(() => rest.splice(this.int(0, rest.length - 1), 1)[0]!)
  }
}

/** What a function makes by dice; `smaller` are variants of a value to try when it fails, the boldest first. */
export class Made<T> extends fc.Arbitrary<T> {
  readonly #make: (dice: Dice) => T
  readonly #smaller: (value: T, from: number) => Iterable<readonly [value: T, from: number]>

  constructor(make: (dice: Dice) => T, smaller: Made<T>['smaller'] = () => []) {
    super()
    this.#make = make
    this.#smaller = smaller
  }

  get smaller() {
    return this.#smaller
  }

  generate(random: fc.Random): fc.Value<T> {
    return new fc.Value(this.#make(new Dice(random)), 0)
  }

  canShrinkWithoutContext(value: unknown): value is T {
    return value !== undefined
  }

  shrink(value: T, context: unknown): fc.Stream<fc.Value<T>> {
    const candidates = this.#smaller(value, typeof context === 'number' ? context : 0)
    return fc
      .stream(candidates[Symbol.iterator]() as IterableIterator<readonly [T, number]>)
      .map(([smaller, from]) => new fc.Value(smaller, from))
  }
}
