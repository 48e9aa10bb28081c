import { setImmediate } from 'node:timers/promises'

/** After so many milliseconds at a stretch, others on the event loop have their turn. */
const TURN = 4

/** Works on a part; `false` ends the work. */
export type PartWork = (from: number, to: number) => boolean

/**
 * Works on many things part by part, and lets others on the event loop have their turn in between.
 *
 * @param length how many things there are
 * @param size how many make a part
 * @param began when the first turn did, if something came before
 * @returns nothing if one turn was enough, so that who has little to do awaits nothing
 */
export function inTurns(
  length: number,
  size: number,
  work: PartWork,
  began = performance.now(),
): Promise<void> | undefined {
  const next = oneTurn({ length, size, work }, 0, began)
  return next < length ? laterTurns({ length, size, work }, next) : undefined
}

interface Parts {
  readonly length: number
  readonly size: number
  readonly work: PartWork
}

async function laterTurns(parts: Parts, from: number): Promise<void> {
  for (let next = from; next < parts.length; ) {
    await setImmediate()
    next = oneTurn(parts, next, performance.now())
  }
}

/** Where the next turn goes on. */
function oneTurn({ length, size, work }: Parts, from: number, began: number): number {
  let next = from
  do {
    const end = Math.min(next + size, length)
    if (!work(next, end)) return length
    next = end
  } while (next < length && performance.now() - began < TURN)
  return next
}
