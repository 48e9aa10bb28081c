// @ts-check
import { spawnSync } from 'node:child_process'
import { closeSync, copyFileSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { root } from './addonSource.mjs'

/**
 * Runs test/crypto/proveAddon.ts with a shipped addon by any command that runs a Node.js of its platform, such as
 * `qemu-aarch64-static /path/of/node` or `wine /path/of/node.exe`.
 *
 * @param {string} target a folder of prebuilds/
 * @param {string} count of random values
 * @param {string[]} command
 * @returns {Promise<number>} an exit code
 */
export async function proveElsewhere(target, count, [name = '', ...args]) {
  const folder = mkdtempSync(join(tmpdir(), 'fieldseal-addon-'))
  try {
    const program = join(folder, 'program.mjs')
    const entryPoints = [join(root, 'test/crypto/proveAddon.ts')]
    await build({ entryPoints, outfile: program, bundle: true, platform: 'node', format: 'esm', logLevel: 'error' })
    for (const file of ['vectors.json', 'published.json'])
      copyFileSync(join(root, 'test/crypto', file), join(folder, file))
    const addon = join(root, 'prebuilds', target, 'fieldseal.node')
    // Not a pipe, from which Node.js shrinks back under Wine.
    const output = join(folder, 'output.txt')
    const file = openSync(output, 'w')
    const stdio = /** @type {const} */ (['ignore', file, file])
    const { status, error } = spawnSync(name, [...args, program, addon, count], { cwd: folder, stdio: [...stdio] })
    closeSync(file)
    console.log(`check-addon: ${target}: ${error?.message ?? readFileSync(output, 'utf8').trimEnd()}`)
    return status === 0 ? 0 : 1
  } finally {
    rmSync(folder, { recursive: true })
  }
}
