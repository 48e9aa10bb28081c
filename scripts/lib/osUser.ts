import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

/** Whom a program runs as. */
export interface OsUser {
  readonly uid: number
  readonly gid: number
}

const run = promisify(execFile)

/** PostgreSQL refuses to run as root: then as somebody else. Nobody is created. */
export async function serverUser(): Promise<OsUser | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const accounts = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'))
  for (const name of ['postgres', 'nobody']) {
    const account = accounts.find((fields) => fields[0] === name)
    if (account) return { uid: Number(account[2]), gid: Number(account[3]) }
  }
  throw new Error('PostgreSQL does not run as root, and this machine has no user "postgres" or "nobody"; add one')
}

/** Whether `user` may enter a folder; asks the operating system, which knows all of its own rules. */
export async function canEnter(folder: string, user: OsUser | undefined): Promise<boolean> {
  return succeeds('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], user)
}

/** Whether a program runs as `user` and ends well. */
export async function succeeds(program: string, args: string[], user: OsUser | undefined): Promise<boolean> {
  try {
    await run(program, args, { ...user, cwd: '/', env: { LC_ALL: 'C' } })
    return true
  } catch {
    return false
  }
}
