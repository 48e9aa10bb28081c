import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import pg from 'pg'
import { eventually } from './eventually.js'
import { freePort } from './freePort.js'
import { onTestFinished } from './onTestFinished.js'

const MISSING = 'PgBouncer is not in PATH: apt-get install pgbouncer (Debian), brew install pgbouncer (macOS).'

/** Tests with a real PgBouncer; where it is missing, one that says so, and how to get it. */
export function onPgBouncer(title: string, tests: () => void): void {
  if (isThere()) {
    describe(title, tests)
    return
  }
  it(`cannot be tested here (${title}): what is missing is said, with how to get it`, () => {
    console.warn(MISSING)
    expect(MISSING).toMatch(/apt-get install/)
  })
}

function isThere(): boolean {
  try {
    execFileSync('pgbouncer', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

export type PoolMode = 'transaction' | 'session'

/** How many connections PgBouncer has to PostgreSQL. */
export const POOL_SIZE = 3

/** Starts a PgBouncer before a database, until the test is over; answers its address. */
export async function startPgBouncer(database: string, mode: PoolMode, size = POOL_SIZE): Promise<string> {
  const { hostname, port, username, password, pathname } = new URL(database)
  const folder = mkdtempSync(join(tmpdir(), 'pgbouncer-'))
  chmodSync(folder, 0o755)
  const own = await freePort()
  const server = `host=${hostname} port=${port || 5432} user=${decodeURIComponent(username)}`
  const secret = password ? ` password=${decodeURIComponent(password)}` : ''
  const settings = [
    ...['[databases]', `* = ${server}${secret}`, '[pgbouncer]', 'listen_addr = 127.0.0.1', `listen_port = ${own}`],
    ...['unix_socket_dir =', 'auth_type = any', `pool_mode = ${mode}`, `default_pool_size = ${size}`],
  ]
  writeFileSync(join(folder, 'pgbouncer.ini'), `${settings.join('\n')}\n`)
  // It refuses to be root.
  const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : []
  const child = spawn('pgbouncer', ['-q', ...user, join(folder, 'pgbouncer.ini')], { stdio: 'ignore' })
  const ended = once(child, 'exit')
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
    rmSync(folder, { recursive: true })
  })
  const url = `postgresql://${username}@127.0.0.1:${own}${pathname}`
  await eventually(async () => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    await client.end()
  })
  return url
}

/** What the connections of a PgBouncer say, asked all at once. */
export async function askEach(url: string, text: string): Promise<unknown[]> {
  const clients = Array.from({ length: POOL_SIZE }, () => new pg.Client({ connectionString: url }))
  try {
    for (const client of clients) {
      await client.connect()
      await client.query('BEGIN')
    }
    const answers = await Promise.all(clients.map((client) => client.query(text)))
    return answers.map(({ rows }) => rows)
  } finally {
    await Promise.all(clients.map((client) => client.end()))
  }
}

/** Clients that take connections and give them back without end, until the test is over. */
export function keepBusy(url: string, clients: number): void {
  const over = new AbortController()
  const work = async () => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    while (!over.signal.aborted) await client.query('SELECT pg_sleep(0.002)')
    await client.end()
  }
  const working = Promise.all(Array.from({ length: clients }, work))
  onTestFinished(async () => {
    over.abort()
    await working
  })
}
