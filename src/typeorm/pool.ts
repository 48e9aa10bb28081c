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

/**
 * The pool of a data source, or of its primary. It knows nothing of the application's transactions.
 *
 * @returns `undefined` before the data source is initialized, and once it is destroyed
 */
export function poolOf({ driver }: DataSource): Pool | undefined {
  return (driver as { master?: Pool }).master
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
