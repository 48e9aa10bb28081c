/** What goes over to the addon in one call at most. */
export const LARGEST_COUNT = 1024

/**
 * What the addon is told of each value besides its bytes, and tells back, as it reads it: one column after the other.
 * There is one frame, filled in for each call: a small call must not pay for arrays of its own.
 */
export const FRAME = new Uint32Array(4 * LARGEST_COUNT)

const [LENGTHS, PLACES, BOUND, OUTCOMES] = [0, 1, 2, 3].map((column) => column * LARGEST_COUNT) as [
  number,
  number,
  number,
  number,
]

export function frameLengths(values: readonly { readonly length: number }[]): void {
  for (let i = 0; i < values.length; i++) FRAME[LENGTHS + i] = values[i]!.length
}

export function framePlaces(places: readonly { readonly prepared: unknown }[]): void {
  for (let i = 0; i < places.length; i++) FRAME[PLACES + i] = places[i]!.prepared as number
}

export function frameBound(bound: readonly string[]): void {
  for (let i = 0; i < bound.length; i++) FRAME[BOUND + i] = bound[i]!.length
}

/** The length of a plaintext; negative: −1 − the failure. */
export function framedOutcome(i: number): number {
  return FRAME[OUTCOMES + i]! | 0
}
