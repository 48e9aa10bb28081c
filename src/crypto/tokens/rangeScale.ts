/** The values that a range index can hold, in whole units of their type: ones, milliseconds, or the last decimal place. */
export interface RangeBounds {
  readonly min: bigint
  /** Included. */
  readonly max: bigint
  /** Values of one step share a cell: 1 tells all of them apart. */
  readonly step: bigint
}

/** The cells of an interval. */
export interface Cells {
  readonly first: number
  readonly last: number
  /** Whether they hold the values of the interval and no others. */
  readonly isExact: boolean
}

/** A tree of more levels would make hundreds of tokens of one query. */
export const MOST_BITS = 32

/** A scale of equal cells, numbered from 0, into which a range index puts values. */
export class RangeScale {
  /** The number of the last cell. */
  readonly last: number
  /** How many bits number the cells: 1 to 32. */
  readonly bits: number
  readonly #bounds: RangeBounds

  /** @throws RangeError for bounds that are no scale, or one of more than 2³² cells */
  constructor(bounds: RangeBounds) {
    const { min, max, step } = bounds
    if (step < 1n || max <= min) throw new RangeError('a scale has a step of 1 or more, and its max is above its min')
    const last = (max - min) / step
    const bits = last === 0n ? 1 : last.toString(2).length
    if (bits > MOST_BITS) throw new RangeError(`a scale has at most 2^${MOST_BITS} cells: make the step larger`)
    this.last = Number(last)
    this.bits = bits
    this.#bounds = bounds
  }

  /** Whether every value has a cell of its own. */
  get isFine(): boolean {
    return this.#bounds.step === 1n
  }

  /** The cell of a value; `undefined` for one that is outside of the scale. */
  cellOf(value: bigint): number | undefined {
    const { min, max, step } = this.#bounds
    return value < min || value > max ? undefined : Number((value - min) / step)
  }

  /**
   * The cells of all values from `from` to the one before `to`. What is outside of the scale is cut off, since no value is
   * there.
   *
   * @param from `undefined` for the first
   * @param to `undefined` for one after the last
   * @returns `undefined` where the interval is empty
   */
  cellsOf(from: bigint | undefined, to: bigint | undefined): Cells | undefined {
    const { min, max, step } = this.#bounds
    const end = max + 1n
    const begin = from === undefined || from < min ? min : from
    const stop = to === undefined || to > end ? end : to
    if (begin >= stop) return undefined
    return {
      first: Number((begin - min) / step),
      last: Number((stop - 1n - min) / step),
      isExact: (begin - min) % step === 0n && (stop === end || (stop - min) % step === 0n),
    }
  }
}
