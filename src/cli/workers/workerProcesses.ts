import { type ChildProcess, fork } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { FieldsealError } from '../../errors.js'
import type { Strain } from '../../maintenance/rows/pressure.js'
import { printable } from '../../printable.js'
import { WORKER_PROCESS_VARIABLE, type WorkerMessage } from './supervisor.js'

export interface WorkerProcessesOptions {
  readonly count: number
  /** What each worker is called with, after `worker`. */
  readonly args: readonly string[]
  /** Told of each that begins. */
  readonly onStart?: (pid: number | undefined) => void
  /** Told what ended one, whose place another takes. */
  readonly onRestart: (why: string) => void
  readonly onWait: (strain: Strain) => void
}

/** How many workers may die before something must be wrong with them all. */
const MOST_RESTARTS = 20
/** Before another takes a dead one's place, in milliseconds. */
const RESTART_DELAY = 1_000

export function restartText(why: string): string {
  return printable(`A worker ended (${why}). Another takes its place; nothing is lost.`)
}

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
      const why = await this.#start()
      if (why === undefined || this.#stopped) return
      this.#restartsLeft -= 1
      if (this.#restartsLeft < 0) return this.#giveUp(why)
      this.#options.onRestart(why)
      await delay(RESTART_DELAY)
    }
  }

  /** Answers what ended it, unless it had done its work: what it said, its exit code, or a signal. */
  #start(): Promise<string | undefined> {
    const child = fork(process.argv[1]!, ['worker', ...this.#options.args], {
      env: { ...process.env, [WORKER_PROCESS_VARIABLE]: '1' },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    this.#children.add(child)
    this.#options.onStart?.(child.pid)
    let failure: string | undefined
    child.on('message', (message: WorkerMessage) => {
      if ('failure' in message) failure = message.failure
      else this.#options.onWait(message.strain)
    })
    return new Promise<string | undefined>((resolve) => {
      child.once('error', ({ message }) => resolve(message))
      child.once('exit', (code, signal) => {
        const end = () => resolve(code === 0 ? undefined : (failure ?? signal ?? `exit code ${code ?? 1}`))
        // What it has sent may be read after its end.
        if (child.connected) child.once('disconnect', end)
        else end()
      })
    }).finally(() => this.#children.delete(child))
  }

  #giveUp(why: string): void {
    const message = `workers keep ending (${why}). Run the command again once that is seen to`
    this.#broken.abort(new FieldsealError('DATABASE_UNAVAILABLE', message))
  }
}
