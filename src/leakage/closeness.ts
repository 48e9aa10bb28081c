/** When a guess at a number is as good as the number. */
export interface Closeness {
  isClose(guess: number, value: number): boolean
  /** A guess that is close to all values from `low` to `high`, if there is one. */
  guessFor(low: number, high: number): number | undefined
}

/** What is just as far as it may be is near, however its distance is rounded. */
const ROUNDING = 1 + 1e-12

/** Within a share of the value itself: 0.05 is 5 %. */
export function within(share: number): Closeness {
  return {
    isClose: (guess, value) => Math.abs(guess - value) <= share * Math.abs(value) * ROUNDING,
    guessFor: (low, high) => {
      if (low <= 0 && high >= 0) return low === high ? low : undefined
      const [near, far] = low > 0 ? [low, high] : [high, low]
      const [least, most] = [Math.abs(far) * (1 - share), Math.abs(near) * (1 + share)]
      return least <= most ? (Math.sign(near) * (least + most)) / 2 : undefined
    },
  }
}

/** Within a distance, for what has no zero to measure from, such as times. */
export function withinDistance(distance: number): Closeness {
  return {
    isClose: (guess, value) => Math.abs(guess - value) <= distance * ROUNDING,
    guessFor: (low, high) => (high - low <= 2 * distance ? (low + high) / 2 : undefined),
  }
}
