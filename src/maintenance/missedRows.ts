import { postgresRows } from './postgres/rowSource.js'
import type { Operation } from './rows/operation.js'
import { TableLocked } from './rows/rowSource.js'
import type { RunReport } from './rows/run.js'
import { Statements } from './rows/statements.js'
import type { RunOptions, TableRun } from './tableRun.js'

/** After which no row is left to do but those with problems. The others go over every row, always. */
const LEAVES_NONE: ReadonlySet<Operation> = new Set(['encrypt', 're-encrypt', 'decrypt'])

/**
 * Looks for rows that a run has left out. One that went on with an earlier one: that may have been put back by somebody
 * who kept its genuine row, or be older than the latest rotation. Or one under which the database server was exchanged:
 * the new one may lack what had been written.
 */
export async function withMissed(
  tableRun: TableRun,
  { signal, onWait }: RunOptions,
  report: RunReport,
): Promise<RunReport> {
  const { database, operation, target, keys, tenant } = tableRun
  if (!LEAVES_NONE.has(operation)) return report
  const source = await postgresRows({ database, operation, ...target, keys, tenant })
  const statements = new Statements(target.model.name, signal, onWait ?? (() => {}))
  const remaining = await statements.run(() => source.countRemaining()).catch(ignoreLocked)
  if (remaining === null) return report
  return { ...report, missed: Math.max(0, remaining - report.skipped) }
}

/** It was interrupted while the table was locked: the run has ended all the same. */
function ignoreLocked(error: unknown): null {
  if (error instanceof TableLocked) return null
  throw error
}
