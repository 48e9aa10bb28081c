// @ts-check
// Builds the addon for this platform into prebuilds/, from which it is loaded. Needs a C compiler (CC, else cc) and the
// headers of Node.js (NODE_INCLUDE, else those beside the binary, else those that the npm package node-gyp would fetch).
// Arguments are passed to the compiler, after ours. ADDON_SOURCE and ADDON_OUT build another one elsewhere.
//
// `--all` builds what is shipped instead: the addons of all platforms, by one pinned compiler that is fetched from the npm
// registry (on Linux on x64). `--verify` does so aside, and says whether prebuilds/ holds the same bytes.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { commonFlags, platformFlags, root, source } from './lib/addonSource.mjs'
import { buildTargets } from './lib/addonTargets.mjs'

const args = process.argv.slice(2)

try {
  if (args.includes('--verify')) verify()
  else if (args.includes('--all')) buildAll()
  else build()
} catch (error) {
  const stderr = /** @type {{ stderr?: unknown }} */ (error).stderr
  console.error(`build-addon: ${error instanceof Error ? error.message : error}${stderr ? `\n${stderr}` : ''}`)
  process.exitCode = 1
}

function build() {
  const folder = process.env.ADDON_OUT ?? join(root, 'prebuilds', thisTarget())
  const out = join(folder, 'fieldseal.node')
  const strip = args.includes('-g') ? [] : ['-Wl,-s']
  mkdirSync(folder, { recursive: true })
  const flags = [...commonFlags(), ...platformFlags(process.platform), ...strip, ...args]
  execFileSync(process.env.CC ?? 'cc', [...flags, '-o', out, source], { stdio: 'inherit' })
  console.log(`build-addon: ${out}`)
}

function thisTarget() {
  if (process.platform !== 'linux') return `${process.platform}-${process.arch}`
  const report = /** @type {{ header: { glibcVersionRuntime?: string } }} */ (process.report.getReport())
  return `linux-${process.arch}-${report.header.glibcVersionRuntime ? 'glibc' : 'musl'}`
}

function buildAll() {
  for (const [name, binary] of buildTargets()) {
    const out = join(root, 'prebuilds', name, 'fieldseal.node')
    mkdirSync(join(root, 'prebuilds', name), { recursive: true })
    writeFileSync(out, binary)
    console.log(`build-addon: ${out}, ${binary.length} bytes`)
  }
}

function verify() {
  const others = [...buildTargets()].filter(([name, binary]) => {
    const shipped = join(root, 'prebuilds', name, 'fieldseal.node')
    return !existsSync(shipped) || !readFileSync(shipped).equals(binary)
  })
  if (others.length === 0) return console.log('build-addon: prebuilds/ holds what the source gives')
  const names = others.map(([name]) => name).join(', ')
  throw new Error(`prebuilds/ holds something else for ${names}: run npm run build:addon -- --all`)
}
