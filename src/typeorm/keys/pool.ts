import type { DataSource } from 'typeorm'

/** The result of a statement: every column as PostgreSQL writes it, or NULL. */
export interface TextResult {
  readonly rows: (string | null)[][]
  readonly rowCount: number | null
}

/** What is used of a connection of `pg`, by structure. */
export interface Connection {
  query(config: object): Promise<TextResult>
}

interface PooledConnection extends Connection {
  on(event: 'error', listener: () => void): void
  off(event: 'error', listener: () => void): void
  release(broken?: boolean): void
}

interface Pool extends Connection {
  connect(): Promise<PooledConnection>
}

/** As the application may parse types in its own way, everything is asked for as text. */
const asText = { getTypeParser: () => (text: string) => text }

/** Runs one statement. */
export function runText(connection: Connection, text: string, values: readonly unknown[]): Promise<TextResult> {
  return connection.query({ text, values, rowMode: 'array', types: asText })
}

/** What a pool was made with; `pg` hides the password from whoever lists it. */
interface PoolOptions {
  readonly password?: unknown
  readonly [option: string]: unknown
}

interface SourcePool extends Connection {
  readonly options: PoolOptions
  readonly constructor: unknown
}

interface KeyPool extends Pool {
  on(event: 'error', listener: () => void): void
  end(): Promise<void>
}

/** Enough for an answer while another is waited for. */
const MOST_CONNECTIONS = 2

const pools = new WeakMap<DataSource, { readonly of: SourcePool; readonly keys: KeyPool }>()

/**
 * Connections for the keys, to the database of a data source, or its primary: apart from those of the application, which
 * may all be held by those who wait for a key.
 *
 * @returns `undefined` before the data source is initialized, and once it is destroyed
 */
export function poolOf(dataSource: DataSource): Pool | undefined {
  const master = ownPoolOf(dataSource)
  if (!master) return undefined
  const known = pools.get(dataSource)
  if (known?.of === master) return known.keys
  const keys = keyPool(master)
  pools.set(dataSource, { of: master, keys })
  return keys
}

/** The pool of the application itself, to its primary; `undefined` as with `poolOf`. */
export function ownPoolOf({ driver }: DataSource): SourcePool | undefined {
  return (driver as { master?: SourcePool }).master
}

function keyPool(source: SourcePool): KeyPool {
  const { options } = source
  const { password } = options
  const Made = source.constructor as new (options: PoolOptions) => KeyPool
  const pool = new Made({ ...options, password, min: 0, max: MOST_CONNECTIONS, allowExitOnIdle: true })
  // A connection that breaks while nobody uses it is made anew when somebody does.
  pool.on('error', () => {})
  return pool
}

/** Ends the connections for the keys of a data source that is destroyed. */
export async function endPool(dataSource: DataSource): Promise<void> {
  const known = pools.get(dataSource)
  pools.delete(dataSource)
  await known?.keys.end()
}

/** Runs statements in a transaction in which each sees what was committed before it, whatever the database's default is. */
export async function inTransaction<T>(pool: Pool, work: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await pool.connect()
  // One that breaks also says so as an event, which would end the process if nobody listened.
  const ignore = () => {}
  connection.on('error', ignore)
  let isInOrder = false
  const run = async (text: string) => {
    isInOrder = false
    await runText(connection, text, [])
    isInOrder = true
  }
  try {
    await run('BEGIN ISOLATION LEVEL READ COMMITTED')
    try {
      const result = await work(connection)
      await run('COMMIT')
      return result
    } catch (error) {
      await run('ROLLBACK').catch(ignore)
      throw error
    }
  } finally {
    connection.off('error', ignore)
    connection.release(!isInOrder)
  }
}
