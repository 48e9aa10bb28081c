import { postgresRows } from './postgres/rowSource.js'
import type { Operation } from './rows/operation.js'
import { TableLocked } from './rows/rowSource.js'
import type { RunReport } from './rows/run.js'
import { Statements } from './rows/statements.js'
import type { Manner, ModelTask } from './tableRun.js'

/** After which no row is wanted any more but those with problems. The others want every row, always. */
const LEAVES_NONE: ReadonlySet<Operation> = new Set(['encrypt', 're-encrypt', 'decrypt'])

/**
 * Looks for rows that a run has left out which went on with an earlier one: that may have been put back by somebody who
 * kept its genuine row, or be older than the latest rotation.
 */
export async function withMissed(task: ModelTask, { signal, onWait }: Manner, report: RunReport): Promise<RunReport> {
  const { database, operation, one, keys, tenant } = task
  if (!LEAVES_NONE.has(operation)) return report
  const source = await postgresRows({ database, operation, ...one, keys, tenant })
  const statements = new Statements(one.model.name, signal, onWait ?? (() => {}))
  const wanted = await statements.run(() => source.wanted()).catch(whileLocked)
  if (wanted === null) return report
  return { ...report, missed: Math.max(0, wanted - report.skipped) }
}

/** It was interrupted while the table was locked: the run has ended all the same. */
function whileLocked(error: unknown): null {
  if (error instanceof TableLocked) return null
  throw error
}
