import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, it } from '@jest/globals'
import pg from 'pg'
import { startEmbeddedPostgres } from '../../scripts/lib/embeddedPostgres.js'
import { restoreVariables, setVariable } from '../support/environment.js'
import { eventually } from '../support/eventually.js'

describe('startEmbeddedPostgres', () => {
  it.each(['SIGINT', 'SIGKILL'] as const)(
    'leaves no server and no data when its program ends by %s',
    async (signal) => {
      const { program, url, folder } = await startInAnotherProgram()
      program.kill(signal)
      await once(program, 'exit')
      await eventually(() => expect(existsSync(folder)).toBe(false), { timeout: 20_000 })
      await expect(ask(url, 'SELECT 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    },
  )

  it('leaves no server and no data after stop', async () => {
    const { url, stop } = await startEmbeddedPostgres()
    const folder = await ask(url, 'SHOW data_directory')
    expect(existsSync(folder)).toBe(true)
    await stop()
    expect(existsSync(folder)).toBe(false)
    await expect(ask(url, 'SELECT 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it.each(['fast', 'immediate'] as const)('comes back with its data after a restart, %s', async (mode) => {
    const { url, restart, stop } = await startEmbeddedPostgres()
    const connected = new pg.Client({ connectionString: url })
    await connected.connect()
    await connected.query('SET synchronous_commit = on; CREATE TABLE kept AS SELECT 7')
    const cut = new Promise((resolve) => connected.on('error', resolve))
    await restart(mode)
    await cut
    expect(String(await ask(url, 'TABLE kept'))).toBe('7')
    await stop()
  })

  it('tells why its connections were cut: a shutdown, or a crash', async () => {
    const { url, restart, cuts, stop } = await startEmbeddedPostgres()
    expect(await cuts?.()).toEqual([])
    await restart('fast')
    expect(await cuts?.()).toEqual([expect.stringContaining('received fast shutdown request')])
    const killed = new pg.Client({ connectionString: url }).on('error', () => {})
    await killed.connect()
    await killed.query(`COPY (SELECT 1) TO PROGRAM 'kill -9 $PPID'`).catch(() => undefined)
    await eventually(async () => expect(await cuts?.()).toContainEqual(expect.stringContaining('by signal 9')))
    await stop()
  })

  it('is followed by a standby, which shows what is written before and after, and leaves nothing after stop', async () => {
    const primary = await startEmbeddedPostgres()
    await ask(primary.url, 'CREATE TABLE early AS SELECT 1 AS one')
    const standby = await primary.standby('follower')
    const folder = await ask(standby.url, 'SHOW data_directory')
    await ask(primary.url, 'CREATE TABLE late AS SELECT 2 AS two')
    await eventually(async () => expect(await ask(standby.url, 'SELECT two FROM late')).toBe('2'), { timeout: 20_000 })
    expect(await ask(standby.url, 'SELECT one FROM early')).toBe('1')
    expect(await ask(primary.url, 'SELECT application_name FROM pg_stat_replication')).toBe('follower')
    await expect(ask(standby.url, 'CREATE TABLE mine ()')).rejects.toThrow('read-only')
    await standby.stop()
    expect(existsSync(folder)).toBe(false)
    expect(await ask(primary.url, 'SELECT count(*) FROM early')).toBe('1')
    await primary.stop()
  })

  it('heeds no PostgreSQL variables or locale of its caller', async () => {
    setVariable('PGDATA', '/nowhere')
    setVariable('PGPORT', '1')
    setVariable('LC_ALL', 'tlh_KX.UTF-8')
    const { url, stop } = await startEmbeddedPostgres().finally(() => restoreVariables())
    expect(await ask(url, `SELECT lower('ÀÉ')`)).toBe('àé')
    await stop()
  })

  it('starts several side by side', async () => {
    const servers = await Promise.all([startEmbeddedPostgres(), startEmbeddedPostgres()])
    const ports = await Promise.all(servers.map(({ url }) => ask(url, 'SHOW port')))
    expect(new Set(ports).size).toBe(2)
    await Promise.all(servers.map((server) => server.stop()))
  })
})

async function startInAnotherProgram(): Promise<{ program: ChildProcess; url: string; folder: string }> {
  const library = resolve('scripts/lib/embeddedPostgres.ts')
  const source = `import(${JSON.stringify(library)}).then((it) => it.startEmbeddedPostgres()).then((server) => {
    console.log(server.url)
    process.stdin.resume()
  })`
  const program = spawn(process.execPath, ['--import', 'tsx', '--eval', source], { stdio: ['pipe', 'pipe', 'inherit'] })
  const [url] = await once(createInterface({ input: program.stdout }), 'line')
  return { program, url, folder: await ask(url, 'SHOW data_directory') }
}

/** The first column of the first row, as text. */
async function ask(url: string, sql: string): Promise<string> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query({ text: sql, rowMode: 'array' })
    return String(rows[0]?.[0])
  } finally {
    await client.end()
  }
}
