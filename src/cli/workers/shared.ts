import type pg from 'pg'
import type { RangeJob, RangeQueue } from '../../maintenance/jobs/ranges.js'
import type { World } from '../loadConfig.js'
import { Crew, type CrewOptions } from './crew.js'
import { loadGraphileWorker, RangeJobs } from './queue.js'

/** The queue, and workers on this machine that begin with the first jobs. */
export class SharedWork implements RangeQueue {
  #jobs: RangeJobs | undefined
  #crew: Crew | undefined
  readonly #broken = new AbortController()

  private constructor(
    private readonly library: Awaited<ReturnType<typeof loadGraphileWorker>>,
    private readonly pool: pg.Pool,
    private readonly attempts: number,
    private readonly crew: CrewOptions,
  ) {}

  static async open(world: World, attempts: number, crew: CrewOptions): Promise<SharedWork> {
    return new SharedWork(await loadGraphileWorker(), world.queue(), attempts, crew)
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
    if (this.#crew) return
    this.#crew = new Crew(this.crew)
    this.#crew.broken.addEventListener('abort', () => this.#broken.abort(this.#crew?.broken.reason))
  }

  async #open(): Promise<RangeJobs> {
    this.#jobs ??= await RangeJobs.open(this.library, this.pool, this.attempts)
    return this.#jobs
  }

  async remove(ranges: readonly string[]): Promise<void> {
    await this.#jobs?.remove(ranges)
  }

  dismiss(): void {
    this.#crew?.dismiss()
  }

  async close(): Promise<void> {
    this.dismiss()
    await this.#crew?.ended()
    await this.#jobs?.close()
  }
}
