import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type pg from 'pg'
import { createDatabase } from '../support/database.js'
import { openPool } from '../support/pool.js'
import type { Ended, RunningCommand } from './runCommand.js'

const program = fileURLToPath(new URL('../../dist/bin/fieldseal.js', import.meta.url))
const folder = fileURLToPath(new URL('./fixtures/typeorm/', import.meta.url))
const EMPTY = fileURLToPath(new URL('../typeorm/fixtures/empty.prisma', import.meta.url))

/** The database of the fixture's data source, and commands on it. */
export interface Guests {
  readonly url: string
  readonly pool: pg.Pool
  /** How many e-mail addresses are stored as ciphertext. */
  encrypted(): Promise<number>
  start(env: NodeJS.ProcessEnv, ...args: string[]): RunningCommand
  run(...args: string[]): Promise<Ended>
  close(): Promise<void>
}

/**
 * Makes the tables, with so many guests in plaintext.
 *
 * @param server the address of another PostgreSQL than the run's
 */
export async function openGuests(count: number, server?: string): Promise<Guests> {
  const database = await createDatabase({ schema: EMPTY, ...(server === undefined ? {} : { server }) })
  const pool = openPool(database.url)
  process.env.GUESTS_URL = database.url
  const { dataSource } = await import('./fixtures/typeorm/dataSource.js')
  await dataSource.initialize()
  await dataSource.destroy()
  const plain = `SELECT 'g' || n || '@x.org', CASE WHEN n % 2 = 0 THEN 'ritz' ELSE 'adlon' END FROM generate_series(1, $1) n`
  await pool.query(`INSERT INTO guest (email, hotel) ${plain}`, [count])
  const start = (env: NodeJS.ProcessEnv, ...args: string[]) => startCommand(env, args)
  return {
    url: database.url,
    pool,
    async encrypted() {
      const { rows } = await pool.query(`SELECT count(*)::int AS n FROM guest WHERE email LIKE 'fs1.%'`)
      return rows[0].n
    },
    start,
    run: (...args) => start({}, ...args).ended,
    async close() {
      await pool.end()
      await database.drop()
    },
  }
}

function startCommand(variables: NodeJS.ProcessEnv, args: readonly string[]): RunningCommand {
  // What the data source says counts, not this.
  const env = { ...process.env, DATABASE_URL: 'postgresql://nobody@127.0.0.1:9/nowhere', ...variables }
  const child = spawn(process.execPath, [program, ...args], { cwd: folder, env })
  const printed = { output: '', errors: '' }
  child.stdout.on('data', (chunk) => {
    printed.output += String(chunk)
  })
  child.stderr.on('data', (chunk) => {
    printed.errors += String(chunk)
  })
  const ended = once(child, 'close').then(([code]) => ({ code, ...printed }))
  return { child, ended }
}
