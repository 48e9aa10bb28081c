import { FieldsealError } from '../../errors.js'
import { printable } from '../../printable.js'
import { postgresProgress } from '../postgres/progressStore.js'
import { postgresRanges } from '../postgres/rangeStore.js'
import { postgresRows } from '../postgres/rowSource.js'
import { splitTable } from '../postgres/splitTable.js'
import { countParticipants, WorkLocks } from '../postgres/workLocks.js'
import { pause } from '../rows/batchSize.js'
import type { Problem } from '../rows/problem.js'
import type { RunReport } from '../rows/run.js'
import { Statements } from '../rows/statements.js'
import { type RunOptions, reportOf, runTaskOf, type TableRun } from '../tableRun.js'
import { progressError } from './progressError.js'
import type { OpenRun } from './progressStore.js'
import type { RangeFailure, RangeStore, RunOverview, Workers } from './ranges.js'
import type { WorkOrder } from './workOrder.js'

export interface SharedRunOptions extends RunOptions {
  readonly rowsPerSecond?: number | undefined
  readonly onFailure?: ((failure: RangeFailure) => void) | undefined
}

/** Between the first two looks at how far the workers are, and between later ones, in milliseconds: a run may be short. */
const [FIRST_POLL, POLL_INTERVAL] = [50, 500]
/** How long workers get to end the batch under way, in milliseconds. */
const LEAVE_LIMIT = 15_000

/** Has workers do the work: divides the table, keeps jobs for what is not done in the queue, and watches. */
export async function runShared(tableRun: TableRun, options: SharedRunOptions, workers: Workers): Promise<RunReport> {
  const locks = await WorkLocks.open(tableRun.database)
  const shared = new SharedRun(tableRun, options, workers, locks)
  try {
    return await shared.start()
  } finally {
    locks.close()
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
  readonly #reported = new Map<string, { problems: number; failures: number }>()
  #changesAt: string | null = null
  /** Ranges that there were jobs for. */
  readonly #queued = new Set<string>()

  constructor(
    private readonly tableRun: TableRun,
    private readonly options: SharedRunOptions,
    private readonly workers: Workers,
    private readonly locks: WorkLocks,
  ) {
    this.#ranges = postgresRanges(tableRun.database, tableRun.runKeys)
  }

  async start(): Promise<RunReport> {
    const run = await this.#begin()
    try {
      await this.#followChanges(run, false)
      const outcome = await this.#supervise(run)
      await (outcome === 'done' ? this.#clearQueue() : this.#abandon(run))
      if (outcome === 'failed') throw this.#failure()
      return await this.#report(run, outcome)
    } catch (error) {
      // Workers refuse it as well, but those that have begun go on for as long as a command is seen.
      if (FieldsealError.is(error, 'PROGRESS_INVALID')) await this.#abandon(run)
      throw error
    }
  }

  /** Takes up the run, divided as it is, or divides it; one command at a time. */
  async #begin(): Promise<OpenRun> {
    const { database, runKeys, operation, target, keys, tenant } = this.tableRun
    const task = runTaskOf(this.tableRun)
    const source = await postgresRows({ database, operation, ...target, keys, tenant })
    const { signal, onWait = () => {} } = this.options
    this.#total = await new Statements(target.model.name, signal, onWait).run(() => source.estimate())
    return this.locks.exclusively(JSON.stringify(task), async () => {
      const run = await postgresProgress(database, runKeys).open(task, this.options.restart ?? false)
      await (run.order === null ? this.#divide(run) : this.#resume(run, run.order))
      this.#resumed = run.saved !== null
      await this.locks.lockRun(run.id)
      return run
    })
  }

  async #divide(run: OpenRun): Promise<void> {
    const { database, target } = this.tableRun
    const size = { rows: this.#total, workers: this.workers.count, after: run.saved?.cursor ?? null }
    const ranges = await splitTable(database, target.table, size)
    await this.#ranges.divide(run, ranges, this.#order({ issue: 0, ranges: ranges.length }))
  }

  async #resume(run: OpenRun, earlier: WorkOrder): Promise<void> {
    await this.#ranges.reopen(run)
    await this.#ranges.instruct(run, this.#order(earlier))
  }

  #order({ issue, ranges }: Pick<WorkOrder, 'issue' | 'ranges'>): WorkOrder {
    const { onError = 'skip', rowsPerSecond, maxLag } = this.options
    this.#issue = issue + 1
    return { issue: this.#issue, ranges, onError, rowsPerSecond, maxLag }
  }

  async #supervise(run: OpenRun): Promise<RunReport['outcome'] | 'failed'> {
    const { signal } = this.options
    const wake = AbortSignal.any([this.locks.lost, ...(signal ? [signal] : [])])
    for (let wait = FIRST_POLL; ; wait = Math.min(POLL_INTERVAL, wait * 2)) {
      const seen = await this.#ranges.overview(run)
      this.#checkOrder(seen)
      this.#reportProgress(seen)
      await this.#followChanges(run, true)
      this.locks.lost.throwIfAborted()
      const outcome = this.#outcomeOf(seen)
      if (outcome !== undefined) return outcome
      await this.#fillQueue(run, seen.waiting)
      await pause(wait, wake)
    }
  }

  #outcomeOf({ state, waiting, stopped, failed }: RunOverview): RunReport['outcome'] | 'failed' | undefined {
    this.#stopped = stopped
    this.#failed = failed[0]
    for (const problem of stopped) this.options.onProblem?.(problem)
    if (stopped.length > 0) return 'stopped'
    if (failed.length > 0) return 'failed'
    if (waiting.length === 0 || state === 'done') return 'done'
    return this.options.signal?.aborted || state === 'dropped' ? 'interrupted' : undefined
  }

  /** Another command that takes the run up gives a newer order. An older one is genuine, too, but nobody's any more. */
  #checkOrder({ order }: RunOverview): void {
    if (order.issue < this.#issue) throw progressError('an older order to workers was put back')
    this.#issue = order.issue
  }

  /** Jobs for the next ranges: some more than there are workers, so that one that keeps failing is soon met again. */
  async #fillQueue({ id }: OpenRun, waiting: readonly string[]): Promise<void> {
    const { workers } = await countParticipants(this.tableRun.database, id)
    const most = 2 * Math.max(workers, this.workers.count) + 2
    const next = waiting.slice(0, most)
    for (const range of next) this.#queued.add(range)
    await this.workers.queue.keep(next.map((range) => ({ range })))
  }

  /** What a range failed for at last. */
  #failure(): FieldsealError {
    const { code = 'DATABASE_UNAVAILABLE', message } = this.#failed ?? {}
    const { name } = this.tableRun.target.model
    const what = code === 'PROGRESS_INVALID' ? 'was refused by a worker' : 'could not be done, tried again and again'
    return new FieldsealError(code, `a range of ${name} ${what}: ${printable(message)}`)
  }

  /** A range may have been done just before it was given a job again. */
  #clearQueue(): Promise<void> {
    return this.workers.queue.remove([...this.#queued])
  }

  /** Workers see that no command is at work any more, and end their batches. */
  async #abandon(run: OpenRun): Promise<void> {
    for (const range of await this.#ranges.unfinished(run)) this.#queued.add(range)
    await this.#clearQueue()
    await this.locks.release()
    for (
      const until = performance.now() + LEAVE_LIMIT;
      performance.now() < until;
      await pause(POLL_INTERVAL / 2, undefined)
    ) {
      const { commands, workers } = await countParticipants(this.tableRun.database, run.id)
      if (commands > 0) return
      if (workers === 0) return this.#clearQueue()
    }
  }

  #report(run: OpenRun, outcome: RunReport['outcome']): Promise<RunReport> {
    const ending = { outcome, total: this.#total, resumed: this.#resumed, stopped: this.#stopped }
    return reportOf(this.tableRun, { ranges: this.#ranges, run }, ending)
  }

  #reportProgress({ counts }: RunOverview): void {
    const { operation, target } = this.tableRun
    this.options.onProgress?.({ operation, model: target.model.name, total: this.#total, ...counts })
  }

  async #followChanges(run: OpenRun, report: boolean): Promise<void> {
    const { at, changes } = await this.#ranges.changes(run, this.#changesAt)
    this.#changesAt = at
    for (const { range, problems, failure, failures } of changes) {
      const reported = this.#reported.get(range) ?? { problems: 0, failures: 0 }
      this.#reported.set(range, { problems: problems.length, failures })
      if (!report) continue
      for (const problem of problems.slice(reported.problems)) this.options.onProblem?.(problem)
      if (failure !== null && failures > reported.failures) this.options.onFailure?.(failure)
    }
  }
}
