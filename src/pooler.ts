/** What is asked of a connection of the package `pg`, by structure. */
export interface AskedConnection {
  query(text: string): Promise<unknown>
}

/** Looks at whether a connection keeps its process; each costs three round trips, and only behind a pooler. */
const LOOKS = 5

/**
 * Whether a pooler hands connections on after each transaction, as PgBouncer does with `pool_mode = transaction`: then
 * locks of a session, LISTEN and SET reach connections of others, and stay there. It asks which process of PostgreSQL
 * answers, and changes nothing.
 *
 * @param another opens a second connection by the same way; closing it is the caller's business
 * @throws whatever the connections throw
 */
export async function isTransactionPooled(
  one: AskedConnection,
  another: () => Promise<AskedConnection>,
): Promise<boolean> {
  const own = await backendOf(one)
  if (own === announcedBackend(one)) return false
  const other = await another()
  for (let look = 0; look < LOOKS; look++) {
    // While this transaction holds the process that served the first connection, that one is given another.
    await other.query('BEGIN')
    try {
      if ((await backendOf(other)) === own || (await backendOf(one)) !== own) return true
    } finally {
      await other.query('ROLLBACK')
    }
  }
  return false
}

/** Whether something between answers for PostgreSQL: it announces processes of its own, for `pg` to cancel queries by. */
export async function isPooled(connection: AskedConnection): Promise<boolean> {
  return (await backendOf(connection)) !== announcedBackend(connection)
}

async function backendOf(connection: AskedConnection): Promise<number> {
  const { rows } = (await connection.query('SELECT pg_backend_pid()::text AS pid')) as { rows: { pid: string }[] }
  return Number(rows[0]!.pid)
}

/** `pg` keeps what the server announced; its types do not say so. */
function announcedBackend(connection: AskedConnection): unknown {
  return (connection as { readonly processID?: unknown }).processID
}
