import { type PgConnection, runSql } from './sql.js'

/**
 * When the database server was started. It is another one's time once a replica has taken its place, or a backup, which
 * may lack what a run has written.
 */
export async function serverStart(database: PgConnection): Promise<string> {
  const [row] = await runSql<'started'>(database, 'SELECT pg_postmaster_start_time()::text AS started')
  return row!.started!
}
