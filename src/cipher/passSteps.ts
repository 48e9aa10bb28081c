import { debugStep } from '../debug.js'
import type { Slot } from './slot.js'

/** What a pass is about to do, by the modes of its slots. Call it only if `isDebugging`. */
export function debugSlots(slots: readonly Slot[]): void {
  const modes = ['encrypt', 'index', 'compare', 'tokens', 'decrypt'] as const
  const counts = modes.map((mode) => [slots.filter((slot) => slot.mode === mode).length, mode] as const)
  const present = counts.filter(([count]) => count > 0)
  debugStep('cipher', present.map(([count, mode]) => `${count} to ${mode}`).join(', '))
}

/** How many of a pass's keys are in memory. */
export interface KeyFigures {
  readonly held: number
  readonly missing: number
}

/** Call it only if `isDebugging`. */
export function debugKeys({ held, missing }: KeyFigures): void {
  debugStep('keys', `${held} in memory, ${missing} asked for`)
}
