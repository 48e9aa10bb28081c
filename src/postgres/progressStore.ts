import type { Progress, ProgressRecord, ProgressStore } from '../maintenance/progressStore.js'
import { type PgConnection, runSql } from './sql.js'

/** Runs of maintenance and how far they are. In a schema of its own, Prisma does not see it and reports no drift. */
const CREATE = `
  CREATE SCHEMA IF NOT EXISTS fieldseal;
  CREATE TABLE IF NOT EXISTS fieldseal.progress (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    operation text NOT NULL,
    model text NOT NULL,
    fields text[] NOT NULL,
    tenant text,
    state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'dropped')),
    cursor text[],
    scanned bigint NOT NULL DEFAULT 0,
    changed bigint NOT NULL DEFAULT 0,
    conflicts bigint NOT NULL DEFAULT 0,
    skipped bigint NOT NULL DEFAULT 0,
    problems jsonb NOT NULL DEFAULT '[]',
    started_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
  )`

const SAME_TASK = `operation = $1 AND model = $2 AND fields = $3::text[] AND tenant IS NOT DISTINCT FROM $4`

/**
 * Keeps the progress of runs in the table `fieldseal.progress`, which it makes at first use.
 *
 * @throws FieldsealError `DATABASE_UNAVAILABLE`
 */
export function postgresProgress(database: PgConnection): ProgressStore {
  return {
    async open(task, restart) {
      await createTable(database)
      const values = [task.operation, task.model, task.fields, task.tenant ?? null]
      if (restart)
        await runSql(
          database,
          `UPDATE fieldseal.progress SET state = 'dropped' WHERE state = 'running' AND ${SAME_TASK}`,
          values,
        )
      return (await resume(database, values)) ?? (await begin(database, values))
    },
  }
}

/** Two that create it at once disturb each other, though both say IF NOT EXISTS. */
async function createTable(database: PgConnection): Promise<void> {
  const [found] = await runSql(database, `SELECT to_regclass('fieldseal.progress')`)
  if (found?.[0]) return
  const lock = `SELECT pg_advisory_xact_lock(hashtext('fieldseal.progress'))`
  await runSql(database, `DO $$ BEGIN PERFORM 1 FROM (${lock}) l; ${CREATE}; END $$`)
}

async function resume(database: PgConnection, values: readonly unknown[]): Promise<ProgressRecord | null> {
  const [row] = await runSql(
    database,
    `SELECT id, array_to_json(cursor), scanned, changed, conflicts, skipped, problems FROM fieldseal.progress
     WHERE state = 'running' AND ${SAME_TASK} ORDER BY id DESC LIMIT 1`,
    values,
  )
  if (!row) return null
  const [id, cursor, scanned, changed, conflicts, skipped, problems] = row
  return record(database, id!, {
    cursor: cursor === null ? null : JSON.parse(cursor!),
    scanned: Number(scanned),
    changed: Number(changed),
    conflicts: Number(conflicts),
    skipped: Number(skipped),
    problems: JSON.parse(problems!),
  })
}

async function begin(database: PgConnection, values: readonly unknown[]): Promise<ProgressRecord> {
  const insert =
    'INSERT INTO fieldseal.progress (operation, model, fields, tenant) VALUES ($1, $2, $3, $4) RETURNING id'
  const [row] = await runSql(database, insert, values)
  return record(database, row![0]!, null)
}

function record(database: PgConnection, id: string, saved: Progress | null): ProgressRecord {
  const write = async (state: string, progress: Progress): Promise<void> => {
    const { cursor, scanned, changed, conflicts, skipped, problems } = progress
    await runSql(
      database,
      `UPDATE fieldseal.progress SET state = $2, cursor = $3, scanned = $4, changed = $5, conflicts = $6, skipped = $7,
       problems = $8, updated_at = now() WHERE id = $1`,
      [id, state, cursor, scanned, changed, conflicts, skipped, JSON.stringify(problems)],
    )
  }
  return { saved, save: (progress) => write('running', progress), finish: (progress) => write('done', progress) }
}
