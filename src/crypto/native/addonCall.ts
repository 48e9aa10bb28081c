import { MOST_VALUES } from './addonFrame.js'

/**
 * The bytes, or characters, that go over in one call at most. What is longer than 128 KB, with two bytes for some
 * characters, V8 makes an object with pages of its own, which takes ten times as long.
 */
const MOST_BYTES = 60_000
/** Longer values are left to `node:crypto`: what its call costs is nothing to them. */
const MOST_VALUE_BYTES = 2 ** 24

/** What a call's values are measured by. */
type Sized = { readonly length: number }

/** What the addon makes of values; `undefined` where it declines or throws, and the other engine decides. */
export function orFallback<T>(values: readonly Sized[], work: () => T): T | undefined {
  if (values.length === 1 && values[0]!.length > MOST_VALUE_BYTES) return undefined
  try {
    return work()
  } catch {
    return undefined
  }
}

/** Does a batch in one call, or in parts where it is too much for one. */
export function inParts<B, R>(
  values: readonly Sized[],
  batch: B,
  partOf: (batch: B, from: number, to: number) => B,
  work: (part: B) => R[],
): R[] {
  const first = endOfPart(values, 0)
  if (first === values.length) return first === 0 ? [] : work(batch)
  const out = work(partOf(batch, 0, first))
  for (let from = first, to: number; from < values.length; from = to) {
    to = endOfPart(values, from)
    for (const result of work(partOf(batch, from, to))) out.push(result)
  }
  return out
}

function endOfPart(values: readonly Sized[], from: number): number {
  const last = Math.min(values.length, from + MOST_VALUES)
  let sum = 0
  for (let at = from; at < last; at++) {
    sum += values[at]!.length
    if (sum > MOST_BYTES) return Math.max(at, from + 1)
  }
  return last
}
