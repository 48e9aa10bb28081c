import type { MaintainOptions } from '../maintain.js'
import type { RunReport } from '../rows/run.js'
import type { KeyFailure } from './keyWalk.js'

/** What is done with rows is done as `maintain` does it. */
type RowOptions = Pick<
  MaintainOptions,
  | 'database'
  | 'tenants'
  | 'rowsPerSecond'
  | 'maxLag'
  | 'workers'
  | 'signal'
  | 'onProgress'
  | 'onProblem'
  | 'onWait'
  | 'onFailure'
>

/** What `$encryption.rotateIndexKeys` takes. */
export interface RotateIndexKeysOptions extends RowOptions {
  /** Only the key of this tenant; of all tenants unless given. */
  readonly tenant?: string | undefined
  /**
   * How long it may take from when a process has made tokens until PostgreSQL has begun the statement with them, and until
   * standbys that are searched have what was written, in milliseconds; 10,000 unless given.
   */
  readonly settle?: number | undefined
  /**
   * Takes it that blind indexes in unique constraints cannot be written for a while, nor name rows in `findUnique` and the
   * like: from `replace` on, until processes have noticed `retire`. That is refused with `KEY_ROTATING`. `false` unless given:
   * then a schema with such indexes is not rotated.
   */
  readonly pauseUniqueWrites?: boolean | undefined
  /** Told what it does next. */
  readonly onStep?: ((step: IndexRotationStep) => void) | undefined
}

/**
 * - `add`: new keys stand beside the present ones, and searches ask for what either makes
 * - `forget`: it waits until no process works any more by what it held before, nor is in a transaction of then
 * - `prepare`: where unique constraints count on blind indexes: rows that lack one get it
 * - `replace`: blind indexes are written under the new keys from now on
 * - `fill`: all rows get tokens under the new keys, too, and blind indexes under these alone
 * - `settle`: it waits until nobody sees rows any more as they were without these
 * - `retire`: the old keys are not used any more
 * - `drop`: the tokens under the old keys go
 * - `destroy`: the old keys go
 */
export interface IndexRotationStep {
  readonly step: 'add' | 'forget' | 'prepare' | 'replace' | 'fill' | 'settle' | 'retire' | 'drop' | 'destroy'
  /** How long it takes at least, in milliseconds. */
  readonly wait?: number
  /** How many keys, or transactions, it is about. */
  readonly count?: number
}

export interface IndexRotationReport {
  /** `left`: rows have problems, and the old keys stay until they are seen to. The same call goes on. */
  readonly outcome: 'done' | 'interrupted' | 'left'
  /** New keys. */
  readonly added: number
  /** Old keys that are gone. */
  readonly destroyed: number
  /** Keys that could not be given a successor; the others were. */
  readonly failed: readonly KeyFailure[]
  readonly runs: readonly RunReport[]
}
