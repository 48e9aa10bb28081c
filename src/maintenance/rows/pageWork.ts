import { FieldsealError } from '../../errors.js'
import { pause } from './batchSize.js'
import { isolate, type Problem } from './problem.js'
import type { RowChange, RowSource, StoredRow } from './rowSource.js'
import type { Statements } from './statements.js'
import { type RowTransformer, transformRows } from './transformRows.js'
import { verifyRows } from './verifyRows.js'

/** What is to be written of a page, and what stands against it. */
export interface PreparedPage {
  readonly changes: readonly RowChange[]
  readonly problems: readonly (readonly [StoredRow, FieldsealError])[]
  /** Rows that were verified and are right. */
  readonly verified: number
}

/** What became of a page. */
export interface PageResult {
  /** As in `Counts`. */
  readonly changed: number
  readonly conflicts: number
  readonly problems: readonly Problem[]
}

export interface PageOptions {
  readonly transformer: RowTransformer
  readonly source: RowSource
  readonly statements: Statements
  readonly onError: 'skip' | 'stop'
  readonly onProblem: (problem: Problem) => void
}

/** A row is read again this often when others change or lock it in between. */
const ATTEMPTS = 12

/** Makes what an operation makes of rows; changes nothing. */
export async function preparePage(transformer: RowTransformer, rows: readonly StoredRow[]): Promise<PreparedPage> {
  const prepared: { changes: RowChange[]; problems: [StoredRow, FieldsealError][] } = { changes: [], problems: [] }
  const work = async (part: readonly StoredRow[]) => {
    if (transformer.planner.operation === 'verify') prepared.problems.push(...(await verifyRows(transformer, part)))
    else for (const change of await transformRows(transformer, part)) prepared.changes.push(change)
  }
  await isolate(rows, work, (row, error) => prepared.problems.push([row, error]))
  const verified = transformer.planner.operation === 'verify' ? rows.length - prepared.problems.length : 0
  return { ...prepared, verified }
}

/** Writes a page. Rows that others changed or locked in between are read and made again until they are done. */
export async function writePage(
  options: PageOptions,
  { changes, problems, verified }: PreparedPage,
): Promise<PageResult> {
  const work = new PageWork(options)
  work.changed += verified
  for (const [row, error] of problems) work.problem(row, error)
  if (changes.length > 0) await work.change(changes)
  return work
}

class PageWork implements PageResult {
  readonly problems: Problem[] = []
  changed = 0
  conflicts = 0
  readonly #options: PageOptions

  constructor(options: PageOptions) {
    this.#options = options
  }

  async change(changes: readonly RowChange[]): Promise<void> {
    const { transformer, source, statements } = this.#options
    let lost = await this.#write(changes)
    for (let attempt = 1; lost.length > 0 && !this.#isOver(); attempt++) {
      this.conflicts += lost.length
      if (attempt === ATTEMPTS) {
        for (const row of lost) this.problem(row, rowBusy(this.#model))
        return
      }
      await pause(2 ** attempt, undefined)
      const rows = lost
      const again = await preparePage(transformer, await statements.run(() => source.reread(rows)))
      for (const [row, error] of again.problems) this.problem(row, error)
      lost = await this.#write(again.changes)
    }
  }

  problem({ key }: StoredRow, { code, message }: FieldsealError): void {
    const problem: Problem = { model: this.#model, key, code, message }
    this.problems.push(problem)
    this.#options.onProblem(problem)
  }

  /** Writes what can be written; answers the rows that others changed or locked. */
  async #write(changes: readonly RowChange[]): Promise<StoredRow[]> {
    const { source, statements } = this.#options
    const lost: StoredRow[] = []
    const write = async (part: readonly RowChange[]) => {
      const written = await statements.run(() => source.change(part))
      this.changed += written.size
      for (const { row } of part) if (!written.has(row)) lost.push(row)
    }
    await isolate(changes, write, ({ row }, error) => this.problem(row, error))
    return lost
  }

  #isOver(): boolean {
    return this.#options.onError === 'stop' && this.problems.length > 0
  }

  get #model(): string {
    return this.#options.transformer.planner.model.name
  }
}

function rowBusy(model: string): FieldsealError {
  const message = `a row of ${model} stayed locked, or changed between every read and write: run the command again later`
  return new FieldsealError('ROW_BUSY', message)
}
