import { type ChildProcess, fork } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { FieldsealError } from '../../errors.js'
import type { Strain } from '../../maintenance/rows/pressure.js'

export interface WorkerProcessesOptions {
  readonly count: number
  /** What each worker is called with, after `worker`. */
  readonly args: readonly string[]
  /** Told of each that begins. */
  readonly onStart?: (pid: number | undefined) => void
  readonly say: (text: string) => void
  readonly onWait: (strain: Strain) => void
}

/** The variable by which a worker knows that a command has started it, also when that is gone before it looks. */
export const WORKER_PROCESS_VARIABLE = 'FIELDSEAL_WORKER_PROCESS'
/** How many workers may die before something must be wrong with them all. */
const MOST_RESTARTS = 20
/** Before another takes a dead one's place, in milliseconds. */
const RESTART_DELAY = 1_000

/** Worker processes on this machine. Their channel to this process is what keeps them: they end when it does. */
export class WorkerProcesses {
  readonly #children = new Set<ChildProcess>()
  /** Each place that is filled, or is to be filled again. */
  readonly #slots: Promise<void>[]
  readonly #broken = new AbortController()
  readonly #options: WorkerProcessesOptions
  #restartsLeft = MOST_RESTARTS
  #stopped = false

  constructor(options: WorkerProcessesOptions) {
    this.#options = options
    this.#slots = Array.from({ length: options.count }, () => this.#keepRunning())
  }

  /** Given when workers cannot be kept alive. */
  get broken(): AbortSignal {
    return this.#broken.signal
  }

  /** Has them end after their batch. */
  stop(): void {
    this.#stopped = true
    for (const child of this.#children) if (child.connected) child.disconnect()
  }

  /** All have ended, and none is to come. */
  async ended(): Promise<void> {
    await Promise.all(this.#slots)
  }

  /** A worker, and another for each that dies. */
  async #keepRunning(): Promise<void> {
    while (!this.#stopped) {
      const end = await this.#start()
      if (end === 0 || this.#stopped) return
      const why = typeof end === 'number' ? `exit code ${end}` : end
      this.#restartsLeft -= 1
      if (this.#restartsLeft < 0) return this.#giveUp(why)
      this.#options.say(`A worker ended (${why}). Another takes its place; nothing is lost.`)
      await delay(RESTART_DELAY)
    }
  }

  /** Answers what ended it: an exit code, or a signal. */
  #start(): Promise<number | string> {
    const child = fork(process.argv[1]!, ['worker', ...this.#options.args], {
      env: { ...process.env, [WORKER_PROCESS_VARIABLE]: '1' },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    this.#children.add(child)
    this.#options.onStart?.(child.pid)
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
