import { pause } from './batchSize.js'
import type { Strain } from './pressure.js'
import { TableLocked } from './rowSource.js'

/** How long a table that is locked is left alone, at most, in milliseconds. */
const LONGEST_WAIT = 2_000

/** Runs statements on a table: whoever locks it, or waits to, goes first. */
export class Statements {
  #slowest = 0

  constructor(
    private readonly model: string,
    private readonly signal: AbortSignal | undefined,
    private readonly onWait: (strain: Strain) => void,
  ) {}

  /** @throws TableLocked once the signal is given */
  async run<T>(statement: () => Promise<T>): Promise<T> {
    const started = performance.now()
    const result = await this.#whenFree(statement)
    this.#slowest = Math.max(this.#slowest, performance.now() - started)
    return result
  }

  /** How long the longest took since this was last asked, in milliseconds. */
  slowest(): number {
    const slowest = this.#slowest
    this.#slowest = 0
    return slowest
  }

  async #whenFree<T>(statement: () => Promise<T>): Promise<T> {
    for (let wait = 50; ; wait = Math.min(LONGEST_WAIT, wait * 2)) {
      try {
        return await statement()
      } catch (error) {
        if (!(error instanceof TableLocked) || this.signal?.aborted) throw error
        this.onWait({ cause: 'locks', what: `the table of ${this.model} is locked` })
        await pause(wait, this.signal)
      }
    }
  }
}
