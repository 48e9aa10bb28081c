// @ts-check
// Cleans up after another process, however that one ends: it waits for the end of its standard input, which the
// operating system closes with the last breath of the process that started it, Ctrl-C and kill -9 included.
// It reads what to clean from there too. Run by janitor.ts.
import { existsSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

/** @import { Mess } from './janitor.js' */

const written = await text(process.stdin)
if (written) await clean(JSON.parse(written))

/** @param {Mess} mess */
function clean(mess) {
  switch (mess.kind) {
    case 'cluster':
      return removeCluster(mess.folder)
    case 'containers':
      return removeContainers(mess.label)
    case 'databases':
      return dropDatabases(mess.url, mess.prefix)
  }
}

/** @param {string} folder */
async function removeCluster(folder) {
  const lock = join(folder, 'data', 'postmaster.pid')
  const pid = Number.parseInt(await readFile(lock, 'utf8').catch(() => ''), 10)
  if (pid > 0) await stopServer(pid, lock)
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
}

/**
 * Its data go too, so that it need not write them: an immediate shutdown. The server removes its lock file at the
 * end; in a container whose first process reaps no orphans it would be seen as a process for ever.
 *
 * @param {number} pid
 * @param {string} lock
 */
async function stopServer(pid, lock) {
  signal(pid, 'SIGQUIT')
  const deadline = Date.now() + 10_000
  while (existsSync(lock) && signal(pid, 0) && Date.now() < deadline) await sleep(10)
  signal(pid, 'SIGKILL')
}

/**
 * @param {number} pid
 * @param {NodeJS.Signals | 0} name
 */
function signal(pid, name) {
  try {
    return process.kill(pid, name)
  } catch {
    return false
  }
}

/**
 * A container whose creation was under way may come to light a moment later.
 *
 * @param {string} label
 */
async function removeContainers(label) {
  const { getContainerRuntimeClient } = await import('testcontainers')
  const docker = (await getContainerRuntimeClient()).container.dockerode
  const find = () => docker.listContainers({ all: true, filters: { label: [label] } })
  let found = await find()
  for (let attempt = 0; found.length === 0 && attempt < 10; attempt++) {
    await sleep(200)
    found = await find()
  }
  for (const { Id } of found) await docker.getContainer(Id).remove({ force: true, v: true })
}

/**
 * @param {string} url
 * @param {string} prefix
 */
async function dropDatabases(url, prefix) {
  const { default: pg } = await import('pg')
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query('SELECT datname FROM pg_database WHERE starts_with(datname, $1)', [prefix])
  for (const { datname } of rows) {
    await client.query(`DROP DATABASE IF EXISTS ${client.escapeIdentifier(datname)} WITH (FORCE)`)
  }
  await client.end()
}
