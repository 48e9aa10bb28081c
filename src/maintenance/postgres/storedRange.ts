import { progressError } from '../jobs/progressError.js'
import type { Progress } from '../jobs/progressStore.js'
import type { KeyRange, RangeState } from '../jobs/ranges.js'
import type { RunKey } from '../jobs/runKey.js'
import { type ProgressColumn, progressOf, progressOn } from './progressTables.js'
import type { TextRow } from './sql.js'

/** A row of fieldseal.ranges that a holder of the KMS has written. */
export interface StoredRange extends KeyRange {
  readonly id: string
  readonly number: number
  readonly state: RangeState
  readonly progress: Progress
}

/** The columns that `readRange` reads, of the row `r`. */
export const RANGE_COLUMNS = `r.id AS range_id, r.number, to_json(r.begins_after) AS begins_after, to_json(r.ends_with) AS ends_with,
  r.state AS range_state, r.mac AS range_mac, ${progressOn('r', 'range')}`

export type RangeColumn =
  | ('range_id' | 'number' | 'begins_after' | 'ends_with' | 'range_state' | 'range_mac')
  | ProgressColumn<'range'>

/** @throws FieldsealError `PROGRESS_INVALID` for a row that somebody else has written */
export function readRange(key: RunKey, row: TextRow<RangeColumn>): StoredRange {
  const { range_id: id, number, range_state: state } = row
  const bounds = { number: Number(number), after: keyOf(row.begins_after), until: keyOf(row.ends_with) }
  const range = { id: id!, ...bounds, state: state as RangeState, progress: progressOf(row, 'range') }
  if (key.isMac(row.range_mac, 'range', contentOf(range, range.progress, state === 'done'))) return range
  throw progressError(`range ${number} of a run was changed`)
}

export interface NumberedRange extends KeyRange {
  readonly number: number
}

export function macOfRange(key: RunKey, range: NumberedRange, progress: Progress, done: boolean): string {
  return key.mac('range', contentOf(range, progress, done))
}

/** Of its states, only being done leaves rows out; the others say whether it is tried again. */
function contentOf({ number, after, until }: NumberedRange, progress: Progress, done: boolean): unknown {
  return { number, after, until, done, progress }
}

function keyOf(json: string | null): string[] | null {
  return json === null ? null : JSON.parse(json)
}
