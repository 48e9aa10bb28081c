import type { Progress, ProgressRecord, ProgressStore } from '../maintenance/progressStore.js'
import { createTables, progressOf, progressOn, recordIn } from './progressTables.js'
import { type PgConnection, runSql } from './sql.js'

const SAME_TASK = `operation = $1 AND model = $2 AND fields = $3::text[] AND tenant IS NOT DISTINCT FROM $4`

/**
 * Keeps the progress of runs in the table `fieldseal.progress`, which it makes at first use.
 *
 * @throws FieldsealError `DATABASE_UNAVAILABLE`
 */
export function postgresProgress(database: PgConnection): ProgressStore {
  return {
    async open(task, restart) {
      await createTables(database)
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

async function resume(database: PgConnection, values: readonly unknown[]): Promise<ProgressRecord | null> {
  const [row] = await runSql(
    database,
    `SELECT id, ${progressOn('p')} FROM fieldseal.progress p
     WHERE state = 'running' AND ${SAME_TASK} ORDER BY id DESC LIMIT 1`,
    values,
  )
  if (!row) return null
  const [id, ...progress] = row
  return runRecord(database, id!, progressOf(progress))
}

async function begin(database: PgConnection, values: readonly unknown[]): Promise<ProgressRecord> {
  const insert =
    'INSERT INTO fieldseal.progress (operation, model, fields, tenant) VALUES ($1, $2, $3, $4) RETURNING id'
  const [row] = await runSql(database, insert, values)
  return runRecord(database, row![0]!, null)
}

function runRecord(database: PgConnection, id: string, saved: Progress | null): ProgressRecord {
  return recordIn({ database, table: 'fieldseal.progress', id, unfinished: 'running' }, saved)
}
