import { FieldsealError } from '../errors.js'
import type { KeyRing } from '../keys/keyRing.js'
import { BatchSize, pause, Throttle } from './batchSize.js'
import type { MaintainedModel } from './model.js'
import type { Operation } from './operation.js'
import { isolate, type Problem } from './problem.js'
import type { Counts, ProgressRecord } from './progressStore.js'
import type { Page, RowChange, RowKey, RowSource, StoredRow } from './rowSource.js'
import { transformRows } from './transformRows.js'
import { verifyRows } from './verifyRows.js'

/** How a run goes about its work. */
export interface RunOptions {
  /** What happens to a row with a problem: it is left as it is, or the run stops before the end of its batch. */
  readonly onError: 'skip' | 'stop'
  /** Counts the rows that would be worked on, and changes nothing. */
  readonly dryRun: boolean
  /** The most rows worked on in a second. */
  readonly rowsPerSecond: number
  /** Ends the run after the batch under way. */
  readonly signal: AbortSignal | undefined
  readonly onProgress: (event: ProgressEvent) => void
  readonly onProblem: (problem: Problem) => void
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
  /** The first of the problems; `skipped` counts them all. */
  readonly problems: readonly Problem[]
}

export interface Run {
  readonly operation: Operation
  readonly model: MaintainedModel
  readonly ring: KeyRing
  readonly source: RowSource
  /** `null` for a run that leaves no trace. */
  readonly record: ProgressRecord | null
  readonly until: RowKey | null
  readonly options: RunOptions
}

/** A row is read again this often when others change or lock it in between. */
const ATTEMPTS = 12
const KEPT_PROBLEMS = 100
/** Between saves of a run that finds nothing to change, in milliseconds. */
const SAVE_EVERY = 1_000

/** Runs one operation over one model's table, page by page. Each batch is complete before the progress passes it. */
export class MaintenanceRun {
  readonly #run: Run
  readonly #size = new BatchSize()
  readonly #throttle: Throttle
  readonly #problems: Problem[]
  readonly #counts: { -readonly [count in keyof Counts]: number }
  #cursor: RowKey | null
  #wanted = 0
  #total = 0
  #saved = performance.now()
  #stopped = false
  /** Problems of the page under way: if the run stops in it, the next one meets them again. */
  #unpassed = 0

  constructor(run: Run) {
    const saved = run.record?.saved
    const { scanned = 0, changed = 0, conflicts = 0, skipped = 0 } = saved ?? {}
    this.#run = run
    this.#throttle = new Throttle(run.options.rowsPerSecond)
    this.#counts = { scanned, changed, conflicts, skipped }
    this.#cursor = saved?.cursor ?? null
    this.#problems = [...(saved?.problems ?? [])]
  }

  /** @throws FieldsealError for what is no row's fault: `KMS_*`, `KEY_STORE_UNAVAILABLE`, `DATABASE_UNAVAILABLE` */
  async start(): Promise<RunReport> {
    this.#total = await this.#run.source.estimate()
    const ended = await this.#pages()
    const outcome = this.#stopped ? 'stopped' : ended ? 'done' : 'interrupted'
    await this.#save(outcome === 'done')
    const resumed = (this.#run.record?.saved ?? null) !== null
    return { ...this.#event(), outcome, resumed, wanted: this.#wanted, problems: this.#problems }
  }

  /** Reads the next page while this one is written. `true` when the last one is done. */
  async #pages(): Promise<boolean> {
    let next: Promise<Page> | undefined = this.#read(this.#cursor)
    try {
      while (next !== undefined && !this.#isOver()) {
        const page: Page = await next
        next = page.ended ? undefined : this.#read(page.last)
        await this.#work(page.rows)
        if (this.#stopped) return false
        this.#cursor = page.last ?? this.#cursor
        this.#counts.scanned += page.scanned
        await this.#passed(page)
      }
      return next === undefined
    } finally {
      // Its failure is of no interest any more.
      next?.catch(() => undefined)
    }
  }

  #isOver(): boolean {
    return this.#run.options.signal?.aborted === true
  }

  async #read(after: RowKey | null): Promise<Page> {
    const started = performance.now()
    const page = await this.#run.source.page({ after, until: this.#run.until, limit: this.#size.rows })
    if (page.rows.length === 0) this.#size.took(performance.now() - started)
    return page
  }

  async #passed({ rows, scanned }: Page): Promise<void> {
    this.#unpassed = 0
    if (scanned === 0) return
    const due = performance.now() - this.#saved > SAVE_EVERY
    if (rows.length > 0 || due) await this.#save(false)
    this.#run.options.onProgress(this.#event())
    await this.#throttle.after(rows.length, this.#run.options.signal)
  }

  async #work(rows: readonly StoredRow[]): Promise<void> {
    this.#wanted += rows.length
    if (rows.length === 0 || this.#run.options.dryRun) return
    const started = performance.now()
    if (this.#run.operation === 'verify') await this.#verify(rows)
    else await this.#change(rows)
    this.#size.took(performance.now() - started)
  }

  async #verify(rows: readonly StoredRow[]): Promise<void> {
    const verify = async (part: readonly StoredRow[]) => {
      for (const [row, error] of await verifyRows(this.#run, part)) this.#problem(row, error)
    }
    await isolate(rows, verify, (row, error) => this.#problem(row, error))
  }

  /** What others changed or locked in between is read again until it is done. */
  async #change(rows: readonly StoredRow[]): Promise<void> {
    let left = rows
    for (let attempt = 1; left.length > 0; attempt++) {
      const lost = await this.#write(await this.#transform(left))
      if (lost.length === 0 || this.#stopped) return
      this.#counts.conflicts += lost.length
      if (attempt === ATTEMPTS) for (const row of lost) this.#problem(row, busy(this.#run.model.name))
      if (attempt === ATTEMPTS) return
      await pause(2 ** attempt, undefined)
      left = await this.#run.source.reread(lost)
    }
  }

  async #transform(rows: readonly StoredRow[]): Promise<RowChange[]> {
    const changes: RowChange[] = []
    const work = async (part: readonly StoredRow[]) => {
      for (const change of await transformRows(this.#run, part)) changes.push(change)
    }
    await isolate(rows, work, (row, error) => this.#problem(row, error))
    return changes
  }

  /** Writes what can be written; answers the rows that others changed or locked. */
  async #write(changes: readonly RowChange[]): Promise<StoredRow[]> {
    const lost: StoredRow[] = []
    const write = async (part: readonly RowChange[]) => {
      const written = await this.#run.source.change(part)
      this.#counts.changed += written.size
      for (const { row } of part) if (!written.has(row)) lost.push(row)
    }
    await isolate(changes, write, ({ row }, error) => this.#problem(row, error))
    return lost
  }

  #problem({ key }: StoredRow, { code, message }: FieldsealError): void {
    const problem: Problem = { model: this.#run.model.name, key, code, message }
    this.#counts.skipped += 1
    this.#unpassed += 1
    if (this.#problems.length < KEPT_PROBLEMS) this.#problems.push(problem)
    if (this.#run.options.onError === 'stop') this.#stopped = true
    this.#run.options.onProblem(problem)
  }

  async #save(done: boolean): Promise<void> {
    this.#saved = performance.now()
    const skipped = this.#counts.skipped - this.#unpassed
    const problems = this.#problems.slice(0, skipped)
    const progress = { ...this.#counts, skipped, cursor: this.#cursor, problems }
    await (done ? this.#run.record?.finish(progress) : this.#run.record?.save(progress))
  }

  #event(): ProgressEvent {
    return { operation: this.#run.operation, model: this.#run.model.name, total: this.#total, ...this.#counts }
  }
}

function busy(model: string): FieldsealError {
  const message = `a row of ${model} stayed locked, or changed between every read and write: run the command again later`
  return new FieldsealError('ROW_BUSY', message)
}
