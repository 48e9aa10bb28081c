import { execFile } from 'node:child_process'
import { chmod, chown, cp, lstat, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { type OsUser, serverUser } from '../../scripts/lib/osUser.js'
import { installedPackage, usablePrograms } from '../../scripts/lib/postgresPrograms.js'

const run = promisify(execFile)

let user: OsUser | undefined
let scratch: string
let closed: string
let folder: string

/** An installation as npm leaves it when it runs no install scripts, in a folder that only its owner can enter. */
beforeEach(async () => {
  user = await serverUser()
  scratch = await mkdtemp(join(tmpdir(), 'fieldseal-programs-'))
  await chmod(scratch, 0o755)
  closed = join(scratch, 'closed')
  folder = join(scratch, 'folder')
  await mkdir(folder)
  if (user) await chown(folder, user.uid, user.gid)
  await cp(installedPackage(), closed, { recursive: true, verbatimSymlinks: true })
  await chmod(closed, 0o700)
  await takeAwayLinksAndModes()
})
afterEach(async () => {
  await chmod(join(closed, 'native/lib'), 0o755)
  await rm(scratch, { recursive: true })
})

describe('usablePrograms', () => {
  it('copies out what the server’s user cannot enter, or cannot be completed in its place', async () => {
    await chmod(join(closed, 'native/lib'), 0o555)
    const programs = await usablePrograms({ folder, user, installed: closed })
    expect(programs.startsWith(folder)).toBe(true)
    await expectToRun(programs)
  })

  it('completes in its place what install scripts did not', async () => {
    await chmod(closed, 0o755)
    const programs = await usablePrograms({ folder, user, installed: closed })
    expect(programs.startsWith(closed)).toBe(true)
    await expectToRun(programs)
  })
})

async function takeAwayLinksAndModes(): Promise<void> {
  const [lib, bin] = [join(closed, 'native/lib'), join(closed, 'native/bin')]
  for (const name of await readdir(lib)) if ((await lstat(join(lib, name))).isSymbolicLink()) await rm(join(lib, name))
  for (const name of await readdir(bin)) await chmod(join(bin, name), 0o644)
}

async function expectToRun(programs: string): Promise<void> {
  for (const name of ['initdb', 'pg_ctl', 'postgres']) {
    const { stdout } = await run(join(programs, name), ['--version'], { ...user, cwd: '/' })
    expect(stdout).toContain('PostgreSQL')
  }
}
