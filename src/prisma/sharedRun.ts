import { FieldsealError } from '../errors.js'
import { pause } from '../maintenance/batchSize.js'
import type { Problem } from '../maintenance/problem.js'
import type { Overview, RangeFailure, RangeJob, RangeStore, Workers } from '../maintenance/ranges.js'
import type { RunReport } from '../maintenance/run.js'
import { headcount, Presence } from '../postgres/presence.js'
import { postgresProgress } from '../postgres/progressStore.js'
import { postgresRanges } from '../postgres/rangeStore.js'
import { postgresRows } from '../postgres/rowSource.js'
import { splitTable } from '../postgres/splitTable.js'
import { printable } from '../printable.js'
import { type Manner, type ModelTask, reportOf, taskOf } from './modelTask.js'

export interface SharedManner extends Manner {
  readonly rowsPerSecond?: number | undefined
  readonly onFailure?: ((failure: RangeFailure) => void) | undefined
}

/** Between two looks at how far the workers are, in milliseconds. */
const EVERY = 500
/** How long workers get to end the batch under way, in milliseconds. */
const LEAVE = 15_000

/** Has workers do the work: divides the table, keeps jobs for what is not done in the queue, and watches. */
export async function runShared(task: ModelTask, manner: SharedManner, workers: Workers): Promise<RunReport> {
  const presence = await Presence.open(task.database)
  const shared = new SharedRun(task, manner, workers, presence)
  try {
    await shared.begin()
    const outcome = await shared.watch()
    await (outcome === 'done' ? shared.clear() : shared.leave())
    if (outcome === 'failed') throw await shared.failure()
    return await shared.report(outcome)
  } finally {
    presence.close()
  }
}

class SharedRun {
  readonly #ranges: RangeStore
  #run = ''
  #total = 0
  #resumed = false
  #stopped: readonly Problem[] = []
  /** How many problems and failures of each range were told of. */
  readonly #told = new Map<string, { problems: number; failures: number }>()
  #newsAt: string | null = null
  /** Ranges that there were jobs for. */
  readonly #kept = new Set<string>()

  constructor(
    private readonly task: ModelTask,
    private readonly manner: SharedManner,
    private readonly workers: Workers,
    private readonly presence: Presence,
  ) {
    this.#ranges = postgresRanges(task.database)
  }

  /** Takes up the run, divided as it is, or divides it; one command at a time. */
  async begin(): Promise<void> {
    const { database, operation, one, keys, tenant } = this.task
    const task = taskOf(this.task)
    const source = await postgresRows({ database, operation, ...one, keys, tenant })
    this.#total = await source.estimate()
    await this.presence.alone(JSON.stringify(task), async () => {
      const { id, saved } = await postgresProgress(database).open(task, this.manner.restart ?? false)
      if (!(await this.#ranges.reopen(id))) {
        const size = { rows: this.#total, workers: this.workers.count, after: saved?.cursor ?? null }
        await this.#ranges.divide(id, await splitTable(database, one.table, size))
        this.#resumed = saved !== null
      } else this.#resumed = true
      this.#run = id
      await this.presence.watch(id)
    })
    await this.#tellNews(false)
  }

  async watch(): Promise<RunReport['outcome'] | 'failed'> {
    const { signal } = this.manner
    const wake = AbortSignal.any([this.presence.lost, ...(signal ? [signal] : [])])
    for (;;) {
      const seen = await this.#ranges.overview(this.#run)
      this.#tellProgress(seen)
      await this.#tellNews(true)
      this.presence.lost.throwIfAborted()
      if (seen.stopped.length > 0) return this.#stoppedAt(seen)
      if (seen.failed.length > 0) return 'failed'
      if (seen.waiting.length === 0) return 'done'
      if (signal?.aborted || seen.state === 'dropped') return 'interrupted'
      await this.#keep(seen.waiting)
      await pause(EVERY, wake)
    }
  }

  /** Jobs for the next ranges: some more than there are workers, so that one that keeps failing is soon met again. */
  async #keep(waiting: readonly string[]): Promise<void> {
    const { workers } = await headcount(this.task.database, this.#run)
    const most = 2 * Math.max(workers, this.workers.count) + 2
    const next = waiting.slice(0, most)
    for (const range of next) this.#kept.add(range)
    await this.workers.queue.keep(next.map((range) => this.#job(range)))
  }

  #stoppedAt({ stopped }: Overview): 'stopped' {
    this.#stopped = stopped
    for (const problem of stopped) this.manner.onProblem?.(problem)
    return 'stopped'
  }

  /** What a range failed for at last. */
  async failure(): Promise<FieldsealError> {
    const [first] = (await this.#ranges.overview(this.#run)).failed
    const message = `a range of ${this.task.one.model.name} could not be done, tried again and again: ${printable(first?.message)}`
    return new FieldsealError(first?.code ?? 'DATABASE_UNAVAILABLE', message)
  }

  /** A range may have been done just before it was given a job again. */
  clear(): Promise<void> {
    return this.workers.queue.remove([...this.#kept])
  }

  /** Workers see that nobody watches any more, and end their batches. */
  async leave(): Promise<void> {
    const { waiting, failed } = await this.#ranges.overview(this.#run)
    for (const range of [...waiting, ...failed.map(({ range }) => range)]) this.#kept.add(range)
    await this.clear()
    await this.presence.leave()
    for (const until = performance.now() + LEAVE; performance.now() < until; await pause(EVERY / 2, undefined)) {
      const { commands, workers } = await headcount(this.task.database, this.#run)
      if (commands > 0) return
      if (workers === 0) return this.clear()
    }
  }

  report(outcome: RunReport['outcome']): Promise<RunReport> {
    const divided = { ranges: this.#ranges, run: this.#run }
    return reportOf(this.task, divided, {
      outcome,
      total: this.#total,
      resumed: this.#resumed,
      stopped: this.#stopped,
    })
  }

  #job(range: string): RangeJob {
    const { onError = 'skip', rowsPerSecond, maxLag } = this.manner
    return { range, onError, rowsPerSecond, maxLag }
  }

  #tellProgress({ counts }: Overview): void {
    const { operation, one } = this.task
    this.manner.onProgress?.({ operation, model: one.model.name, total: this.#total, ...counts })
  }

  async #tellNews(aloud: boolean): Promise<void> {
    const { at, news } = await this.#ranges.news(this.#run, this.#newsAt)
    this.#newsAt = at
    for (const { range, problems, failure, failures } of news) {
      const told = this.#told.get(range) ?? { problems: 0, failures: 0 }
      this.#told.set(range, { problems: problems.length, failures })
      if (!aloud) continue
      for (const problem of problems.slice(told.problems)) this.manner.onProblem?.(problem)
      if (failure !== null && failures > told.failures) this.manner.onFailure?.(failure)
    }
  }
}
