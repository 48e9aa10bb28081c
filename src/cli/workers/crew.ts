import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { FieldsealError } from '../../errors.js'
import type { Strain } from '../../maintenance/pressure.js'

export interface CrewOptions {
  readonly count: number
  /** What each worker is called with, after `worker`. */
  readonly args: readonly string[]
  /** Told of each that begins. */
  readonly onHire?: (pid: number | undefined) => void
  readonly say: (text: string) => void
  readonly onWait: (strain: Strain) => void
}

/** How many workers may die before something must be wrong with them all. */
const SPARE = 20
/** Before another takes a dead one's place, in milliseconds. */
const BREATH = 1_000

/** Worker processes on this machine. Their channel to this process is what keeps them: they end when it does. */
export class Crew {
  readonly #children = new Set<ChildProcess>()
  readonly #broken = new AbortController()
  readonly #options: CrewOptions
  #spare = SPARE
  #dismissed = false

  constructor(options: CrewOptions) {
    this.#options = options
    for (let i = 0; i < options.count; i++) this.#hire()
  }

  /** Given when workers cannot be kept alive. */
  get broken(): AbortSignal {
    return this.#broken.signal
  }

  /** Has them end after their batch. */
  dismiss(): void {
    this.#dismissed = true
    for (const child of this.#children) if (child.connected) child.disconnect()
  }

  /** All have ended. */
  async ended(): Promise<void> {
    while (this.#children.size > 0) await Promise.all([...this.#children].map((child) => once(child, 'exit')))
  }

  #hire(): void {
    const child = fork(process.argv[1]!, ['worker', ...this.#options.args], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    this.#children.add(child)
    this.#options.onHire?.(child.pid)
    child.on('message', (strain) => this.#options.onWait(strain as Strain))
    child.on('error', () => {})
    child.on('exit', (code, signal) => {
      this.#children.delete(child)
      if (code !== 0 && !this.#dismissed) void this.#replace(signal ?? `exit code ${code}`)
    })
  }

  async #replace(why: string): Promise<void> {
    this.#spare -= 1
    if (this.#spare < 0) {
      const message = `workers keep ending (${why}): see what they printed, and run the command again`
      return this.#broken.abort(new FieldsealError('DATABASE_UNAVAILABLE', message))
    }
    this.#options.say(`A worker ended (${why}). Another takes its place; nothing is lost.`)
    await delay(BREATH)
    if (!this.#dismissed) this.#hire()
  }
}
