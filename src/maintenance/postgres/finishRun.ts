import { isDeepStrictEqual } from 'node:util'
import { progressError } from '../jobs/progressError.js'
import type { OpenRun, Progress } from '../jobs/progressStore.js'
import type { RunKeyring } from '../jobs/runKeyring.js'
import { type PgConnection, runSql } from './sql.js'
import { RANGE_COLUMNS, type RangeColumn, readRange, type StoredRange } from './storedRange.js'
import { macOfRun, RUN_COLUMNS, type RunColumn, readOwnRun } from './storedRun.js'

/**
 * Ends a run whose ranges are all done, and sees that they are: that there is each of those into which it was divided, that
 * one begins where the other ends, and that a worker has written of each that it is done.
 *
 * @throws FieldsealError `PROGRESS_INVALID`
 */
export async function finishRun(database: PgConnection, keys: RunKeyring, { id, key }: OpenRun): Promise<Progress> {
  const rows = await runSql<RunColumn | RangeColumn>(
    database,
    `SELECT ${RUN_COLUMNS}, ${RANGE_COLUMNS} FROM fieldseal.progress p LEFT JOIN fieldseal.ranges r ON r.run = p.id
     WHERE p.id = $1 ORDER BY r.number`,
    [id],
  )
  const run = await readOwnRun(keys, { id, key }, rows[0])
  // Another command that shares the run was first.
  if (run.state === 'done') return run.progress
  const ranges = rows.map((row) => readRange(key, row))
  checkWhole(ranges)
  const progress = sumOf(run.progress, ranges)
  const { scanned, changed, conflicts, skipped, problems } = progress
  await runSql(
    database,
    `WITH d AS (DELETE FROM fieldseal.ranges WHERE run = $1)
     UPDATE fieldseal.progress SET state = 'done', updated_at = now(), scanned = $2, changed = $3, conflicts = $4,
       skipped = $5, problems = $6, mac = $7 WHERE id = $1`,
    [id, scanned, changed, conflicts, skipped, JSON.stringify(problems), macOfRun(key, run.task, progress, true)],
  )
  return progress
}

/** How many there are, the order says. */
function checkWhole(ranges: readonly StoredRange[]): void {
  ranges.forEach(({ number, state, after }, i) => {
    const before = ranges[i - 1]
    const joins = before === undefined || (before.until !== null && isDeepStrictEqual(before.until, after))
    if (number !== i + 1 || state !== 'done' || !joins)
      throw progressError(`range ${number} of a run is not as it was left`)
  })
  if (ranges.at(-1)?.until !== null) throw progressError('the last range of a run is missing')
}

function sumOf(begun: Progress, ranges: readonly StoredRange[]): Progress {
  const all = [begun, ...ranges.map(({ progress }) => progress)]
  const sum = (count: 'scanned' | 'changed' | 'conflicts' | 'skipped') =>
    all.reduce((total, progress) => total + progress[count], 0)
  return {
    cursor: begun.cursor,
    scanned: sum('scanned'),
    changed: sum('changed'),
    conflicts: sum('conflicts'),
    skipped: sum('skipped'),
    problems: all.flatMap(({ problems }) => problems),
  }
}
