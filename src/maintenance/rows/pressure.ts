import { pause } from './batchSize.js'

/** What the database or its users suffer from while a run writes. */
export interface Strain {
  /** `locks`: others wait for the table or for rows of it. `lag`: a standby is behind. */
  readonly cause: 'locks' | 'lag'
  /** For people. */
  readonly what: string
}

/** The seam to the database's own figures. Broken is thrown. */
export interface Pressure {
  measure(): Promise<Strain | null>
}

/** How far a standby may be behind. */
export type MaxLag = { readonly seconds: number } | { readonly bytes: number }

/** Between two looks while nothing is wrong, in milliseconds. */
const MEASURE_INTERVAL = 250
const LONGEST_PAUSE = 1_000
/** Others' locks hold a batch up for so long, and then none for so long: a queue that never empties must not end the work. */
const YIELD_TIME = 2_000
const WORK_TIME = 3_000

/** Lets others go first. */
export class Backpressure {
  #looked = Number.NEGATIVE_INFINITY

  constructor(
    private readonly pressure: Pressure | null,
    private readonly signal: AbortSignal | undefined,
    private readonly onWait: (strain: Strain) => void,
  ) {}

  /** Waits for as long as there is strain. `true` if there was. */
  async relieve(): Promise<boolean> {
    if (this.pressure === null || performance.now() - this.#looked < MEASURE_INTERVAL) return false
    const started = performance.now()
    for (let wait = 50; !this.signal?.aborted; wait = Math.min(LONGEST_PAUSE, wait * 2)) {
      const strain = await this.pressure.measure()
      this.#looked = performance.now()
      if (strain === null) return wait > 50
      this.onWait(strain)
      await pause(wait, this.signal)
      if (strain.cause === 'locks' && performance.now() - started > YIELD_TIME) {
        this.#looked = performance.now() + WORK_TIME
        return true
      }
    }
    return true
  }
}
