import { progressError } from '../jobs/progressError.js'
import type { OpenRun, Progress } from '../jobs/progressStore.js'
import type { KeyRange, RangeChange, RangeState, RangeStore, RangeWork, RunOverview } from '../jobs/ranges.js'
import type { RunKeyring } from '../jobs/runKeyring.js'
import { textOfOrder, type WorkOrder } from '../jobs/workOrder.js'
import { finishRun } from './finishRun.js'
import { NOTHING_YET, progressRecord } from './progressTables.js'
import { FAILURE_COLUMNS, failureIn, problemIn, textOfStop } from './rangeFailure.js'
import { type PgConnection, runSql } from './sql.js'
import { macOfRange, RANGE_COLUMNS, type RangeColumn, readRange } from './storedRange.js'
import { RUN_COLUMNS, type RunColumn, readOwnRun, readRun } from './storedRun.js'

/** Ranges in the table `fieldseal.ranges`, each a row with its bounds and how far it is. */
export function postgresRanges(database: PgConnection, keys: RunKeyring): RangeStore {
  return {
    divide: (run, ranges, order) => divide(database, run, ranges, order),
    instruct: async ({ id, key }, order) => {
      const values = [id, textOfOrder(key, order)]
      await runSql(database, 'UPDATE fieldseal.progress SET work_order = $2 WHERE id = $1', values)
    },
    reopen: async ({ id }) => {
      const again = `UPDATE fieldseal.ranges SET state = 'waiting' WHERE run = $1 AND state IN ('stopped', 'failed')`
      await runSql(database, again, [id])
    },
    overview: (run) => overview(database, keys, run),
    unfinished: async ({ id }) => {
      const rows = await runSql<'id'>(database, `SELECT id FROM fieldseal.ranges WHERE run = $1 AND state <> 'done'`, [
        id,
      ])
      return rows.map(({ id: range }) => range!)
    },
    changes: (run, since) => changesSince(database, run, since),
    take: (range) => takeRange(database, keys, range),
    stop: async (work, problem) => {
      const stop = `UPDATE fieldseal.ranges SET state = 'stopped', failure = $2::jsonb WHERE id = $1`
      await runSql(database, stop, [work.id, textOfStop(work.key, work.number, problem)])
    },
    fail: async ({ range, code, message }, final) => {
      await runSql(
        database,
        `UPDATE fieldseal.ranges SET state = CASE WHEN $3::boolean THEN 'failed' ELSE state END, failure = $2::jsonb,
         failures = failures + 1, updated_at = now() WHERE id = $1 AND state <> 'done'`,
        [range, JSON.stringify({ code, message }), final],
      )
    },
    finish: (run) => finishRun(database, keys, run),
  }
}

async function divide(
  database: PgConnection,
  { id, key }: OpenRun,
  ranges: readonly KeyRange[],
  order: WorkOrder,
): Promise<void> {
  const rows = ranges.map(({ after, until }, i) => {
    const mac = macOfRange(key, { number: i + 1, after, until }, { ...NOTHING_YET, cursor: after }, false)
    return [after, until, mac]
  })
  // The order and the ranges that it counts are there at once.
  await runSql(
    database,
    `WITH r AS (
       INSERT INTO fieldseal.ranges (run, number, begins_after, ends_with, cursor, mac)
       SELECT $1::bigint, b.number, ${keyIn('b.value -> 0')}, ${keyIn('b.value -> 1')}, ${keyIn('b.value -> 0')}, b.value ->> 2
       FROM jsonb_array_elements($2::jsonb) WITH ORDINALITY b(value, number))
     UPDATE fieldseal.progress SET work_order = $3 WHERE id = $1::bigint`,
    [id, JSON.stringify(rows), textOfOrder(key, order)],
  )
}

/** A key as an array of texts; NULL for the JSON null. */
function keyIn(json: string): string {
  return `CASE WHEN jsonb_typeof(${json}) = 'array' THEN ARRAY(SELECT jsonb_array_elements_text(${json})) END`
}

const COUNTS = ['scanned', 'changed', 'conflicts', 'skipped'] as const
/** What the counts of all ranges come to. */
const SUMS = COUNTS.map(
  (name) => `p.${name} + (SELECT coalesce(sum(${name}), 0) FROM fieldseal.ranges r WHERE r.run = p.id) AS ${name}`,
)

async function overview(database: PgConnection, keys: RunKeyring, run: OpenRun): Promise<RunOverview> {
  const columns = `${SUMS}, ${RUN_COLUMNS}`
  const [row] = await runSql<(typeof COUNTS)[number] | RunColumn>(
    database,
    `SELECT ${columns} FROM fieldseal.progress p WHERE id = $1`,
    [run.id],
  )
  const { state, order } = await readOwnRun(keys, run, row)
  if (order === null) throw progressError(`the order to workers of run ${run.id} was taken away`)
  const { scanned, changed, conflicts, skipped } = row!
  return {
    state,
    order,
    counts: {
      scanned: Number(scanned),
      changed: Number(changed),
      conflicts: Number(conflicts),
      skipped: Number(skipped),
    },
    ...(await unfinished(database, run)),
  }
}

async function unfinished(
  database: PgConnection,
  { id, key }: OpenRun,
): Promise<Pick<RunOverview, 'waiting' | 'stopped' | 'failed'>> {
  const rows = await runSql<'state' | 'id' | 'number' | 'failure' | 'code' | 'message'>(
    database,
    `SELECT state, id, number, failure, ${FAILURE_COLUMNS} FROM fieldseal.ranges WHERE run = $1 AND state <> 'done' ORDER BY number`,
    [id],
  )
  const of = (state: RangeState) => rows.filter((row) => row.state === state)
  return {
    waiting: of('waiting').map(({ id: range }) => range!),
    stopped: of('stopped').map(({ number, failure }) => problemIn(key, Number(number), failure)),
    failed: of('failed').map(({ id: range, code, message }) => failureIn(range!, code ?? '', message)!),
  }
}

async function changesSince(database: PgConnection, { id, key }: OpenRun, since: string | null) {
  const rows = await runSql<'at' | 'code' | 'message' | 'failures' | RangeColumn>(
    database,
    `SELECT n.at, ${FAILURE_COLUMNS}, r.failures, ${RANGE_COLUMNS}
     FROM (SELECT now() AS at) n LEFT JOIN fieldseal.ranges r
     ON r.run = $1 AND r.updated_at >= coalesce($2::timestamptz - interval '5 s', '-infinity') AND (r.skipped > 0 OR r.failures > 0)
     ORDER BY r.number`,
    [id, since],
  )
  return {
    at: rows[0]!.at!,
    changes: rows
      .filter(({ range_id: range }) => range !== null)
      .map((row): RangeChange => {
        const { id: range, progress } = readRange(key, row)
        const failure = failureIn(range, row.code, row.message)
        return { range, problems: progress.problems, failure, failures: Number(row.failures) }
      }),
  }
}

async function takeRange(database: PgConnection, keys: RunKeyring, range: string): Promise<RangeWork | null> {
  const [row] = await runSql<RunColumn | RangeColumn>(
    database,
    `SELECT ${RUN_COLUMNS}, ${RANGE_COLUMNS} FROM fieldseal.ranges r JOIN fieldseal.progress p ON p.id = r.run
     WHERE r.id = $1 AND r.state = 'waiting' AND p.state = 'running'`,
    [range],
  )
  if (!row) return null
  const { id: run, key, task, order } = await readRun(keys, row)
  if (order === null) throw progressError(`no command has given run ${run} to workers`)
  const { number, after, until, progress } = readRange(key, row)
  const macOf = (progress: Progress, done: boolean) => macOfRange(key, { number, after, until }, progress, done)
  const record = progressRecord(
    { database, table: 'fieldseal.ranges', id: range, unfinished: 'waiting', macOf },
    progress,
  )
  return { id: range, run, key, number, of: order.ranges, task, order, after, until, record }
}
