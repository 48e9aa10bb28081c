import {
  checkArguments,
  checkCallOptions,
  FUNCTION,
  type Kinds,
  OBJECT,
  POOL,
  SIGNAL,
  TEXTS_BY_NAME,
} from '../../callArguments.js'
import { FieldsealError } from '../../errors.js'
import type { TenantPaths } from '../maintenanceModels.js'
import { type MaintainContext, planRuns } from '../planRuns.js'
import { postgresRanges } from '../postgres/rangeStore.js'
import type { PgConnection } from '../postgres/sql.js'
import { countParticipants, WorkLocks } from '../postgres/workLocks.js'
import { OPERATIONS } from '../rows/operation.js'
import type { Strain } from '../rows/pressure.js'
import type { Problem } from '../rows/problem.js'
import type { ProgressEvent } from '../rows/run.js'
import { newMaintenanceRun } from '../tableRun.js'
import type { Counts } from './progressStore.js'
import { isRangeId, type RangeFailure, type RangeJob, type RangeStore, type RangeWork } from './ranges.js'

/** What `$encryption.maintainRange` takes. */
export interface MaintainRangeOptions {
  /** A Pool of the package `pg`, with five connections or more. */
  readonly database: PgConnection
  /** Where the tenant of models without a `@tenant` column is found: `{ Contact: 'patient.clinicId' }`. */
  readonly tenants?: TenantPaths | undefined
  /** Ends the work after the batch under way. */
  readonly signal?: AbortSignal | undefined
  /** If this fails too, it is not tried again: the run reports it. */
  readonly last?: boolean | undefined
  /** Leaves the range to others if any are at work: for a worker that has just failed. */
  readonly modest?: boolean | undefined
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined
  readonly onWait?: ((strain: Strain) => void) | undefined
}

/** What became of a job. A range that is not done is given out again by the command that wants it. */
export interface RangeReport extends Partial<Counts> {
  /** `done`; `interrupted` by the signal or the end of the command; `stopped` at a problem; `left` to others; `none`: it was not to be done. */
  readonly outcome: 'done' | 'interrupted' | 'stopped' | 'left' | 'none'
  readonly operation?: string
  readonly model?: string
  /** Which of its run's ranges it is, from 1. */
  readonly number?: number
  readonly of?: number
}

/** Between two looks at who else is at work, in milliseconds. */
const CHECK_INTERVAL = 1_000
/** A command that was not seen so many times is gone. */
const MISSES_UNTIL_GONE = 3

const KINDS: Kinds = { tenants: TEXTS_BY_NAME, signal: SIGNAL, onProgress: FUNCTION, onWait: FUNCTION }

export async function maintainRange(
  context: MaintainContext,
  job: RangeJob,
  options: MaintainRangeOptions,
): Promise<RangeReport> {
  checkArguments('maintainRange', { job, options }, { job: OBJECT, options: OBJECT })
  checkArguments('maintainRange', { database: options.database }, { database: POOL })
  checkCallOptions('maintainRange', options, KINDS)
  const ranges = postgresRanges(options.database, context.runKeys)
  const range = checkedRange(job)
  try {
    return await workOn(context, ranges, { ...options, range })
  } catch (error) {
    // What was refused once is no better the next time.
    const final = options.last || FieldsealError.is(error, 'PROGRESS_INVALID')
    // If the database is down, this fails too; the queue keeps the job.
    await ranges.fail(failureOf(range, error), final).catch(() => {})
    throw error
  }
}

function checkedRange({ range }: RangeJob): string {
  if (isRangeId(range)) return range
  const message = 'maintainRange: the job names no range, so it is none that `maintain` gave to a queue'
  throw new FieldsealError('OPTIONS_INVALID', message)
}

interface RangeOptions extends MaintainRangeOptions {
  readonly range: string
}

async function workOn(context: MaintainContext, ranges: RangeStore, options: RangeOptions): Promise<RangeReport> {
  const { database, range } = options
  const locks = await WorkLocks.open(database)
  try {
    if (!(await locks.tryLockRange(range))) return { outcome: 'none' }
    const work = await ranges.take(range)
    if (work === null) return { outcome: 'none' }
    const { commands, workers } = await countParticipants(database, work.run)
    if (commands === 0) return { outcome: 'none' }
    if (options.modest && workers > 1) return { outcome: 'left' }
    return await whileCommandRuns(locks, options, { work, workers }, (signal, share) =>
      workThrough(context, { ...options, signal }, { ranges, work, share }),
    )
  } finally {
    locks.close()
  }
}

interface Assignment {
  readonly ranges: RangeStore
  readonly work: RangeWork
  /** How many share the rate. */
  readonly share: () => number
}

async function workThrough(
  context: MaintainContext,
  options: MaintainRangeOptions,
  { ranges, work, share }: Assignment,
): Promise<RangeReport> {
  const { database, tenants, signal, onProgress, onWait } = options
  const { operation, model, fields, tenant } = work.task
  if (!OPERATIONS.includes(operation))
    throw new FieldsealError(
      'OPTIONS_INVALID',
      `a command wants ${operation}, which this process does not know: deploy the same version`,
    )
  const selection = { models: [model], fields: fields.map((field) => `${model}.${field}`), tenant, tenants }
  const [tableRun] = await planRuns(context, { operation, database, ...selection })
  const { onError, rowsPerSecond = Number.POSITIVE_INFINITY, maxLag } = work.order
  let problem: Problem | undefined
  const onProblem = (found: Problem) => {
    problem = found
  }
  const runOptions = {
    onError,
    maxLag,
    signal,
    onProgress,
    onProblem,
    onWait,
    rowsPerSecond: () => rowsPerSecond / share(),
  }
  const run = await newMaintenanceRun(tableRun!, runOptions, work)
  const { outcome, scanned, changed, conflicts, skipped } = await run.start()
  if (outcome === 'stopped') await ranges.stop(work, problem!)
  return { outcome, operation, model, number: work.number, of: work.of, scanned, changed, conflicts, skipped }
}

/** Does work for as long as a command wants it, and tells it how many share it. */
async function whileCommandRuns(
  locks: WorkLocks,
  { database, signal }: MaintainRangeOptions,
  { work: { run }, workers }: { readonly work: RangeWork; readonly workers: number },
  work: (signal: AbortSignal, share: () => number) => Promise<RangeReport>,
): Promise<RangeReport> {
  const commandGone = new AbortController()
  let [share, missed] = [Math.max(1, workers), 0]
  const timer = setInterval(async () => {
    const seen = await countParticipants(database, run).catch(() => null)
    if (seen === null) return
    share = Math.max(1, seen.workers)
    missed = seen.commands === 0 ? missed + 1 : 0
    if (missed === MISSES_UNTIL_GONE) commandGone.abort()
  }, CHECK_INTERVAL)
  try {
    const report = await work(
      AbortSignal.any([commandGone.signal, locks.lost, ...(signal ? [signal] : [])]),
      () => share,
    )
    locks.lost.throwIfAborted()
    return report
  } finally {
    clearInterval(timer)
  }
}

function failureOf(range: string, error: unknown): RangeFailure {
  if (FieldsealError.is(error)) return { range, code: error.code, message: error.message }
  return { range, code: 'DATABASE_UNAVAILABLE', message: 'a worker failed: see what it printed' }
}
