// @ts-check
// What every build of the addon has in common, whoever compiles it.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
export const source = process.env.ADDON_SOURCE ?? join(root, 'native/fieldseal.c')

/** Of every compiler and platform. The hash tells a test which source a binary was built from. */
export function commonFlags() {
  return [
    ...['-std=gnu11', '-O3', '-Wall', '-Wextra', '-Werror', '-Wno-unused-parameter'],
    ...['-shared', '-fvisibility=hidden', '-fstack-protector-strong', '-D_FORTIFY_SOURCE=2'],
    ...[`-DSOURCE="${createHash('sha256').update(readFileSync(source)).digest('hex')}"`, `-I${headers()}`],
  ]
}

/**
 * A symbol that Node.js lacks must be found out when the addon is loaded, not when it is called.
 *
 * @param {string} platform as in `process.platform`
 */
export function platformFlags(platform) {
  if (platform === 'win32') return []
  if (platform === 'darwin') return ['-fPIC', '-undefined', 'dynamic_lookup']
  return ['-fPIC', '-Wl,-z,now', '-Wl,-z,relro', '-Wl,-z,noexecstack']
}

function headers() {
  const beside = join(dirname(dirname(process.execPath)), 'include/node')
  const found = [process.env.NODE_INCLUDE ?? '', beside].find((path) => existsSync(join(path, 'node_api.h')))
  if (!found) throw new Error(`no headers of Node.js in ${beside}: set NODE_INCLUDE to the folder with node_api.h`)
  return found
}
