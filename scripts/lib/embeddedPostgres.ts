import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { appendFile, chown, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cleanUpLater, type Stoppable } from './janitor.js'
import { canEnter, type OsUser, serverUser } from './osUser.js'
import { usablePrograms } from './postgresPrograms.js'

/** A PostgreSQL of one's own. */
export interface PostgresServer extends Stoppable {
  /** Of its superuser, on the database `postgres`. */
  readonly url: string
  /** For people: what it is. */
  readonly description: string
  /** The lines of its log that tell why all connections were cut: a crash, or a shutdown. Only where the log can be read. */
  cuts?(): Promise<readonly string[]>
}

const CUT =
  /PANIC:|was terminated by signal|terminating any other active server processes|received \w+ shutdown request/

/** Whether a line of PostgreSQL's log tells that all connections are cut. */
export function tellsOfCut(line: string): boolean {
  return CUT.test(line)
}

/** One that can be restarted, on the same port and with the same data. */
export interface EmbeddedPostgres extends PostgresServer {
  /**
   * @param mode `fast` cuts all connections and shuts down in order; `immediate` is a crash, after which the server
   *   recovers what was committed with `synchronous_commit`
   */
  restart(mode: 'fast' | 'immediate'): Promise<void>
  /**
   * Starts another one that follows this as a standby by streaming replication, and can be read. This one is stopped
   * while its data are copied, which cuts all connections. To be stopped before this one.
   *
   * @param name its `application_name`, as pg_stat_replication shows it
   */
  standby(name: string): Promise<PostgresServer>
}

const run = promisify(execFile)

/** What is thrown away at the end need not survive a crash of the machine. */
const SETTINGS = `
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 500
fsync = off
synchronous_commit = off
full_page_writes = off
`

/** The same text rules on every machine, whatever locales it has. */
const LOCALE = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']

/**
 * Starts a PostgreSQL from npm's binaries on a free port of 127.0.0.1, its data in a temporary folder. It stops, and
 * its data go, at `stop` or when this process ends in whatever way. Works as root (the server then runs as the OS
 * user `postgres`, or `nobody`) and as an ordinary user.
 *
 * @throws Error when there is no build for this platform or the server does not start, with its log
 */
export async function startEmbeddedPostgres(): Promise<EmbeddedPostgres> {
  const user = await serverUser()
  const folder = await temporaryFolder(user)
  const janitor = cleanUpLater({ kind: 'cluster', folder })
  try {
    const programs = await usablePrograms({ folder, user })
    const password = randomBytes(16).toString('hex')
    await initialise({ programs, folder, user, password })
    const cluster = { programs, folder, user }
    const url = urlOf(password, await start(cluster))
    const restart: EmbeddedPostgres['restart'] = async (mode) => {
      await control('restart', cluster, `--mode=${mode}`)
    }
    const { stdout } = await run(join(programs, 'postgres'), ['--version'], as(user, folder))
    const description = `embedded ${stdout.replace(/^.*\) /, 'PostgreSQL ').trim()}`
    const standby = (name: string) => startStandby(cluster, { url, description, name })
    const cuts = async () => (await readFile(logOf(cluster), 'utf8')).split('\n').filter(tellsOfCut)
    return { url, description, restart, standby, cuts, stop: janitor.stop }
  } catch (error) {
    await janitor.stop()
    throw error
  }
}

async function startStandby(
  primary: Cluster,
  { url, description, name }: { url: string; description: string; name: string },
): Promise<PostgresServer> {
  const { user } = primary
  const { password, port } = new URL(url)
  const folder = await temporaryFolder(user)
  const janitor = cleanUpLater({ kind: 'cluster', folder })
  try {
    const cluster = { programs: await usablePrograms({ folder, user }), folder, user }
    await copyStopped(primary, cluster)
    const source = `host=127.0.0.1 port=${port} user=postgres password=${password} application_name=${name}`
    await appendFile(settingsOf(cluster), `primary_conninfo = '${source}'\n`)
    await writeFile(join(dataOf(cluster), 'standby.signal'), '')
    const follower = urlOf(password, await start(cluster))
    return { url: follower, description: `standby of ${description}`, stop: janitor.stop }
  } catch (error) {
    await janitor.stop()
    throw error
  }
}

/** By the server's user, whose the copy must be. */
async function copyStopped(from: Cluster, to: Cluster): Promise<void> {
  await control('stop', from, '--mode=fast')
  try {
    await run('cp', ['-R', '-p', dataOf(from), dataOf(to)], as(from.user, to.folder))
  } finally {
    await control('start', from)
  }
}

function urlOf(password: string, port: number): string {
  return `postgresql://postgres:${password}@127.0.0.1:${port}/postgres`
}

async function temporaryFolder(user: OsUser | undefined): Promise<string> {
  const candidates = [tmpdir(), '/tmp', '/var/tmp']
  for (const parent of candidates) {
    if (!(await canEnter(parent, user))) continue
    const folder = await mkdtemp(join(parent, 'fieldseal-postgres-'))
    if (user) await chown(folder, user.uid, user.gid)
    return folder
  }
  throw new Error(`the OS user that PostgreSQL runs as can enter none of ${candidates.join(', ')}; set TMPDIR`)
}

async function initialise(options: {
  programs: string
  folder: string
  user: OsUser | undefined
  password: string
}): Promise<void> {
  const { programs, folder, user, password } = options
  const [data, passwordFile] = [dataOf({ folder }), join(folder, 'password')]
  await writeFile(passwordFile, password, { mode: 0o600 })
  if (user) await chown(passwordFile, user.uid, user.gid)
  const login = ['--username=postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`]
  await run(join(programs, 'initdb'), [`--pgdata=${data}`, '--no-sync', ...login, ...LOCALE], as(user, folder))
  await appendFile(settingsOf({ folder }), SETTINGS)
}

interface Cluster {
  readonly programs: string
  readonly folder: string
  readonly user: OsUser | undefined
}

const logOf = ({ folder }: Cluster) => join(folder, 'log')
const dataOf = ({ folder }: Pick<Cluster, 'folder'>) => join(folder, 'data')
const settingsOf = (cluster: Pick<Cluster, 'folder'>) => join(dataOf(cluster), 'postgresql.conf')

function control(what: 'start' | 'stop' | 'restart', cluster: Cluster, ...more: string[]) {
  const { programs, folder, user } = cluster
  const args = ['--wait', '--timeout=60', '--silent', `--pgdata=${dataOf(cluster)}`, `--log=${logOf(cluster)}`]
  return run(join(programs, 'pg_ctl'), [what, ...args, ...more], as(user, folder))
}

/** Another program may take the free port before the server does: then once more, on another. */
async function start(cluster: Cluster): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    await appendFile(settingsOf(cluster), `port = ${port}\n`)
    try {
      await control('start', cluster)
      return port
    } catch (error) {
      const why = await readFile(logOf(cluster), 'utf8').catch(() => '')
      if (attempt < 5 && /could not (bind|create any)/.test(why)) continue
      throw new Error(`the embedded PostgreSQL did not start:\n${why}`, { cause: error })
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

/** Without the caller's PG… variables and locale, which PostgreSQL would heed. */
function as(user: OsUser | undefined, cwd: string) {
  return { ...user, cwd, env: { PATH: process.env.PATH ?? '', LC_ALL: 'C', TZ: 'UTC' } }
}
