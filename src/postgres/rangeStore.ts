import type { ErrorCode } from '../errors.js'
import type { Operation } from '../maintenance/operation.js'
import type { Overview, RangeFailure, RangeNews, RangeStore, RangeWork } from '../maintenance/ranges.js'
import { progressOf, progressOn, recordIn } from './progressTables.js'
import { type PgConnection, runSql, type TextRow } from './sql.js'

/** What a run and its ranges come to. */
const SUMS = ['scanned', 'changed', 'conflicts', 'skipped'].map(
  (name) => `p.${name} + (SELECT coalesce(sum(${name}), 0) FROM fieldseal.ranges r WHERE r.run = p.id) AS ${name}`,
)

/** Ranges in the table `fieldseal.ranges`, each a row with its bounds and how far it is. */
export function postgresRanges(database: PgConnection): RangeStore {
  return {
    divide: async (run, ranges) => {
      const bounds = JSON.stringify(ranges.map(({ after, until }) => [after, until]))
      await runSql(
        database,
        `INSERT INTO fieldseal.ranges (run, number, begins_after, ends_with, cursor)
         SELECT $1, b.number, ${keyIn('b.value -> 0')}, ${keyIn('b.value -> 1')}, ${keyIn('b.value -> 0')}
         FROM jsonb_array_elements($2::jsonb) WITH ORDINALITY b(value, number)
         WHERE NOT EXISTS (SELECT FROM fieldseal.ranges WHERE run = $1)`,
        [run, bounds],
      )
    },
    reopen: async (run) => {
      await runSql(
        database,
        `UPDATE fieldseal.ranges SET state = 'waiting' WHERE run = $1 AND state IN ('stopped', 'failed')`,
        [run],
      )
      const [found] = await runSql(database, 'SELECT EXISTS (SELECT FROM fieldseal.ranges WHERE run = $1)::text', [run])
      return found![0] === 'true'
    },
    overview: (run) => overview(database, run),
    news: (run, since) => news(database, run, since),
    take: (range) => take(database, range),
    stop: async (range, problem) => {
      await runSql(database, `UPDATE fieldseal.ranges SET state = 'stopped', failure = $2::jsonb WHERE id = $1`, [
        range,
        JSON.stringify(problem),
      ])
    },
    fail: async ({ range, code, message }, final) => {
      await runSql(
        database,
        `UPDATE fieldseal.ranges SET state = CASE WHEN $3::boolean THEN 'failed' ELSE state END, failure = $2::jsonb,
         failures = failures + 1, updated_at = now() WHERE id = $1 AND state <> 'done'`,
        [range, JSON.stringify({ code, message }), final],
      )
    },
    finish: async (run) => {
      const [row] = await runSql(
        database,
        `WITH s AS (
           SELECT ${SUMS}, p.problems || (
             SELECT coalesce(jsonb_path_query_array(jsonb_agg(problems ORDER BY number), '$[*][*]'), '[]')
             FROM fieldseal.ranges WHERE run = $1) AS problems
           FROM fieldseal.progress p WHERE id = $1
         ), d AS (DELETE FROM fieldseal.ranges WHERE run = $1 AND (SELECT state FROM fieldseal.progress WHERE id = $1) = 'running')
         UPDATE fieldseal.progress p SET state = 'done', updated_at = now(), scanned = s.scanned, changed = s.changed,
           conflicts = s.conflicts, skipped = s.skipped, problems = s.problems
         FROM s WHERE p.id = $1 RETURNING ${progressOn('p')}`,
        [run],
      )
      return progressOf(row!)
    },
  }
}

/** A key as an array of texts; NULL for the JSON null. */
function keyIn(json: string): string {
  return `CASE WHEN jsonb_typeof(${json}) = 'array' THEN ARRAY(SELECT jsonb_array_elements_text(${json})) END`
}

async function overview(database: PgConnection, run: string): Promise<Overview> {
  const [sums] = await runSql(database, `SELECT p.state, ${SUMS} FROM fieldseal.progress p WHERE id = $1`, [run])
  const left = await runSql(
    database,
    `SELECT id, state, failure ->> 'code', failure ->> 'message', failure FROM fieldseal.ranges WHERE run = $1 AND state <> 'done' ORDER BY number`,
    [run],
  )
  const [state, ...counts] = sums!
  const [scanned, changed, conflicts, skipped] = counts.map(Number)
  return {
    state: state as Overview['state'],
    counts: { scanned: scanned!, changed: changed!, conflicts: conflicts!, skipped: skipped! },
    waiting: left.filter(([, state]) => state === 'waiting').map(([id]) => id!),
    stopped: left.filter(([, state]) => state === 'stopped').map((row) => JSON.parse(row[4]!)),
    failed: left.filter(([, state]) => state === 'failed').map((row) => failureOf(row[0]!, row[2]!, row[3]!)!),
  }
}

async function news(database: PgConnection, run: string, since: string | null) {
  const rows = await runSql(
    database,
    `SELECT n.at, r.id, r.problems, r.failure ->> 'code', r.failure ->> 'message', r.failures
     FROM (SELECT now() AS at) n LEFT JOIN fieldseal.ranges r
     ON r.run = $1 AND r.updated_at >= coalesce($2::timestamptz - interval '5 s', '-infinity') AND (r.skipped > 0 OR r.failures > 0)
     ORDER BY r.number`,
    [run, since],
  )
  const found = rows.filter(([, id]) => id !== null)
  return { at: rows[0]![0]!, news: found.map(newsOf) }
}

function newsOf([, id, problems, code, message, failures]: TextRow): RangeNews {
  const failure = failureOf(id!, code!, message!)
  return { range: id!, problems: JSON.parse(problems!), failure, failures: Number(failures) }
}

function failureOf(range: string, code: string | null, message: string | null): RangeFailure | null {
  return code === null ? null : { range, code: code as ErrorCode, message: message ?? '' }
}

async function take(database: PgConnection, range: string): Promise<RangeWork | null> {
  const [row] = await runSql(
    database,
    `SELECT p.id, p.operation, p.model, to_json(p.fields), p.tenant, r.number,
       (SELECT count(*) FROM fieldseal.ranges WHERE run = p.id), to_json(r.begins_after), to_json(r.ends_with),
       ${progressOn('r')}
     FROM fieldseal.ranges r JOIN fieldseal.progress p ON p.id = r.run
     WHERE r.id = $1 AND r.state = 'waiting' AND p.state = 'running'`,
    [range],
  )
  if (!row) return null
  const [run, operation, model, fields, tenant, number, of, after, until, ...progress] = row
  const saved = progressOf(progress)
  return {
    run: run!,
    number: Number(number),
    of: Number(of),
    task: {
      operation: operation as Operation,
      model: model!,
      fields: JSON.parse(fields!),
      tenant: tenant ?? undefined,
    },
    after: after === null ? null : JSON.parse(after!),
    until: until === null ? null : JSON.parse(until!),
    record: recordIn({ database, table: 'fieldseal.ranges', id: range, unfinished: 'waiting' }, saved),
  }
}
