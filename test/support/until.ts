import { setTimeout as delay } from 'node:timers/promises'

/** How long a busy machine may take for anything that a test waits for, in milliseconds. */
const PATIENCE = 90_000
/** Between two looks, in milliseconds. */
const EVERY = 20

/**
 * Waits until something holds. An error of the question ends it, while `eventually` asks again after any.
 *
 * @param what it waits for, for the error if that does not come
 */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = performance.now() + PATIENCE; !(await holds()); await delay(EVERY)) {
    if (performance.now() > end) throw new Error(`waited ${PATIENCE / 1000} s in vain for this: ${what}`)
  }
}
