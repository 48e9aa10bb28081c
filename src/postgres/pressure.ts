import { FieldsealError } from '../errors.js'
import type { MaxLag, Pressure, Strain } from '../maintenance/pressure.js'
import { type PgConnection, runSql } from './sql.js'

/** Sessions that touch the table and wait for a lock of any kind: of the table, of a row, of another transaction. */
const WAITING = `
  SELECT count(DISTINCT w.pid) FROM pg_locks w JOIN pg_locks t ON t.pid = w.pid
  WHERE NOT w.granted AND t.relation = to_regclass($1) AND t.database = (SELECT oid FROM pg_database WHERE datname = current_database())`

/** The standby that is furthest behind. One that is not behind has no time, or an old one. */
const LAG = `
  SELECT application_name, b.behind, CASE WHEN b.behind = 0 THEN 0 ELSE coalesce(extract(epoch FROM replay_lag), 0) END AS seconds,
    pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')::text
  FROM (SELECT 1) one
  LEFT JOIN pg_stat_replication ON state IS NULL OR state IN ('streaming', 'catchup')
  LEFT JOIN LATERAL (SELECT greatest(0, pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)) AS behind) b ON TRUE`

/**
 * What a run that writes a table should hold back for.
 *
 * @param table its name in SQL
 */
export function postgresPressure(database: PgConnection, table: string, maxLag: MaxLag | undefined): Pressure {
  return {
    measure: async () => (await waiting(database, table)) ?? (maxLag ? await lag(database, maxLag) : null),
  }
}

async function waiting(database: PgConnection, table: string): Promise<Strain | null> {
  const [row] = await runSql(database, WAITING, [table])
  const sessions = Number(row![0])
  if (sessions === 0) return null
  return {
    cause: 'locks',
    what: `${sessions === 1 ? '1 session waits' : `${sessions} sessions wait`} for locks on ${table}`,
  }
}

async function lag(database: PgConnection, maxLag: MaxLag): Promise<Strain | null> {
  const standbys = await runSql(database, LAG)
  if (standbys[0]?.[3] !== 'true') {
    const message =
      'the database’s user may not see how far standbys are: GRANT pg_read_all_stats to it, or leave the largest lag out'
    throw new FieldsealError('OPTIONS_INVALID', message)
  }
  for (const [name, bytes, seconds] of standbys) {
    const [behind, most, unit] =
      'seconds' in maxLag ? [Number(seconds), maxLag.seconds, 's'] : [Number(bytes), maxLag.bytes, ' bytes']
    if (behind > most) return { cause: 'lag', what: `the standby ${name} is ${Math.round(behind)}${unit} behind` }
  }
  return null
}
