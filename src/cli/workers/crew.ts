import { type ChildProcess, fork } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { FieldsealError } from '../../errors.js'
import type { Strain } from '../../maintenance/rows/pressure.js'

export interface CrewOptions {
  readonly count: number
  /** What each worker is called with, after `worker`. */
  readonly args: readonly string[]
  /** Told of each that begins. */
  readonly onHire?: (pid: number | undefined) => void
  readonly say: (text: string) => void
  readonly onWait: (strain: Strain) => void
}

/** The variable by which a worker knows that it is of a crew, also when that is gone before it looks. */
export const IN_CREW = 'FIELDSEAL_IN_CREW'
/** How many workers may die before something must be wrong with them all. */
const SPARE = 20
/** Before another takes a dead one's place, in milliseconds. */
const BREATH = 1_000

/** Worker processes on this machine. Their channel to this process is what keeps them: they end when it does. */
export class Crew {
  readonly #children = new Set<ChildProcess>()
  /** Each place that is filled, or is to be filled again. */
  readonly #places: Promise<void>[]
  readonly #broken = new AbortController()
  readonly #options: CrewOptions
  #spare = SPARE
  #dismissed = false

  constructor(options: CrewOptions) {
    this.#options = options
    this.#places = Array.from({ length: options.count }, () => this.#fill())
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

  /** All have ended, and none is to come. */
  async ended(): Promise<void> {
    await Promise.all(this.#places)
  }

  /** A worker, and another for each that dies. */
  async #fill(): Promise<void> {
    while (!this.#dismissed) {
      const end = await this.#hire()
      if (end === 0 || this.#dismissed) return
      const why = typeof end === 'number' ? `exit code ${end}` : end
      this.#spare -= 1
      if (this.#spare < 0) return this.#giveUp(why)
      this.#options.say(`A worker ended (${why}). Another takes its place; nothing is lost.`)
      await delay(BREATH)
    }
  }

  /** Answers what ended it: an exit code, or a signal. */
  #hire(): Promise<number | string> {
    const child = fork(process.argv[1]!, ['worker', ...this.#options.args], {
      env: { ...process.env, [IN_CREW]: '1' },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    this.#children.add(child)
    this.#options.onHire?.(child.pid)
    child.on('message', (strain) => this.#options.onWait(strain as Strain))
    return new Promise<number | string>((resolve) => {
      child.once('error', ({ message }) => resolve(message))
      child.once('exit', (code, signal) => resolve(signal ?? code ?? 1))
    }).finally(() => this.#children.delete(child))
  }

  #giveUp(why: string): void {
    const message = `workers keep ending (${why}): see what they printed, and run the command again`
    this.#broken.abort(new FieldsealError('DATABASE_UNAVAILABLE', message))
  }
}
