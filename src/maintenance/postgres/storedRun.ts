import { isDeepStrictEqual } from 'node:util'
import { progressError } from '../jobs/progressError.js'
import type { Progress, RunTask } from '../jobs/progressStore.js'
import type { RunKey } from '../jobs/runKey.js'
import type { RunKeyring } from '../jobs/runKeyring.js'
import { orderIn, type WorkOrder } from '../jobs/workOrder.js'
import { type ProgressColumn, progressOf, progressOn } from './progressTables.js'
import type { TextRow } from './sql.js'

/** A row of fieldseal.progress that a holder of the KMS has written. */
export interface StoredRun {
  readonly id: string
  readonly key: RunKey
  readonly task: RunTask
  readonly state: 'running' | 'done' | 'dropped'
  readonly progress: Progress
  readonly order: WorkOrder | null
}

/** The columns that `readRun` reads, of the row `p`. */
export const RUN_COLUMNS = `p.id AS run_id, p.operation, p.model, to_json(p.fields) AS fields, p.tenant, p.state AS run_state, p.run_key,
  p.work_order, p.mac AS run_mac, (SELECT count(*) FROM fieldseal.ranges WHERE run = p.id) AS range_count, ${progressOn('p', 'run')}`

export type RunColumn =
  | ('run_id' | 'operation' | 'model' | 'fields' | 'tenant' | 'run_state' | 'run_key' | 'work_order' | 'run_mac')
  | 'range_count'
  | ProgressColumn<'run'>

/** @throws FieldsealError `PROGRESS_INVALID` for a row that somebody else has written, `KMS_*` */
export async function readRun(keys: RunKeyring, row: TextRow<RunColumn>): Promise<StoredRun> {
  const { run_id: id, operation, model, fields, tenant, run_state: state } = row
  const task = { operation, model, fields: JSON.parse(fields!), tenant: tenant ?? undefined } as RunTask
  const progress = progressOf(row, 'run')
  const key = await keys.open(JSON.parse(row.run_key!))
  if (!key.isMac(row.run_mac, 'progress', contentOf(task, progress, state === 'done')))
    throw progressError(`run ${id} was changed`)
  const run = { id: id!, key, task, state: state as StoredRun['state'], progress }
  return { ...run, order: orderOf(run, row.work_order, Number(row.range_count)) }
}

/**
 * That of a run which this process has begun or taken up.
 *
 * @throws FieldsealError as `readRun`; `PROGRESS_INVALID` too where it is gone or another one is in its place
 */
export async function readOwnRun(
  keys: RunKeyring,
  { id, key }: Pick<StoredRun, 'id' | 'key'>,
  row: TextRow<RunColumn> | undefined,
): Promise<StoredRun> {
  if (row === undefined) throw progressError(`run ${id} was deleted`)
  if (!isDeepStrictEqual(JSON.parse(row.run_key!), key.stored)) throw progressError(`the key of run ${id} was changed`)
  return readRun(keys, row)
}

export function macOfRun(key: RunKey, task: RunTask, progress: Progress, done: boolean): string {
  return key.mac('progress', contentOf(task, progress, done))
}

/** What the state is beside being done decides nothing: a run is taken up, or another is begun. */
function contentOf(task: RunTask, progress: Progress, done: boolean): unknown {
  const { tenant = null } = task
  return { ...task, tenant, done, progress }
}

function orderOf({ id, key, state }: Omit<StoredRun, 'order'>, text: string | null, ranges: number): WorkOrder | null {
  const order = text === null ? null : orderIn(key, text)
  if (order === null && text !== null) throw progressError(`the order to workers of run ${id} was changed`)
  if (state === 'running' && ranges !== (order?.ranges ?? 0))
    throw progressError(`ranges of run ${id} are missing or too many`)
  return order
}
