import type { ErrorCode } from '../errors.js'
import type { MaxLag } from './pressure.js'
import type { Problem } from './problem.js'
import type { Counts, Progress, ProgressRecord, Task } from './progressStore.js'
import type { RowKey } from './rowSource.js'

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
  readonly run: string
  readonly number: number
  /** Into how many its run is divided. */
  readonly of: number
  readonly task: Task
  readonly record: ProgressRecord
}

/** Why a range could not be done the last time. */
export interface RangeFailure {
  readonly range: string
  readonly code: ErrorCode
  readonly message: string
}

/** How far a divided run is. */
export interface Overview {
  readonly state: 'running' | 'done' | 'dropped'
  /** What all ranges come to, and what was done before the run was divided. */
  readonly counts: Counts
  /** Ids of those that are not done yet. */
  readonly waiting: readonly string[]
  /** What ranges stopped at. It is not counted in. */
  readonly stopped: readonly Problem[]
  readonly failed: readonly RangeFailure[]
}

/** What is new in ranges since the last look. */
export interface RangeNews {
  readonly range: string
  /** All that the range has kept, in the order in which they were found. */
  readonly problems: readonly Problem[]
  readonly failure: RangeFailure | null
  /** How often it has failed. */
  readonly failures: number
}

/** Where the ranges of runs are kept. Each is a run of its own: killed, it goes on where it was. */
export interface RangeStore {
  /** Divides a run, unless it is divided. */
  divide(run: string, ranges: readonly KeyRange[]): Promise<void>
  /** Has ranges that stopped or failed wait again. `false` for a run that is not divided. */
  reopen(run: string): Promise<boolean>
  overview(run: string): Promise<Overview>
  /** @param since an earlier answer's `at` */
  news(run: string, since: string | null): Promise<{ readonly at: string; readonly news: readonly RangeNews[] }>
  /** `null` for a range that is done, or whose run is over. */
  take(range: string): Promise<RangeWork | null>
  stop(range: string, problem: Problem): Promise<void>
  /** @param final it will not be tried again by itself */
  fail(failure: RangeFailure, final: boolean): Promise<void>
  /** Ends a run whose ranges are all done. */
  finish(run: string): Promise<Progress>
}

/** A job for workers, to be sent through a queue as JSON. */
export interface RangeJob {
  readonly range: string
  readonly onError: 'skip' | 'stop'
  /** Of all workers together. */
  readonly rowsPerSecond?: number | undefined
  readonly maxLag?: MaxLag | undefined
}

/** The seam to a queue that workers take jobs from. */
export interface RangeQueue {
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
