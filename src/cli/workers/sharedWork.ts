import type pg from 'pg'
import type { RangeJob, RangeQueue } from '../../maintenance/jobs/ranges.js'
import type { CommandContext } from '../loadConfig.js'
import { loadGraphileWorker, RangeJobs } from './rangeJobs.js'
import { WorkerProcesses, type WorkerProcessesOptions } from './workerProcesses.js'

/** The queue, and workers on this machine that begin with the first jobs. */
export class SharedWork implements RangeQueue {
  #jobs: RangeJobs | undefined
  #processes: WorkerProcesses | undefined
  readonly #broken = new AbortController()

  private constructor(
    private readonly library: Awaited<ReturnType<typeof loadGraphileWorker>>,
    private readonly pool: pg.Pool,
    private readonly attempts: number,
    private readonly processesOptions: WorkerProcessesOptions,
  ) {}

  static async open(
    context: CommandContext,
    attempts: number,
    processesOptions: WorkerProcessesOptions,
  ): Promise<SharedWork> {
    return new SharedWork(await loadGraphileWorker(), context.queue(), attempts, processesOptions)
  }

  /** Given when workers cannot be kept alive. */
  get broken(): AbortSignal {
    return this.#broken.signal
  }

  async prepare(): Promise<void> {
    await this.#open()
  }

  async keep(jobs: readonly RangeJob[]): Promise<void> {
    await (await this.#open()).keep(jobs)
    if (this.#processes) return
    this.#processes = new WorkerProcesses(this.processesOptions)
    this.#processes.broken.addEventListener('abort', () => this.#broken.abort(this.#processes?.broken.reason))
  }

  async #open(): Promise<RangeJobs> {
    this.#jobs ??= await RangeJobs.open(this.library, this.pool, this.attempts)
    return this.#jobs
  }

  async remove(ranges: readonly string[]): Promise<void> {
    await this.#jobs?.remove(ranges)
  }

  stop(): void {
    this.#processes?.stop()
  }

  async close(): Promise<void> {
    this.stop()
    await this.#processes?.ended()
    await this.#jobs?.close()
  }
}
