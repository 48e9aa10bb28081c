import { FieldsealError } from '../../errors.js'
import { type AskedConnection, isTransactionPooled } from '../../pooler.js'
import { printable } from '../../printable.js'
import { type PgConnection, runSql } from './sql.js'

/** A `pg` Pool, by structure: statements, and connections of one's own. */
export interface PgPool extends PgConnection {
  connect(): Promise<PgPoolClient>
}

export interface PgPoolClient extends PgConnection {
  on(event: 'error', listener: (error: Error) => void): unknown
  release(destroy?: boolean): void
}

/** Classes of advisory locks, `fs` and a number. */
const PLANNING_LOCK = 0x66730001
const RUN_LOCK = 0x66730002
const RANGE_LOCK = 0x66730003
/** A machine that is gone without a word is noticed after about so many seconds. */
const KEEPALIVE = 20

/**
 * Who is at work, as locks of PostgreSQL that end with the connection that holds them: however a process dies, the
 * others know at once.
 */
export class WorkLocks {
  readonly #lost = new AbortController()
  #open = true
  readonly #onError = (error: Error) => this.#lost.abort(connectionLost(error))

  private constructor(private readonly client: PgPoolClient) {
    client.on('error', this.#onError)
  }

  /** @throws FieldsealError `OPTIONS_INVALID` behind a pooler that hands connections on */
  static async open(pool: PgConnection): Promise<WorkLocks> {
    await checkKeepsConnections(pool)
    const client = await connectTo(pool)
    const locks = new WorkLocks(client)
    await runSql(
      client,
      `SELECT set_config('lock_timeout', '0', false), set_config('tcp_keepalives_idle', '${KEEPALIVE / 2}', false),
       set_config('tcp_keepalives_interval', '${KEEPALIVE / 4}', false), set_config('tcp_keepalives_count', '2', false)`,
    )
    return locks
  }

  /** Given when the connection is lost, and with it all that is held. */
  get lost(): AbortSignal {
    return this.#lost.signal
  }

  /** Does work while no other process does work under the same name. */
  async exclusively<T>(name: string, work: () => Promise<T>): Promise<T> {
    await runSql(this.client, `SELECT pg_advisory_lock(${PLANNING_LOCK}, hashtext($1))`, [name])
    try {
      return await work()
    } finally {
      await runSql(this.client, `SELECT pg_advisory_unlock(${PLANNING_LOCK}, hashtext($1))`, [name])
    }
  }

  /** Shows that a command wants a run to be worked on. */
  async lockRun(run: string): Promise<void> {
    await runSql(this.client, `SELECT pg_advisory_lock_shared(${RUN_LOCK}, ${lockNumber('$1')})`, [run])
  }

  /** Takes a range. `false` if another process has it. */
  async tryLockRange(range: string): Promise<boolean> {
    const [row] = await runSql<'taken'>(
      this.client,
      `SELECT pg_try_advisory_lock(${RANGE_LOCK}, ${lockNumber('$1')})::text AS taken`,
      [range],
    )
    return row!.taken === 'true'
  }

  /** Gives up all that is held, so that nobody sees it any more when this returns. */
  async release(): Promise<void> {
    // Where the connection is lost, so are the locks.
    await runSql(this.client, 'SELECT pg_advisory_unlock_all()').catch(() => undefined)
    this.close()
  }

  /** Gives up all that is held; others may see it for a moment yet. */
  close(): void {
    if (!this.#open) return
    this.#open = false
    // Ends the connection: settings and locks are gone with it.
    this.client.release(true)
  }
}

/** How many commands want a run to be worked on, and how many workers do. */
export async function countParticipants(
  database: PgConnection,
  run: string,
): Promise<{ commands: number; workers: number }> {
  const ranges = `SELECT ${lockNumber('id')} FROM fieldseal.ranges WHERE run = $1`
  const [row] = await runSql<'commands' | 'workers'>(
    database,
    `SELECT count(*) FILTER (WHERE classid::bigint = ${RUN_LOCK} AND objid::bigint = ${lockNumber('$1')}) AS commands,
       count(*) FILTER (WHERE classid::bigint = ${RANGE_LOCK} AND objid::bigint IN (${ranges})) AS workers
     FROM pg_locks WHERE ${OWN_LOCKS}`,
    [run],
  )
  return { commands: Number(row!.commands), workers: Number(row!.workers) }
}

const OWN_LOCKS = `locktype = 'advisory' AND objsubid = 2 AND granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`

/** The condition of SQL that a command wants some run to be worked on. */
export const anyRunLocked = `EXISTS (SELECT FROM pg_locks WHERE ${OWN_LOCKS} AND classid::bigint = ${RUN_LOCK})`

/** The condition of SQL that no living process has a range; `id` is SQL. */
export function rangeUnlocked(id: string): string {
  return `NOT EXISTS (SELECT FROM pg_locks WHERE ${OWN_LOCKS} AND classid::bigint = ${RANGE_LOCK} AND objid::bigint = ${lockNumber(id)})`
}

/** Locks are numbered by 31 bits. */
function lockNumber(id: string): string {
  return `((${id})::bigint % 2147483648)::int`
}

/**
 * Locks of a session need one: behind a pooler that hands connections on, they would be others' and stay for good.
 *
 * @throws FieldsealError `OPTIONS_INVALID`
 */
export async function checkKeepsConnections(pool: PgConnection): Promise<void> {
  const clients: PgPoolClient[] = []
  const connect = async () => {
    const client = await connectTo(pool)
    clients.push(client)
    return client as PgPoolClient & AskedConnection
  }
  try {
    if (!(await isTransactionPooled(await connect(), connect))) return
  } catch (error) {
    throw FieldsealError.is(error) ? error : connectionLost(error)
  } finally {
    for (const client of clients) client.release()
  }
  throw new FieldsealError('OPTIONS_INVALID', HANDED_ON)
}

const HANDED_ON =
  'workers hold locks of a session, and the database is reached through a pooler that hands connections on after each ' +
  'transaction, as PgBouncer does with pool_mode=transaction. Nothing was changed. Give an address that leads to ' +
  'PostgreSQL itself, or to a pooler in session mode: as "database" in the configuration of the commands, or as ' +
  'DATABASE_URL for this command. Without workers it goes through this pooler too'

async function connectTo(pool: PgConnection): Promise<PgPoolClient> {
  if (typeof (pool as Partial<PgPool>).connect !== 'function')
    throw new FieldsealError('OPTIONS_INVALID', 'workers need a Pool of the package pg as "database"')
  return (pool as PgPool).connect().catch((error: unknown) => {
    throw connectionLost(error)
  })
}

function connectionLost(cause: unknown): FieldsealError {
  const message = `the connection to the database was lost: ${printable((cause as Error).message)}. Run the command again once it can: it goes on where it stopped`
  return new FieldsealError('DATABASE_UNAVAILABLE', message, { cause })
}
