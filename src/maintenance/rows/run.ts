import type { Counts, ProgressRecord } from '../jobs/progressStore.js'
import { BatchSize, Throttle } from './batchSize.js'
import type { Operation } from './operation.js'
import { type PageResult, type PreparedPage, preparePage, writePage } from './pageWork.js'
import { Backpressure, type Pressure, type Strain } from './pressure.js'
import type { Problem } from './problem.js'
import { type Page, type RowKey, type RowSource, type StoredRow, TableLocked } from './rowSource.js'
import { Statements } from './statements.js'
import type { RowTransformer } from './transformRows.js'

/** How a run goes about its work. */
export interface MaintenanceRunOptions {
  /** What happens to a row with a problem: it is left as it is, or the run stops before the end of its batch. */
  readonly onError: 'skip' | 'stop'
  /** Counts the rows that would be worked on, and changes nothing. */
  readonly dryRun: boolean
  /** The most rows worked on in a second, as of now. */
  readonly rowsPerSecond: () => number
  /** Ends the run after the batch under way. */
  readonly signal: AbortSignal | undefined
  readonly onProgress: (event: ProgressEvent) => void
  readonly onProblem: (problem: Problem) => void
  /** Told each time that the run waits for others. */
  readonly onWait: (strain: Strain) => void
}

/** How far a run is. */
export interface ProgressEvent extends Counts {
  readonly operation: Operation
  readonly model: string
  /** About how many rows the table has. */
  readonly total: number
}

/** What a run did, from its beginning: an earlier part, before it was interrupted, is counted in. */
export interface RunReport extends ProgressEvent {
  /** `done`; `interrupted` by the signal; `stopped` at a problem. */
  readonly outcome: 'done' | 'interrupted' | 'stopped'
  /** It took up where an earlier run had stopped. */
  readonly resumed: boolean
  /** Rows that a dry run would work on. */
  readonly wanted: number
  /** Of `verify` alone: rows that hold something encrypted and are right. */
  readonly verified?: number
  /**
   * Rows that are still to be done although the run has ended: looked for where it went on with an earlier one, which may
   * have been changed, or long ago, and where the database server was started anew meanwhile, or another took its place.
   */
  readonly missed: number
  /** The first of the problems; `skipped` counts them all. */
  readonly problems: readonly Problem[]
}

export interface MaintenanceRunInput extends RowTransformer {
  readonly source: RowSource
  /** `null` for a run that leaves no trace. */
  readonly record: ProgressRecord | null
  readonly until: RowKey | null
  /** What writes are to be held back for; `null` for a run that writes nothing. */
  readonly pressure: Pressure | null
  readonly options: MaintenanceRunOptions
}

const MOST_PROBLEMS = 100
/** So many pages are written at once: each keeps a connection and a processor of the database busy. */
const WRITERS = 2
/** Between saves of a run that finds nothing to change, in milliseconds. */
const SAVE_EVERY = 1_000
const EMPTY_PAGE: PreparedPage = { changes: [], problems: [], verified: 0 }

/**
 * Runs one operation over one model's table, page by page. Each page is complete, and all before it, when the progress
 * passes it.
 */
export class MaintenanceRun {
  readonly #run: MaintenanceRunInput
  readonly #size = new BatchSize()
  readonly #throttle: Throttle
  readonly #backpressure: Backpressure
  readonly #statements: Statements
  readonly #problems: Problem[]
  readonly #counts: { -readonly [count in keyof Counts]: number }
  #cursor: RowKey | null
  #wanted = 0
  #total = 0
  #saved = performance.now()
  /** Problems of the page that the run stopped in: the next run meets them again. */
  #stoppedAt = 0

  constructor(run: MaintenanceRunInput) {
    const saved = run.record?.saved
    const { scanned = 0, changed = 0, conflicts = 0, skipped = 0 } = saved ?? {}
    const { rowsPerSecond, signal, onWait } = run.options
    this.#run = run
    this.#throttle = new Throttle(rowsPerSecond)
    this.#backpressure = new Backpressure(run.pressure, signal, onWait)
    this.#statements = new Statements(run.planner.model.name, signal, onWait)
    this.#counts = { scanned, changed, conflicts, skipped }
    this.#cursor = saved?.cursor ?? null
    this.#problems = [...(saved?.problems ?? [])]
  }

  /** @throws FieldsealError for what is no row's fault: `KMS_*`, `KEY_STORE_UNAVAILABLE`, `DATABASE_UNAVAILABLE` */
  async start(): Promise<RunReport> {
    const ended = await this.#all().catch((error: unknown) => {
      if (error instanceof TableLocked) return false
      throw error
    })
    const outcome = this.#stoppedAt > 0 ? 'stopped' : ended ? 'done' : 'interrupted'
    await this.#save(outcome === 'done')
    const resumed = (this.#run.record?.saved ?? null) !== null
    return { ...this.#event(), outcome, resumed, wanted: this.#wanted, missed: 0, problems: this.#problems }
  }

  async #all(): Promise<boolean> {
    this.#total = await this.#statements.run(() => this.#run.source.estimate())
    return this.#pages()
  }

  /** Reads a page, encrypts the one before and writes those before that, all at once. `true` when the last is done. */
  async #pages(): Promise<boolean> {
    let next: Promise<Page> | undefined = this.#read(this.#cursor)
    const writing: Promise<void>[] = []
    try {
      while (next !== undefined && !this.#isOver()) {
        const page: Page = await next
        next = page.ended ? undefined : this.#read(page.last)
        const prepared = await this.#prepare(page.rows)
        while (writing.length >= this.#writers()) await writing.shift()
        if (this.#stoppedAt > 0) return false
        const written = this.#writePage(page, prepared, writing.at(-1))
        // Its failure is met above or below; until then nobody listens.
        written.catch(() => undefined)
        writing.push(written)
      }
      await Promise.all(writing)
      return next === undefined && this.#stoppedAt === 0
    } finally {
      // Their failures are of no interest any more.
      next?.catch(() => undefined)
      await Promise.allSettled(writing)
    }
  }

  #isOver(): boolean {
    return this.#run.options.signal?.aborted === true
  }

  /** What is to stop at a problem, or to keep to a rate, must not be ahead of itself. */
  #writers(): number {
    const { onError, rowsPerSecond } = this.#run.options
    return onError === 'stop' || Number.isFinite(rowsPerSecond()) ? 1 : WRITERS
  }

  #read(after: RowKey | null): Promise<Page> {
    const { source, until } = this.#run
    return this.#statements.run(() => source.page({ after, until, limit: this.#size.rows }))
  }

  async #prepare(rows: readonly StoredRow[]): Promise<PreparedPage> {
    return this.#run.options.dryRun ? EMPTY_PAGE : preparePage(this.#run, rows)
  }

  /** Brings a page to its end, and the progress past it when those before it are done. */
  async #writePage(page: Page, prepared: PreparedPage, before: Promise<void> | undefined): Promise<void> {
    const { source, options } = this.#run
    const statements = this.#statements
    const result = await writePage({ transformer: this.#run, source, statements, ...options }, prepared)
    await before
    this.#size.adjustTo(statements.slowest())
    this.#wanted += page.rows.length
    this.#count(result)
    if (options.onError === 'stop' && result.problems.length > 0) {
      this.#stoppedAt = result.problems.length
      return
    }
    this.#cursor = page.last ?? this.#cursor
    this.#counts.scanned += page.scanned
    if (page.scanned > 0) await this.#reportProgress(page)
  }

  #count({ changed, conflicts, problems }: PageResult): void {
    this.#counts.changed += changed
    this.#counts.conflicts += conflicts
    this.#counts.skipped += problems.length
    this.#problems.push(...problems.slice(0, MOST_PROBLEMS - this.#problems.length))
  }

  async #reportProgress({ rows }: Page): Promise<void> {
    const { signal, onProgress } = this.#run.options
    const due = performance.now() - this.#saved > SAVE_EVERY
    if (rows.length > 0 || due) await this.#save(false)
    onProgress(this.#event())
    await this.#throttle.after(rows.length, signal)
    if (rows.length > 0 && (await this.#backpressure.relieve())) this.#size.shrink()
  }

  async #save(done: boolean): Promise<void> {
    this.#saved = performance.now()
    const skipped = this.#counts.skipped - this.#stoppedAt
    const problems = this.#problems.slice(0, skipped)
    const progress = { ...this.#counts, skipped, cursor: this.#cursor, problems }
    await (done ? this.#run.record?.finish(progress) : this.#run.record?.save(progress))
  }

  #event(): ProgressEvent {
    const { operation, model } = this.#run.planner
    return { operation, model: model.name, total: this.#total, ...this.#counts }
  }
}
