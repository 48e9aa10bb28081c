import { FieldsealError } from '../../errors.js'
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
const PLAN = 0x66730001
const WATCH = 0x66730002
const RANGE = 0x66730003
/** A machine that is gone without a word is noticed after about so many seconds. */
const KEEPALIVE = 20

/**
 * Who is at work, as locks of PostgreSQL that end with the connection that holds them: however a process dies, the
 * others know at once.
 */
export class Presence {
  readonly #lost = new AbortController()
  #open = true
  readonly #onError = (error: Error) => this.#lost.abort(unavailable(error))

  private constructor(private readonly client: PgPoolClient) {
    client.on('error', this.#onError)
  }

  static async open(pool: PgConnection): Promise<Presence> {
    if (typeof (pool as Partial<PgPool>).connect !== 'function')
      throw new FieldsealError('OPTIONS_INVALID', 'workers need a Pool of the package pg as "database"')
    const client = await (pool as PgPool).connect().catch((error: unknown) => {
      throw unavailable(error)
    })
    const presence = new Presence(client)
    await runSql(
      client,
      `SELECT set_config('lock_timeout', '0', false), set_config('tcp_keepalives_idle', '${KEEPALIVE / 2}', false),
       set_config('tcp_keepalives_interval', '${KEEPALIVE / 4}', false), set_config('tcp_keepalives_count', '2', false)`,
    )
    return presence
  }

  /** Given when the connection is lost, and with it all that is held. */
  get lost(): AbortSignal {
    return this.#lost.signal
  }

  /** Does work while no other process does work under the same name. */
  async alone<T>(name: string, work: () => Promise<T>): Promise<T> {
    await runSql(this.client, `SELECT pg_advisory_lock(${PLAN}, hashtext($1))`, [name])
    try {
      return await work()
    } finally {
      await runSql(this.client, `SELECT pg_advisory_unlock(${PLAN}, hashtext($1))`, [name])
    }
  }

  /** Shows that a command wants a run to be worked on. */
  async watch(run: string): Promise<void> {
    await runSql(this.client, `SELECT pg_advisory_lock_shared(${WATCH}, ${number('$1')})`, [run])
  }

  /** Takes a range. `false` if another process has it. */
  async take(range: string): Promise<boolean> {
    const [row] = await runSql(this.client, `SELECT pg_try_advisory_lock(${RANGE}, ${number('$1')})::text`, [range])
    return row![0] === 'true'
  }

  /** Gives up all that is held, so that nobody sees it any more when this returns. */
  async leave(): Promise<void> {
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
export async function headcount(database: PgConnection, run: string): Promise<{ commands: number; workers: number }> {
  const ranges = `SELECT ${number('id')} FROM fieldseal.ranges WHERE run = $1`
  const [row] = await runSql(
    database,
    `SELECT count(*) FILTER (WHERE classid::bigint = ${WATCH} AND objid::bigint = ${number('$1')}),
       count(*) FILTER (WHERE classid::bigint = ${RANGE} AND objid::bigint IN (${ranges}))
     FROM pg_locks WHERE ${OURS}`,
    [run],
  )
  return { commands: Number(row![0]), workers: Number(row![1]) }
}

const OURS = `locktype = 'advisory' AND objsubid = 2 AND granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`

/** The condition of SQL that a command wants some run to be worked on. */
export const someoneWatches = `EXISTS (SELECT FROM pg_locks WHERE ${OURS} AND classid::bigint = ${WATCH})`

/** The condition of SQL that no living process has a range; `id` is SQL. */
export function nobodyHas(id: string): string {
  return `NOT EXISTS (SELECT FROM pg_locks WHERE ${OURS} AND classid::bigint = ${RANGE} AND objid::bigint = ${number(id)})`
}

/** Locks are numbered by 31 bits. */
function number(id: string): string {
  return `((${id})::bigint % 2147483648)::int`
}

function unavailable(cause: unknown): FieldsealError {
  const message = `the connection to the database was lost: ${printable((cause as Error).message)}. Run the command again once it can: it goes on where it stopped`
  return new FieldsealError('DATABASE_UNAVAILABLE', message, { cause })
}
