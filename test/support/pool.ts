import pg from 'pg'

/** A pool has ended before its connections have, and those are cut when the database is dropped: that is no failure. */
export function openPool(connectionString: string, options: pg.PoolConfig = {}): pg.Pool {
  return new pg.Pool({ connectionString, ...options }).on('error', () => {})
}
