import { FieldsealError } from '../../errors.js'
import { printable } from '../../printable.js'
import { headcount, Presence } from '../postgres/presence.js'
import { postgresProgress } from '../postgres/progressStore.js'
import { postgresRanges } from '../postgres/rangeStore.js'
import { postgresRows } from '../postgres/rowSource.js'
import { splitTable } from '../postgres/splitTable.js'
import { pause } from '../rows/batchSize.js'
import type { Problem } from '../rows/problem.js'
import type { RunReport } from '../rows/run.js'
import { Statements } from '../rows/statements.js'
import { type Manner, type ModelTask, reportOf, taskOf } from '../tableRun.js'
import { progressError } from './progressError.js'
import type { OpenRun } from './progressStore.js'
import type { Overview, RangeFailure, RangeStore, Workers } from './ranges.js'
import type { WorkOrder } from './workOrder.js'

export interface SharedManner extends Manner {
  readonly rowsPerSecond?: number | undefined
  readonly onFailure?: ((failure: RangeFailure) => void) | undefined
}

/** Between the first two looks at how far the workers are, and between later ones, in milliseconds: a run may be short. */
const [FIRST, EVERY] = [50, 500]
/** How long workers get to end the batch under way, in milliseconds. */
const LEAVE = 15_000

/** Has workers do the work: divides the table, keeps jobs for what is not done in the queue, and watches. */
export async function runShared(task: ModelTask, manner: SharedManner, workers: Workers): Promise<RunReport> {
  const presence = await Presence.open(task.database)
  const shared = new SharedRun(task, manner, workers, presence)
  try {
    return await shared.start()
  } finally {
    presence.close()
  }
}

class SharedRun {
  readonly #ranges: RangeStore
  #total = 0
  #resumed = false
  #stopped: readonly Problem[] = []
  #failed: RangeFailure | undefined
  /** That of the newest order seen. */
  #issue = 0
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
    this.#ranges = postgresRanges(task.database, task.runKeys)
  }

  async start(): Promise<RunReport> {
    const run = await this.#begin()
    try {
      await this.#tellNews(run, false)
      const outcome = await this.#watch(run)
      await (outcome === 'done' ? this.#clear() : this.#leave(run))
      if (outcome === 'failed') throw this.#failure()
      return await this.#report(run, outcome)
    } catch (error) {
      // Workers refuse it as well, but those that have begun go on for as long as a command is seen.
      if (FieldsealError.is(error, 'PROGRESS_INVALID')) await this.#leave(run)
      throw error
    }
  }

  /** Takes up the run, divided as it is, or divides it; one command at a time. */
  async #begin(): Promise<OpenRun> {
    const { database, runKeys, operation, one, keys, tenant } = this.task
    const task = taskOf(this.task)
    const source = await postgresRows({ database, operation, ...one, keys, tenant })
    const { signal, onWait = () => {} } = this.manner
    this.#total = await new Statements(one.model.name, signal, onWait).run(() => source.estimate())
    return this.presence.alone(JSON.stringify(task), async () => {
      const run = await postgresProgress(database, runKeys).open(task, this.manner.restart ?? false)
      await (run.order === null ? this.#divide(run) : this.#takeUp(run, run.order))
      this.#resumed = run.saved !== null
      await this.presence.watch(run.id)
      return run
    })
  }

  async #divide(run: OpenRun): Promise<void> {
    const { database, one } = this.task
    const size = { rows: this.#total, workers: this.workers.count, after: run.saved?.cursor ?? null }
    const ranges = await splitTable(database, one.table, size)
    await this.#ranges.divide(run, ranges, this.#order({ issue: 0, ranges: ranges.length }))
  }

  async #takeUp(run: OpenRun, earlier: WorkOrder): Promise<void> {
    await this.#ranges.reopen(run)
    await this.#ranges.instruct(run, this.#order(earlier))
  }

  #order({ issue, ranges }: Pick<WorkOrder, 'issue' | 'ranges'>): WorkOrder {
    const { onError = 'skip', rowsPerSecond, maxLag } = this.manner
    this.#issue = issue + 1
    return { issue: this.#issue, ranges, onError, rowsPerSecond, maxLag }
  }

  async #watch(run: OpenRun): Promise<RunReport['outcome'] | 'failed'> {
    const { signal } = this.manner
    const wake = AbortSignal.any([this.presence.lost, ...(signal ? [signal] : [])])
    for (let wait = FIRST; ; wait = Math.min(EVERY, wait * 2)) {
      const seen = await this.#ranges.overview(run)
      this.#checkOrder(seen)
      this.#tellProgress(seen)
      await this.#tellNews(run, true)
      this.presence.lost.throwIfAborted()
      const outcome = this.#outcomeOf(seen)
      if (outcome !== undefined) return outcome
      await this.#keep(run, seen.waiting)
      await pause(wait, wake)
    }
  }

  #outcomeOf({ state, waiting, stopped, failed }: Overview): RunReport['outcome'] | 'failed' | undefined {
    this.#stopped = stopped
    this.#failed = failed[0]
    for (const problem of stopped) this.manner.onProblem?.(problem)
    if (stopped.length > 0) return 'stopped'
    if (failed.length > 0) return 'failed'
    if (waiting.length === 0 || state === 'done') return 'done'
    return this.manner.signal?.aborted || state === 'dropped' ? 'interrupted' : undefined
  }

  /** Another command that takes the run up gives a newer order. An older one is genuine, too, but nobody's any more. */
  #checkOrder({ order }: Overview): void {
    if (order.issue < this.#issue) throw progressError('an older order to workers was put back')
    this.#issue = order.issue
  }

  /** Jobs for the next ranges: some more than there are workers, so that one that keeps failing is soon met again. */
  async #keep({ id }: OpenRun, waiting: readonly string[]): Promise<void> {
    const { workers } = await headcount(this.task.database, id)
    const most = 2 * Math.max(workers, this.workers.count) + 2
    const next = waiting.slice(0, most)
    for (const range of next) this.#kept.add(range)
    await this.workers.queue.keep(next.map((range) => ({ range })))
  }

  /** What a range failed for at last. */
  #failure(): FieldsealError {
    const { code = 'DATABASE_UNAVAILABLE', message } = this.#failed ?? {}
    const { name } = this.task.one.model
    const what = code === 'PROGRESS_INVALID' ? 'was refused by a worker' : 'could not be done, tried again and again'
    return new FieldsealError(code, `a range of ${name} ${what}: ${printable(message)}`)
  }

  /** A range may have been done just before it was given a job again. */
  #clear(): Promise<void> {
    return this.workers.queue.remove([...this.#kept])
  }

  /** Workers see that nobody watches any more, and end their batches. */
  async #leave(run: OpenRun): Promise<void> {
    for (const range of await this.#ranges.left(run)) this.#kept.add(range)
    await this.#clear()
    await this.presence.leave()
    for (const until = performance.now() + LEAVE; performance.now() < until; await pause(EVERY / 2, undefined)) {
      const { commands, workers } = await headcount(this.task.database, run.id)
      if (commands > 0) return
      if (workers === 0) return this.#clear()
    }
  }

  #report(run: OpenRun, outcome: RunReport['outcome']): Promise<RunReport> {
    const ending = { outcome, total: this.#total, resumed: this.#resumed, stopped: this.#stopped }
    return reportOf(this.task, { ranges: this.#ranges, run }, ending)
  }

  #tellProgress({ counts }: Overview): void {
    const { operation, one } = this.task
    this.manner.onProgress?.({ operation, model: one.model.name, total: this.#total, ...counts })
  }

  async #tellNews(run: OpenRun, aloud: boolean): Promise<void> {
    const { at, news } = await this.#ranges.news(run, this.#newsAt)
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
