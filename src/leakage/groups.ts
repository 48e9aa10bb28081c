/** How many rows there are of each value. */
export function countsOf<Value>(values: Iterable<Value>): Map<Value, number> {
  const counts = new Map<Value, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return counts
}

/** How values are spread: what can be told from the sizes of the groups alone. */
export interface Skew {
  readonly rows: number
  readonly distinct: number
  /** Rows of the value that is there most often. */
  readonly largest: number
  /** Values that are there once. */
  readonly single: number
  /**
   * How many bits a row's group tells of its value, to somebody who could name every group: Shannon's entropy. A column
   * of 2 equally frequent values has 1.
   */
  readonly entropy: number
}

export function skewOf(values: Iterable<unknown>): Skew {
  const sizes = [...countsOf(values).values()]
  const rows = sizes.reduce((sum, size) => sum + size, 0)
  return {
    rows,
    distinct: sizes.length,
    largest: sizes.reduce((most, size) => Math.max(most, size), 0),
    single: sizes.filter((size) => size === 1).length,
    entropy: sizes.reduce((sum, size) => sum - (size / rows) * Math.log2(size / rows), 0),
  }
}
