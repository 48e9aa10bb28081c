/** What goes over to the addon in one call at most. */
export const MOST_VALUES = 1024

/**
 * What the addon is told of each value besides its bytes, and tells back, as it reads it: one column after the other.
 * There is one frame, filled in for each call: a small call must not pay for arrays of its own.
 */
export const ADDON_FRAME = new Uint32Array(4 * MOST_VALUES)

const [LENGTHS, PLACES, BOUND, OUTCOMES] = [0, 1, 2, 3].map((column) => column * MOST_VALUES) as [
  number,
  number,
  number,
  number,
]

export function writeLengths(values: readonly { readonly length: number }[]): void {
  for (let i = 0; i < values.length; i++) ADDON_FRAME[LENGTHS + i] = values[i]!.length
}

export function writePlaces(places: readonly { readonly prepared: unknown }[]): void {
  for (let i = 0; i < places.length; i++) ADDON_FRAME[PLACES + i] = places[i]!.prepared as number
}

export function writeBoundLengths(bound: readonly string[]): void {
  for (let i = 0; i < bound.length; i++) ADDON_FRAME[BOUND + i] = bound[i]!.length
}

/** The length of a plaintext; negative: −1 − the failure. */
export function readOutcome(i: number): number {
  return ADDON_FRAME[OUTCOMES + i]! | 0
}
