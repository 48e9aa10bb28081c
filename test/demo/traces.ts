import { execFileSync } from 'node:child_process'
import { existsSync, type FSWatcher, watch } from 'node:fs'
import { chmod, mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder for temporary files that tells what a program leaves in it and who still works there. */
export interface Traces {
  /** To be the program's TMPDIR. */
  readonly folder: string
  /** What was ever made in it, under names that begin with `fieldseal-`. */
  readonly made: ReadonlySet<string>
  /** What of it is still there. */
  left(): Promise<string[]>
  /** Processes that have the folder in their arguments, environment or working directory. */
  processes(): Promise<string[]>
  remove(): Promise<void>
}

const isOurs = (name: string) => name.startsWith('fieldseal-')

export async function openTraces(): Promise<Traces> {
  const folder = await mkdtemp(join(tmpdir(), 'traces-'))
  // A PostgreSQL started by root runs as another OS user, which has to get in.
  await chmod(folder, 0o755)
  const made = new Set<string>()
  const watcher: FSWatcher = watch(folder, (_, name) => {
    if (name && isOurs(name)) made.add(name)
  })
  return {
    folder,
    made,
    left: async () => (await readdir(folder)).filter(isOurs),
    processes: () => processesWith(folder),
    remove: async () => {
      watcher.close()
      await rm(folder, { recursive: true })
    },
  }
}

async function processesWith(text: string): Promise<string[]> {
  const all = existsSync('/proc/self/environ') ? await fromProc() : fromPs()
  return all.filter((description) => description.includes(text))
}

async function fromProc(): Promise<string[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  // Some end meanwhile, and some belong to others.
  const read = (path: string) => readFile(path, 'utf8').catch(() => '')
  return Promise.all(
    ids.map(async (id) => {
      const parts = [read(`/proc/${id}/cmdline`), read(`/proc/${id}/environ`)]
      const cwd = readlink(`/proc/${id}/cwd`).catch(() => '')
      return [id, ...(await Promise.all([...parts, cwd]))].join(' ').replaceAll('\0', ' ')
    }),
  )
}

function fromPs(): string[] {
  return execFileSync('ps', ['axeww', '-o', 'pid,command'], { encoding: 'utf8', maxBuffer: 2 ** 26 }).split('\n')
}
