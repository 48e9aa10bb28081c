import type { FieldsealError } from '../errors.js'

/** Work on the keys table, and whether any has not ended yet. */
export interface CountedWaits {
  readonly run: <T>(work: () => Promise<T>) => Promise<T>
  readonly isWaiting: () => boolean
}

/** @param unavailable what a failure is told as */
export function countedWaits(unavailable: (cause: unknown) => FieldsealError): CountedWaits {
  let waiting = 0
  return {
    async run(work) {
      waiting += 1
      try {
        return await work()
      } catch (cause) {
        throw unavailable(cause)
      } finally {
        waiting -= 1
      }
    },
    isWaiting: () => waiting > 0,
  }
}
