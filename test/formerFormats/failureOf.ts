import { FormerFailure } from '../../src/formerFormats/formerFormat.js'

/** What a format says of what it cannot read. */
export function failureOf(work: () => unknown): FormerFailure {
  try {
    work()
  } catch (error) {
    if (error instanceof FormerFailure) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
