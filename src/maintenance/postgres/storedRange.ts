import { progressError } from '../jobs/progressError.js'
import type { Progress } from '../jobs/progressStore.js'
import type { KeyRange, RangeState } from '../jobs/ranges.js'
import type { RunKey } from '../jobs/runKey.js'
import { progressOf, progressOn } from './progressTables.js'
import type { TextRow } from './sql.js'

/** A row of fieldseal.ranges that a holder of the KMS has written. */
export interface StoredRange extends KeyRange {
  readonly id: string
  readonly number: number
  readonly state: RangeState
  readonly progress: Progress
}

/** The columns that `readRange` reads, of the row `r`. */
export const RANGE_COLUMNS = `r.id, r.number, to_json(r.begins_after), to_json(r.ends_with), r.state, r.mac, ${progressOn('r')}`

/** @throws FieldsealError `PROGRESS_INVALID` for a row that somebody else has written */
export function readRange(key: RunKey, row: TextRow): StoredRange {
  const [id, number, after, until, state, mac, ...counted] = row
  const bounds = { number: Number(number), after: keyOf(after), until: keyOf(until) }
  const range = { id: id!, ...bounds, state: state as RangeState, progress: progressOf(counted) }
  if (key.isMac(mac, 'range', contentOf(range, range.progress, state === 'done'))) return range
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

function keyOf(json: string | null | undefined): string[] | null {
  return json == null ? null : JSON.parse(json)
}
