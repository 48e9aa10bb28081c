import type { OpenRun, Progress, ProgressStore, RunTask } from '../jobs/progressStore.js'
import type { RunKey } from '../jobs/runKey.js'
import type { RunKeyring } from '../jobs/runKeyring.js'
import type { WorkOrder } from '../jobs/workOrder.js'
import { createTables, NOTHING_YET, progressRecord } from './progressTables.js'
import { type PgConnection, runSql } from './sql.js'
import { macOfRun, RUN_COLUMNS, readRun } from './storedRun.js'

const SAME_TASK = `operation = $1 AND model = $2 AND fields = $3::text[] AND tenant IS NOT DISTINCT FROM $4`

/**
 * Keeps the progress of runs in the table `fieldseal.progress`, which it makes at first use.
 *
 * @throws FieldsealError `DATABASE_UNAVAILABLE`
 */
export function postgresProgress(database: PgConnection, keys: RunKeyring): ProgressStore {
  return {
    async open(task, restart) {
      await createTables(database)
      if (restart)
        await runSql(
          database,
          `UPDATE fieldseal.progress SET state = 'dropped' WHERE state = 'running' AND ${SAME_TASK}`,
          valuesOf(task),
        )
      return (await resume(database, keys, task)) ?? (await begin(database, await keys.make(), task))
    },
  }
}

function valuesOf({ operation, model, fields, tenant }: RunTask): unknown[] {
  return [operation, model, fields, tenant ?? null]
}

async function resume(database: PgConnection, keys: RunKeyring, task: RunTask): Promise<OpenRun | null> {
  const [row] = await runSql(
    database,
    `SELECT ${RUN_COLUMNS} FROM fieldseal.progress p WHERE state = 'running' AND ${SAME_TASK} ORDER BY id DESC LIMIT 1`,
    valuesOf(task),
  )
  if (!row) return null
  const { id, key, progress, order } = await readRun(keys, row)
  return openRun(database, { id, key, task, saved: progress, order })
}

async function begin(database: PgConnection, key: RunKey, task: RunTask): Promise<OpenRun> {
  const insert =
    'INSERT INTO fieldseal.progress (operation, model, fields, tenant, run_key, mac) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id'
  const own = [JSON.stringify(key.stored), macOfRun(key, task, NOTHING_YET, false)]
  const [row] = await runSql(database, insert, [...valuesOf(task), ...own])
  return openRun(database, { id: row![0]!, key, task, saved: null, order: null })
}

interface Opened {
  readonly id: string
  readonly key: RunKey
  readonly task: RunTask
  readonly saved: Progress | null
  readonly order: WorkOrder | null
}

function openRun(database: PgConnection, { id, key, task, saved, order }: Opened): OpenRun {
  const macOf = (progress: Progress, done: boolean) => macOfRun(key, task, progress, done)
  const record = progressRecord({ database, table: 'fieldseal.progress', id, unfinished: 'running', macOf }, saved)
  return { ...record, id, key, order }
}
