import { pause } from '../rows/batchSize.js'
import { type PgConnection, runSql } from './sql.js'

/** Between two looks, in milliseconds. */
const SHORTEST = 50
const LONGEST = 2_000

/**
 * All transactions of this database, also of those who only read, and prepared ones. Each holds a lock on itself, which
 * everybody may see. VACUUM sees no rows as they were and writes none.
 */
const OPEN = `
  SELECT DISTINCT l.virtualtransaction AS id FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
  WHERE l.locktype IN ('virtualxid', 'transactionid') AND l.mode = 'ExclusiveLock' AND l.pid IS DISTINCT FROM pg_backend_pid()
    AND NOT EXISTS (SELECT FROM pg_stat_progress_vacuum v WHERE v.pid = l.pid)
    AND CASE WHEN l.pid IS NOT NULL THEN a.datname = current_database()
      ELSE EXISTS (SELECT FROM pg_prepared_xacts p WHERE p.database = current_database() AND p.transaction = l.transactionid) END`

export interface TransactionWait {
  readonly signal: AbortSignal | undefined
  /** Told of how many it waits for, when it begins to. */
  readonly onWait: (count: number) => void
}

/**
 * Waits until every transaction that is open now has ended: whatever one of them has written can be seen then, and nobody
 * sees rows any more as they were before now.
 */
export async function openTransactionsEnd(database: PgConnection, { signal, onWait }: TransactionWait): Promise<void> {
  let waitsFor = await openTransactions(database)
  if (waitsFor.size > 0) onWait(waitsFor.size)
  for (let wait = SHORTEST; waitsFor.size > 0 && !signal?.aborted; wait = Math.min(LONGEST, wait * 2)) {
    await pause(wait, signal)
    const open = await openTransactions(database)
    waitsFor = new Set([...waitsFor].filter((id) => open.has(id)))
  }
}

async function openTransactions(database: PgConnection): Promise<Set<string>> {
  return new Set((await runSql<'id'>(database, OPEN, [])).map(({ id }) => id!))
}
