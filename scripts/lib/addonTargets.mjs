// @ts-check
// The addon for every platform that it is shipped for, on one machine, and always the same bytes from the same source.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { commonFlags, platformFlags, source } from './addonSource.mjs'
import { fetchZig, zig } from './zig.mjs'

/** Folders of prebuilds/, which src/crypto/native/addonTarget.ts chooses from, and what Zig calls the platforms. */
export const TARGETS = {
  'linux-x64-glibc': 'x86_64-linux-gnu.2.28',
  'linux-arm64-glibc': 'aarch64-linux-gnu.2.28',
  'linux-x64-musl': 'x86_64-linux-musl',
  'linux-arm64-musl': 'aarch64-linux-musl',
  'darwin-x64': 'x86_64-macos.11.0-none',
  'darwin-arm64': 'aarch64-macos.11.0-none',
  'win32-x64': 'x86_64-windows-gnu',
  'win32-arm64': 'aarch64-windows-gnu',
}

/**
 * The addons of all platforms, by their folders.
 *
 * @returns {Map<string, Buffer>}
 */
export function buildTargets() {
  fetchZig()
  return new Map(Object.entries(TARGETS).map(([name, target]) => [name, buildTarget(name, target)]))
}

/**
 * @param {string} name
 * @param {string} target
 */
function buildTarget(name, target) {
  const folder = mkdtempSync(join(tmpdir(), 'fieldseal-build-'))
  const [platform = ''] = name.split('-')
  try {
    if (platform === 'win32') writeImportLibrary(folder, name)
    zig(platform === 'darwin' ? darwinArguments(target) : compilerArguments(target, platform), folder)
    const binary = readFileSync(join(folder, 'fieldseal.node'))
    return platform === 'win32' ? withoutTime(binary) : binary
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/**
 * The output is named without its folder: some formats keep its path.
 *
 * @param {string} target
 * @param {string} platform
 */
function compilerArguments(target, platform) {
  const libraries = platform === 'win32' ? ['node.lib'] : []
  const flags = [...commonFlags(), ...platformFlags(platform), '-s']
  return ['cc', '-target', target, ...flags, '-o', 'fieldseal.node', source, ...libraries]
}

/**
 * The linker for macOS would put in all of Zig's own runtime, five times the addon, of which nothing is used. Only this
 * command can leave it out.
 *
 * @param {string} target
 */
function darwinArguments(target) {
  const library = ['-dynamic', '--name', 'fieldseal', '-femit-bin=fieldseal.node', '-fno-compiler-rt', '-lc']
  const linker = ['-O', 'ReleaseFast', '-fstrip', '-dead_strip', '-fallow-shlib-undefined']
  const flags = [...commonFlags(), '-fPIC'].filter((flag) => flag !== '-shared')
  return ['build-lib', '-target', target, ...library, ...linker, '-cflags', ...flags, '--', source]
}

/**
 * What the linker of Windows wants to know of node.exe: names that it may export. Those of the source that look like
 * Node-API's and OpenSSL's do; the linker takes what is called.
 *
 * @param {string} folder
 * @param {string} name
 */
function writeImportLibrary(folder, name) {
  const names = new Set(readFileSync(source, 'utf8').match(/\b(?:napi|node_api|[A-Z][A-Z0-9]+)_\w+/g))
  writeFileSync(join(folder, 'node.def'), ['LIBRARY node.exe', 'EXPORTS', ...names, ''].join('\n'))
  zig(['dlltool', '-m', name === 'win32-arm64' ? 'arm64' : 'i386:x86-64', '-d', 'node.def', '-l', 'node.lib'], folder)
}

/**
 * The time at which it was linked, which Portable Executables have in the header of COFF, is taken out.
 *
 * @param {Buffer} binary
 */
function withoutTime(binary) {
  const signature = binary.readUInt32LE(0x3c)
  if (binary.toString('latin1', signature, signature + 4) !== 'PE\0\0') throw new Error('no Portable Executable')
  binary.writeUInt32LE(0, signature + 8)
  return binary
}
