import { FieldsealError } from '../errors.js'
import { BatchSize, pause, Throttle } from './batchSize.js'
import type { Operation } from './operation.js'
import { Ease, type Pressure, type Strain } from './pressure.js'
import { isolate, type Problem } from './problem.js'
import type { Counts, ProgressRecord } from './progressStore.js'
import { type Page, type RowChange, type RowKey, type RowSource, type StoredRow, TableLocked } from './rowSource.js'
import { type RowTransformer, transformRows } from './transformRows.js'
import { verifyRows } from './verifyRows.js'

/** How a run goes about its work. */
export interface RunOptions {
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
  /** The first of the problems; `skipped` counts them all. */
  readonly problems: readonly Problem[]
}

export interface Run extends RowTransformer {
  readonly source: RowSource
  /** `null` for a run that leaves no trace. */
  readonly record: ProgressRecord | null
  readonly until: RowKey | null
  /** What writes are to be held back for; `null` for a run that writes nothing. */
  readonly pressure: Pressure | null
  readonly options: RunOptions
}

interface Prepared {
  readonly changes: readonly RowChange[]
  readonly problems: readonly (readonly [StoredRow, FieldsealError])[]
}

/** A row is read again this often when others change or lock it in between. */
const ATTEMPTS = 12
const KEPT_PROBLEMS = 100
/** How long a table that is locked is left alone, at most, in milliseconds. */
const LEFT_ALONE = 2_000
/** Between saves of a run that finds nothing to change, in milliseconds. */
const SAVE_EVERY = 1_000

/** Runs one operation over one model's table, page by page. Each batch is complete before the progress passes it. */
export class MaintenanceRun {
  readonly #run: Run
  readonly #size = new BatchSize()
  readonly #throttle: Throttle
  readonly #ease: Ease
  readonly #problems: Problem[]
  readonly #counts: { -readonly [count in keyof Counts]: number }
  #cursor: RowKey | null
  #wanted = 0
  #total = 0
  #saved = performance.now()
  #stopped = false
  /** The longest statement since the last page, in milliseconds. */
  #slowest = 0
  /** Problems of the page under way: if the run stops in it, the next one meets them again. */
  #unpassed = 0

  constructor(run: Run) {
    const saved = run.record?.saved
    const { scanned = 0, changed = 0, conflicts = 0, skipped = 0 } = saved ?? {}
    this.#run = run
    this.#throttle = new Throttle(run.options.rowsPerSecond)
    this.#ease = new Ease(run.pressure, run.options.signal, run.options.onWait)
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
    const outcome = this.#stopped ? 'stopped' : ended ? 'done' : 'interrupted'
    await this.#save(outcome === 'done')
    const resumed = (this.#run.record?.saved ?? null) !== null
    return { ...this.#event(), outcome, resumed, wanted: this.#wanted, problems: this.#problems }
  }

  async #all(): Promise<boolean> {
    this.#total = await this.#whenFree(() => this.#run.source.estimate())
    return this.#pages()
  }

  /** Reads a page, encrypts the one before and writes the one before that, all at once. `true` when the last is done. */
  async #pages(): Promise<boolean> {
    let next: Promise<Page> | undefined = this.#read(this.#cursor)
    let writing: Promise<void> = Promise.resolve()
    try {
      while (next !== undefined && !this.#isOver()) {
        const page: Page = await next
        next = page.ended ? undefined : this.#read(page.last)
        const prepared = await this.#prepare(page.rows)
        await writing
        if (this.#stopped) return false
        writing = this.#pass(page, prepared)
        // Its failure is met above or below; until then nobody listens.
        writing.catch(() => undefined)
      }
      await writing
      return next === undefined && !this.#stopped
    } finally {
      // Their failures are of no interest any more.
      next?.catch(() => undefined)
      await writing.catch(() => undefined)
    }
  }

  #isOver(): boolean {
    return this.#run.options.signal?.aborted === true
  }

  async #read(after: RowKey | null): Promise<Page> {
    const started = performance.now()
    const { source, until } = this.#run
    const page = await this.#whenFree(() => source.page({ after, until, limit: this.#size.rows }))
    this.#slowest = Math.max(this.#slowest, performance.now() - started)
    return page
  }

  /** Brings a page to its end, and the progress past it. */
  async #pass(page: Page, prepared: Prepared): Promise<void> {
    await this.#work(page.rows.length, prepared)
    this.#size.took(this.#slowest)
    this.#slowest = 0
    if (this.#stopped) return
    this.#cursor = page.last ?? this.#cursor
    this.#counts.scanned += page.scanned
    this.#unpassed = 0
    if (page.scanned === 0) return
    const due = performance.now() - this.#saved > SAVE_EVERY
    if (page.rows.length > 0 || due) await this.#save(false)
    this.#run.options.onProgress(this.#event())
    await this.#throttle.after(page.rows.length, this.#run.options.signal)
    if (page.rows.length > 0 && (await this.#ease.off())) this.#size.shrink()
  }

  /** Whoever locks the table, or waits to, goes first. */
  async #whenFree<T>(work: () => Promise<T>): Promise<T> {
    const { signal, onWait } = this.#run.options
    for (let wait = 50; ; wait = Math.min(LEFT_ALONE, wait * 2)) {
      try {
        return await work()
      } catch (error) {
        if (!(error instanceof TableLocked) || signal?.aborted) throw error
        onWait({ cause: 'locks', what: `the table of ${this.#run.planner.model.name} is locked` })
        await pause(wait, signal)
      }
    }
  }

  async #work(wanted: number, { changes, problems }: Prepared): Promise<void> {
    this.#wanted += wanted
    for (const [row, error] of problems) this.#problem(row, error)
    if (changes.length > 0) await this.#change(changes)
  }

  /** What is to be written, and what stands against it; changes nothing. */
  async #prepare(rows: readonly StoredRow[]): Promise<Prepared> {
    const prepared: { changes: RowChange[]; problems: [StoredRow, FieldsealError][] } = { changes: [], problems: [] }
    if (this.#run.options.dryRun) return prepared
    const work = async (part: readonly StoredRow[]) => {
      if (this.#run.planner.operation === 'verify') prepared.problems.push(...(await verifyRows(this.#run, part)))
      else for (const change of await transformRows(this.#run, part)) prepared.changes.push(change)
    }
    await isolate(rows, work, (row, error) => prepared.problems.push([row, error]))
    return prepared
  }

  /** What others changed or locked in between is read again until it is done. */
  async #change(changes: readonly RowChange[]): Promise<void> {
    let lost = await this.#write(changes)
    for (let attempt = 1; lost.length > 0 && !this.#stopped; attempt++) {
      this.#counts.conflicts += lost.length
      if (attempt === ATTEMPTS) {
        for (const row of lost) this.#problem(row, busy(this.#run.planner.model.name))
        return
      }
      await pause(2 ** attempt, undefined)
      const again = await this.#prepare(await this.#whenFree(() => this.#run.source.reread(lost)))
      for (const [row, error] of again.problems) this.#problem(row, error)
      lost = await this.#write(again.changes)
    }
  }

  /** Writes what can be written; answers the rows that others changed or locked. */
  async #write(changes: readonly RowChange[]): Promise<StoredRow[]> {
    const lost: StoredRow[] = []
    const write = async (part: readonly RowChange[]) => {
      const started = performance.now()
      const written = await this.#whenFree(() => this.#run.source.change(part))
      this.#slowest = Math.max(this.#slowest, performance.now() - started)
      this.#counts.changed += written.size
      for (const { row } of part) if (!written.has(row)) lost.push(row)
    }
    await isolate(changes, write, ({ row }, error) => this.#problem(row, error))
    return lost
  }

  #problem({ key }: StoredRow, { code, message }: FieldsealError): void {
    const problem: Problem = { model: this.#run.planner.model.name, key, code, message }
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
    return {
      operation: this.#run.planner.operation,
      model: this.#run.planner.model.name,
      total: this.#total,
      ...this.#counts,
    }
  }
}

function busy(model: string): FieldsealError {
  const message = `a row of ${model} stayed locked, or changed between every read and write: run the command again later`
  return new FieldsealError('ROW_BUSY', message)
}
