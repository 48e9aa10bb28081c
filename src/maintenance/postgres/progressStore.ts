import type { OpenRun, Progress, ProgressStore, RunTask } from '../jobs/progressStore.js'
import type { RunKey } from '../jobs/runKey.js'
import type { RunKeyring } from '../jobs/runKeyring.js'
import type { WorkOrder } from '../jobs/workOrder.js'
import { createTables, NOTHING_YET, progressRecord } from './progressTables.js'
import { arrayLiteral, type PgConnection, quoteText, runScript, runSql } from './sql.js'
import { macOfRun, RUN_COLUMNS, type RunColumn, readRun } from './storedRun.js'

/** What a task is, as SQL has it: placeholders or literals. */
type TaskInSql = readonly [operation: string, model: string, fields: string, tenant: string]

function sameTask([operation, model, fields, tenant]: TaskInSql): string {
  return `operation = ${operation} AND model = ${model} AND fields = ${fields} AND tenant IS NOT DISTINCT FROM ${tenant}`
}

const SAME_TASK = sameTask(['$1', '$2', '$3::text[]', '$4'])

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
      for (;;) {
        const run = (await resume(database, keys, task)) ?? (await begin(database, await keys.make(), task))
        if (run) return run
      }
    },
  }
}

function valuesOf({ operation, model, fields, tenant }: RunTask): unknown[] {
  return [operation, model, fields, tenant ?? null]
}

async function resume(database: PgConnection, keys: RunKeyring, task: RunTask): Promise<OpenRun | null> {
  const [row] = await runSql<RunColumn>(
    database,
    `SELECT ${RUN_COLUMNS} FROM fieldseal.progress p WHERE state = 'running' AND ${SAME_TASK} ORDER BY id DESC LIMIT 1`,
    valuesOf(task),
  )
  if (!row) return null
  const { id, key, progress, order } = await readRun(keys, row)
  return openRun(database, { id, key, task, saved: progress, order })
}

/**
 * Begins a run, one command at a time.
 *
 * @returns `null` when another command has begun the same in the meantime: two runs would each leave rows to the other
 */
async function begin(database: PgConnection, key: RunKey, task: RunTask): Promise<OpenRun | null> {
  const mac = macOfRun(key, task, NOTHING_YET, false)
  const values = [...literalsOf(task), `${quoteText(JSON.stringify(key.stored))}::jsonb`, quoteText(mac)]
  const [row] = await runScript<'id'>(database, [
    "SELECT set_config('lock_timeout', '0', true)",
    "SELECT pg_advisory_xact_lock(hashtext('fieldseal.progress'))",
    `INSERT INTO fieldseal.progress (operation, model, fields, tenant, run_key, mac) SELECT ${values}
     WHERE NOT EXISTS (SELECT FROM fieldseal.progress WHERE state = 'running' AND ${sameTask(literalsOf(task))})
     RETURNING id`,
  ])
  return row ? openRun(database, { id: row.id!, key, task, saved: null, order: null }) : null
}

/** Statements that are sent together take no parameters. */
function literalsOf({ operation, model, fields, tenant }: RunTask): TaskInSql {
  const list = `${quoteText(arrayLiteral(fields))}::text[]`
  return [quoteText(operation), quoteText(model), list, tenant === undefined ? 'NULL::text' : quoteText(tenant)]
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
