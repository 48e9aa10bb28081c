import {
  checkArguments,
  checkCallOptions,
  FUNCTION,
  type Kinds,
  NUMBER,
  OBJECT,
  SIGNAL,
  TEXT,
} from '../callArguments.js'
import { invalidOptions } from '../invalidOptions.js'
import { checkTenant } from '../tenancy/tenant.js'
import { checkFormerKeys } from './formerKeys.js'
import type { RangeFailure, Workers } from './jobs/ranges.js'
import { runShared } from './jobs/sharedRun.js'
import { withMissed } from './missedRows.js'
import { type MaintainContext, planRuns } from './planRuns.js'
import { createTables } from './postgres/progressTables.js'
import { serverStart } from './postgres/serverStart.js'
import type { PgConnection } from './postgres/sql.js'
import { checkKeepsConnections } from './postgres/workLocks.js'
import { OPERATIONS, type Operation } from './rows/operation.js'
import type { MaxLag, Strain } from './rows/pressure.js'
import type { Problem } from './rows/problem.js'
import type { ProgressEvent, RunReport } from './rows/run.js'
import { SELECTION_KINDS, type Selection, type SelectionContext } from './selection.js'
import { collisionsIn, runAlone, type TableRun } from './tableRun.js'

const invalid = invalidOptions('maintain:')

/** What `$encryption.maintain` takes. */
export interface MaintainOptions extends Selection {
  readonly operation: Operation
  /**
   * Of `encrypt`: works on the fields only that are migrating from this library, by its name in `migratingFrom`. Without
   * it, these are encrypted anew as well.
   */
  readonly from?: string | undefined
  /** A Pool of the package `pg`, with two connections or more; Prisma has no part in this. */
  readonly database: PgConnection
  /** What happens to a row with a problem: it is left as it is (the default), or the run stops. */
  readonly onError?: 'skip' | 'stop' | undefined
  /** Counts what would be done and changes nothing; makes no key and leaves no trace. */
  readonly dryRun?: boolean | undefined
  /** The most rows worked on in a second; unlimited unless given. */
  readonly rowsPerSecond?: number | undefined
  /** Waits while a standby is further behind than this. */
  readonly maxLag?: MaxLag | undefined
  /**
   * Has workers do the work, on this machine or on others, instead of this process: each calls `maintainRange` for jobs
   * of the queue. Nothing is done while there is no worker.
   */
  readonly workers?: Workers | undefined
  /** Begins anew instead of going on where an unfinished run stopped. */
  readonly restart?: boolean | undefined
  /** Ends the run after the batch under way. */
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined
  readonly onProblem?: ((problem: Problem) => void) | undefined
  /** Told each time that writes are held back, for locks of others or for a standby that is behind. */
  readonly onWait?: ((strain: Strain) => void) | undefined
  /** Told when a worker could not do a range, which will be tried again. */
  readonly onFailure?: ((failure: RangeFailure) => void) | undefined
}

/** Runs an operation over the chosen models, one after the other. A run that ends early leaves out those that follow. */
export async function maintain(context: MaintainContext, given: MaintainOptions): Promise<RunReport[]> {
  checkOptions(context, given)
  const options = given.operation === 'verify' ? toldAsVerified(given) : given
  const tableRuns = await planRuns(context, options)
  for (const tableRun of tableRuns) await checkFormerKeys(tableRun)
  if (!options.dryRun) await prepare(options)
  const started = await serverStart(options.database)
  const isDoubtful = async ({ resumed, outcome }: RunReport) =>
    outcome === 'done' && (resumed || (!options.dryRun && (await serverStart(options.database)) !== started))
  const reports: RunReport[] = []
  for (const tableRun of tableRuns) {
    const problems = await reportCollisions(tableRun, options)
    if (problems.length > 0 && options.onError === 'stop') return [...reports, stoppedBefore(tableRun, problems)]
    const report = await (options.workers ? runShared(tableRun, options, options.workers) : runAlone(tableRun, options))
    reports.push(withVerified((await isDoubtful(report)) ? await withMissed(tableRun, options, report) : report))
    if (report.outcome !== 'done') break
  }
  return reports
}

/** Of rows that were only looked at, none was changed. */
function toldAsVerified(options: MaintainOptions): MaintainOptions {
  return { ...options, onProgress: (event) => options.onProgress?.({ ...event, changed: 0 }) }
}

function withVerified(report: RunReport): RunReport {
  return report.operation === 'verify' ? { ...report, changed: 0, verified: report.changed } : report
}

/** Who may not keep the progress, or use the queue, learns it before a key is made. */
async function prepare({ database, workers }: MaintainOptions): Promise<void> {
  if (workers) await checkKeepsConnections(database)
  await createTables(database)
  await workers?.queue.prepare?.()
}

/** Rows whose values a unique blind index will refuse are told of before any is changed. */
async function reportCollisions(tableRun: TableRun, options: MaintainOptions): Promise<Problem[]> {
  if (tableRun.operation !== 'encrypt' || options.dryRun) return []
  const problems = await collisionsIn(tableRun, options)
  for (const problem of problems) options.onProblem?.(problem)
  return problems
}

function stoppedBefore({ operation, target }: TableRun, problems: readonly Problem[]): RunReport {
  const counts = { total: 0, scanned: 0, changed: 0, conflicts: 0, skipped: problems.length, wanted: 0, missed: 0 }
  return { operation, model: target.model.name, ...counts, outcome: 'stopped', resumed: false, problems }
}

const KINDS: Kinds = {
  ...SELECTION_KINDS,
  from: TEXT,
  rowsPerSecond: NUMBER,
  maxLag: OBJECT,
  workers: OBJECT,
  signal: SIGNAL,
  onProgress: FUNCTION,
  onProblem: FUNCTION,
  onWait: FUNCTION,
  onFailure: FUNCTION,
}

function checkOptions({ schema }: SelectionContext, options: MaintainOptions): void {
  checkCallOptions('maintain', options, KINDS)
  const { operation, database, tenant, rowsPerSecond = 1, onError = 'skip', workers, dryRun } = options
  if (!OPERATIONS.includes(operation)) throw invalid(`"operation" must be one of ${OPERATIONS.join(', ')}`)
  if (options.from !== undefined && operation !== 'encrypt') throw invalid('"from" goes with the operation "encrypt"')
  if (typeof database?.query !== 'function') throw invalid('"database" must be a Pool of the package pg')
  if (tenant !== undefined) checkTenant(tenant)
  if (!(rowsPerSecond > 0)) throw invalid('"rowsPerSecond" must be a number above 0')
  if (workers) checkArguments('maintain', { queue: workers.queue }, { queue: OBJECT })
  if (workers && dryRun) throw invalid('"dryRun" counts in this process: leave "workers" out')
  if (workers && !(Number.isInteger(workers.count) && workers.count > 0))
    throw invalid('"workers.count" must be a whole number above 0')
  if (onError !== 'skip' && onError !== 'stop') throw invalid('"onError" must be "skip" or "stop"')
  if (schema.keysModel === '') throw invalid('the schema encrypts nothing yet: mark a field as encrypted')
}
