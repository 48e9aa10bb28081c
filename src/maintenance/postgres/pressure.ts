import { FieldsealError } from '../../errors.js'
import type { MaxLag, Pressure, Strain } from '../rows/pressure.js'
import { type PgConnection, runSql } from './sql.js'

/** Sessions that touch the table and wait for a lock of any kind: of the table, of a row, of another transaction. */
const WAITING = `
  SELECT count(DISTINCT w.pid) AS sessions FROM pg_locks w JOIN pg_locks t ON t.pid = w.pid
  WHERE NOT w.granted AND t.relation = to_regclass($1) AND t.database = (SELECT oid FROM pg_database WHERE datname = current_database())`

/** Places in the write-ahead log, as numbers: where it ends, and how far each standby shows it. */
const STANDBYS = `
  SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') AS log_end, application_name AS name,
    pg_wal_lsn_diff(replay_lsn, '0/0') AS shown, coalesce(extract(epoch FROM replay_lag), 0) AS seconds,
    pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')::text AS may_see
  FROM (SELECT) one LEFT JOIN pg_stat_replication ON state IS NULL OR state IN ('streaming', 'catchup')`

/**
 * What a run that writes a table should hold back for.
 *
 * @param table its name in SQL
 */
export function postgresPressure(database: PgConnection, table: string, maxLag: MaxLag | undefined): Pressure {
  const lag = maxLag && new Lag(database, maxLag)
  return { measure: async () => (await waiting(database, table)) ?? (lag ? await lag.measure() : null) }
}

async function waiting(database: PgConnection, table: string): Promise<Strain | null> {
  const [row] = await runSql<'sessions'>(database, WAITING, [table])
  const sessions = Number(row!.sessions)
  if (sessions === 0) return null
  const who = sessions === 1 ? '1 session waits' : `${sessions} sessions wait`
  return { cause: 'locks', what: `${who} for locks on ${table}` }
}

/** Samples that are kept: some minutes. */
const KEPT = 1_000

/** How far standbys are behind. */
class Lag {
  /** When the log ended where. PostgreSQL's own times stand still for a standby that does. */
  readonly #ends: { readonly at: number; readonly end: number }[] = []

  constructor(
    private readonly database: PgConnection,
    private readonly max: MaxLag,
  ) {}

  async measure(): Promise<Strain | null> {
    const standbys = await runSql<'log_end' | 'name' | 'shown' | 'seconds' | 'may_see'>(this.database, STANDBYS)
    if (standbys[0]?.may_see !== 'true') throw mayNotSee()
    const at = performance.now()
    this.#ends.push({ at, end: Number(standbys[0].log_end) })
    if (this.#ends.length > KEPT) this.#ends.shift()
    for (const { log_end: end, name, shown, seconds } of standbys) {
      if (shown === null) continue
      const behind = Math.max(0, Number(end) - Number(shown))
      const late = behind === 0 ? 0 : Math.max(Number(seconds), this.#secondsSince(Number(shown), at))
      const text = `the standby ${name} is ${Math.round(late)} s and ${Math.round(behind)} bytes behind`
      if ('seconds' in this.max ? late > this.max.seconds : behind > this.max.bytes) return { cause: 'lag', what: text }
    }
    return null
  }

  /** How long ago the log went on from a place; at least, if that was before the first look. */
  #secondsSince(logEnd: number, now: number): number {
    const next = this.#ends.find(({ end }) => end > logEnd)
    return next === undefined ? 0 : (now - next.at) / 1000
  }
}

function mayNotSee(): FieldsealError {
  const message =
    'the database’s user may not see how far standbys are: GRANT pg_read_all_stats to it, or set no largest lag'
  return new FieldsealError('OPTIONS_INVALID', message)
}
