import type { RangeScale } from '../crypto/tokens/rangeScale.js'

/** Numbers, or times in milliseconds, and the cells of a range index in which they are. */
export interface PlacedValues {
  readonly values: Float64Array
  /** Of each value. */
  readonly cells: Float64Array
}

/** A scale, and what its cells stand for. */
export interface Line {
  readonly scale: RangeScale
  /** The lowest value of a cell. */
  valueAt(cell: number): number
}

/** From the lowest to the highest, both of values and of their cells. */
export function inOrder({ values, cells }: PlacedValues): PlacedValues {
  return { values: Float64Array.from(values).sort(), cells: Float64Array.from(cells).sort() }
}

/** @param values in order */
export function medianOf(values: Float64Array): number {
  return values[values.length >> 1] ?? 0
}

/** How many of the numbers are below one. */
export function countBelow(sorted: Float64Array, bound: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]! < bound) low = middle + 1
    else high = middle
  }
  return low
}
