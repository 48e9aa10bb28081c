import type { Operation } from '../rows/operation.js'
import type { Problem } from '../rows/problem.js'
import type { RowKey } from '../rows/rowSource.js'
import type { RunKey } from './runKey.js'
import type { WorkOrder } from './workOrder.js'

/** What a run is about. An unfinished run of the same task is taken up where it stopped. */
export interface RunTask {
  readonly operation: Operation
  readonly model: string
  readonly fields: readonly string[]
  /** Only the rows of this tenant. */
  readonly tenant: string | undefined
}

export interface Counts {
  /** Rows looked at. */
  readonly scanned: number
  /** Rows changed; of `verify`, while it runs, rows that hold something encrypted and are right. */
  readonly changed: number
  /** Times that a row was changed or locked by somebody else in between, and was read again. */
  readonly conflicts: number
  /** Rows left as they are because of a problem. */
  readonly skipped: number
}

export interface Progress extends Counts {
  /** All rows up to this key are done; `null` before the first. */
  readonly cursor: RowKey | null
  /** Some of the problems found. */
  readonly problems: readonly Problem[]
}

/**
 * Where runs keep how far they are, so that one that was killed goes on. What is kept is authenticated by the key of the
 * run: what anybody else wrote there is refused.
 */
export interface ProgressStore {
  /**
   * Takes up the unfinished run of a task, or begins one.
   *
   * @param restart begin anew, even if a run is unfinished
   * @throws FieldsealError `PROGRESS_INVALID` for an unfinished run that was changed
   */
  open(task: RunTask, restart: boolean): Promise<OpenRun>
}

/** A run that was begun or taken up. */
export interface OpenRun extends ProgressRecord {
  readonly id: string
  readonly key: RunKey
  /** For workers, if it is divided among them. */
  readonly order: WorkOrder | null
}

export interface ProgressRecord {
  /** How far an earlier run came; `null` for a new run. */
  readonly saved: Progress | null
  save(progress: Progress): Promise<void>
  finish(progress: Progress): Promise<void>
}
