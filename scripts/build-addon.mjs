// @ts-check
// Builds the addon for this platform into prebuilds/, from which it is loaded. Needs a C compiler (CC, else cc) and the
// headers of Node.js (NODE_INCLUDE, else those beside the binary, else those that the npm package node-gyp would fetch).
// Arguments are passed to the compiler, after ours. ADDON_SOURCE and ADDON_OUT build another one elsewhere.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const libc = process.platform === 'linux' ? '-glibc' : ''
const folder = process.env.ADDON_OUT ?? join(root, 'prebuilds', `${process.platform}-${process.arch}${libc}`)
const OWN = [
  ...['-std=gnu11', '-O3', '-Wall', '-Wextra', '-Werror', '-Wno-unused-parameter'],
  ...['-fPIC', '-shared', '-fvisibility=hidden', '-fstack-protector-strong', '-D_FORTIFY_SOURCE=2'],
  // A symbol that Node.js lacks must be found out when the addon is loaded, not when it is called.
  ...(process.platform === 'linux'
    ? ['-Wl,-z,now', '-Wl,-z,relro', '-Wl,-z,noexecstack']
    : ['-undefined', 'dynamic_lookup']),
]

try {
  mkdirSync(folder, { recursive: true })
  const out = join(folder, 'fieldseal.node')
  const strip = process.argv.includes('-g') ? [] : ['-Wl,-s']
  const source = process.env.ADDON_SOURCE ?? join(root, 'native/fieldseal.c')
  const hash = createHash('sha256').update(readFileSync(source)).digest('hex')
  const args = [...OWN, ...strip, `-DSOURCE="${hash}"`, `-I${headers()}`, ...process.argv.slice(2), '-o', out, source]
  execFileSync(process.env.CC ?? 'cc', args, { stdio: 'inherit' })
  console.log(`build-addon: ${out}`)
} catch (error) {
  console.error(`build-addon: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
}

function headers() {
  const beside = join(dirname(dirname(process.execPath)), 'include/node')
  const found = [process.env.NODE_INCLUDE ?? '', beside].find((path) => existsSync(join(path, 'node_api.h')))
  if (!found) throw new Error(`no headers of Node.js in ${beside}: set NODE_INCLUDE to the folder with node_api.h`)
  return found
}
