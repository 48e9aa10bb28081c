/** A thing to time; it is awaited. */
export type Contender = () => unknown

/** Milliseconds per round of each contender. */
export type Times<Name extends string> = { readonly [name in Name]: number[] }

/**
 * Times contenders in turn, A B C A B C …, so that a drift of the machine meets all alike. Some rounds first are not
 * counted.
 */
export async function interleave<Name extends string>(
  contenders: { readonly [name in Name]: Contender },
  { rounds, warmUp = 3 }: { rounds: number; warmUp?: number },
): Promise<Times<Name>> {
  const names = Object.keys(contenders) as Name[]
  const times = Object.fromEntries(names.map((name) => [name, []])) as unknown as Times<Name>
  for (let round = -warmUp; round < rounds; round++) {
    for (const name of names) {
      const start = performance.now()
      await contenders[name]()
      if (round >= 0) times[name].push(performance.now() - start)
    }
  }
  return times
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]!
}

/** Median, and in brackets the quartiles. */
export function spread(values: readonly number[], digits = 2): string {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (part: number) => sorted[Math.floor((sorted.length - 1) * part)]!.toFixed(digits)
  return `${at(0.5)} [${at(0.25)}–${at(0.75)}]`
}

/** What `combine` makes of the times of each round: ratios are taken round by round. */
export function perRound<Name extends string>(
  times: Times<Name>,
  combine: (round: { readonly [name in Name]: number }) => number,
): number[] {
  const names = Object.keys(times) as Name[]
  return times[names[0]!].map((_, round) =>
    combine(Object.fromEntries(names.map((name) => [name, times[name][round]])) as { [name in Name]: number }),
  )
}
