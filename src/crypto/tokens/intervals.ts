/** Whole numbers from one to the one before another; without an end where that is `undefined`. */
export interface Interval {
  readonly from: bigint | undefined
  readonly to: bigint | undefined
}

/** Whole numbers, as intervals in order that do not touch. */
export type Intervals = readonly Interval[]

export const EVERYTHING: Intervals = [{ from: undefined, to: undefined }]

export function intersection(one: Intervals, other: Intervals): Intervals {
  return one
    .flatMap((a) => other.map((b): Interval => ({ from: later(a.from, b.from), to: sooner(a.to, b.to) })))
    .filter((interval) => !isEmpty(interval))
}

/** All that is in none of them. */
export function complement(intervals: Intervals): Intervals {
  const gaps: Interval[] = []
  let from: bigint | undefined
  for (const interval of intervals.filter((each) => !isEmpty(each))) {
    if (interval.from !== undefined) gaps.push({ from, to: interval.from })
    if (interval.to === undefined) return gaps
    from = interval.to
  }
  return [...gaps, { from, to: undefined }]
}

function isEmpty({ from, to }: Interval): boolean {
  return from !== undefined && to !== undefined && from >= to
}

function later(one: bigint | undefined, other: bigint | undefined): bigint | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return one > other ? one : other
}

function sooner(one: bigint | undefined, other: bigint | undefined): bigint | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return one < other ? one : other
}
