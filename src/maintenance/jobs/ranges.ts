import type { ErrorCode } from '../../errors.js'
import type { Problem } from '../rows/problem.js'
import type { RowKey } from '../rows/rowSource.js'
import type { Counts, OpenRun, Progress, ProgressRecord, RunTask } from './progressStore.js'
import type { RunKey } from './runKey.js'
import type { WorkOrder } from './workOrder.js'

/** Rows between two primary keys: what a worker takes on at a time. */
export interface KeyRange {
  /** Begins after this key; at the first row if `null`. */
  readonly after: RowKey | null
  /** Ends with this key; with the last row if `null`. */
  readonly until: RowKey | null
}

/** `stopped` at a row with a problem; `failed` for want of the KMS or the database, however often it was tried. */
export type RangeState = 'waiting' | 'done' | 'stopped' | 'failed'

/** A range as a worker takes it up, and where it keeps how far it is. */
export interface RangeWork extends KeyRange {
  readonly id: string
  readonly run: string
  readonly key: RunKey
  readonly number: number
  /** Into how many its run is divided. */
  readonly of: number
  readonly task: RunTask
  readonly order: WorkOrder
  readonly record: ProgressRecord
}

/**
 * Why a range could not be done the last time. A worker that cannot reach the KMS cannot authenticate it, so it is what
 * whoever writes to the database says; it decides only whether the range is tried again.
 */
export interface RangeFailure {
  readonly range: string
  readonly code: ErrorCode
  readonly message: string
}

/** How far a divided run is. */
export interface RunOverview {
  readonly state: 'running' | 'done' | 'dropped'
  readonly order: WorkOrder
  /** What all ranges say that they come to, and what was done before the run was divided. `finish` makes sure. */
  readonly counts: Counts
  /** Ids of those that are not done yet. */
  readonly waiting: readonly string[]
  /** What ranges stopped at. It is not counted in. */
  readonly stopped: readonly Problem[]
  readonly failed: readonly RangeFailure[]
}

/** What is new in ranges since the last look. */
export interface RangeChange {
  readonly range: string
  /** All that the range has kept, in the order in which they were found. */
  readonly problems: readonly Problem[]
  readonly failure: RangeFailure | null
  /** How often it has failed. */
  readonly failures: number
}

/**
 * Where the ranges of runs are kept. Each is a run of its own: killed, it goes on where it was. All but `reopen`, `unfinished`
 * and `fail` throw `PROGRESS_INVALID` when what they read was written by somebody else.
 */
export interface RangeStore {
  /** Divides a run that is not divided. */
  divide(run: OpenRun, ranges: readonly KeyRange[], order: WorkOrder): Promise<void>
  /** Has workers go by this order from now on. */
  instruct(run: OpenRun, order: WorkOrder): Promise<void>
  /** Has ranges that stopped or failed wait again. */
  reopen(run: OpenRun): Promise<void>
  overview(run: OpenRun): Promise<RunOverview>
  /** Ids of ranges that are not done, for the queue. */
  unfinished(run: OpenRun): Promise<readonly string[]>
  /** @param since an earlier answer's `at` */
  changes(
    run: OpenRun,
    since: string | null,
  ): Promise<{ readonly at: string; readonly changes: readonly RangeChange[] }>
  /** `null` for a range that is done, or whose run is over. */
  take(range: string): Promise<RangeWork | null>
  stop(work: RangeWork, problem: Problem): Promise<void>
  /** @param final it will not be tried again by itself */
  fail(failure: RangeFailure, final: boolean): Promise<void>
  /** Ends a run whose ranges are all done, every one, and join without a gap. */
  finish(run: OpenRun): Promise<Progress>
}

/**
 * A job for workers, to be sent through a queue as JSON. It names which range is next and nothing else: what is to be
 * done with it, the worker learns from what the command that wants it has authenticated.
 */
export interface RangeJob {
  readonly range: string
}

/** Whether a text can be the id of a range: what comes through a queue may be anybody's. */
export function isRangeId(range: unknown): range is string {
  return typeof range === 'string' && /^[1-9]\d{0,17}$/.test(range)
}

/** The seam to a queue that workers take jobs from. */
export interface RangeQueue {
  /** Makes the queue usable, before the run makes keys or changes rows; without it, the first `keep` does. */
  prepare?(): Promise<void>
  /**
   * Sees to it that there is a job for each range, and that jobs of workers that are dead can be taken by others. It is
   * called again and again with what is left.
   */
  keep(jobs: readonly RangeJob[]): Promise<void>
  /** Takes the jobs of ranges out, except those that are being worked on. */
  remove(ranges: readonly string[]): Promise<void>
}

/** What a run needs to have workers do it. */
export interface Workers {
  readonly queue: RangeQueue
  /** About how many there will be; the table is divided for so many. More may come, and any may go. */
  readonly count: number
}
