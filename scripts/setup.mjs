// @ts-check
// Does what a fresh or changed checkout lacks, and nothing else: installs packages, builds the library, links its
// commands and generates the Prisma client. Runs before `npm start` and `npm test`. Needs nothing but Node.js.
import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, delimiter, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const at = (/** @type {string} */ path) => join(root, path)
const manifest = JSON.parse(readFileSync(at('package.json'), 'utf8'))

const commands = /** @type {[string, string][]} */ (Object.entries(manifest.bin))

const SCHEMAS = ['prisma/schema.prisma', 'bench/schema.prisma']
const BUILT_FROM = ['src', 'package.json', 'tsconfig.json', 'tsdown.config.ts']
const STAMPS = 'node_modules/.cache/fieldseal'

try {
  requireNode()
  installPackages()
  build()
  linkCommands()
  for (const schema of SCHEMAS) generate(schema)
} catch (error) {
  console.error(`setup: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
}

function requireNode() {
  const needed = manifest.engines.node.replace('>=', '')
  const older = process.versions.node.localeCompare(needed, 'en', { numeric: true }) < 0
  if (older) throw new Error(`Node.js ${needed} or newer is needed; this is ${process.versions.node}`)
}

function installPackages() {
  const installed = changed(at('node_modules/.package-lock.json'))
  if (installed > 0 && installed >= changed(at('package-lock.json'))) return
  const npm = process.env.npm_execpath || ''
  const [program, ...args] = basename(npm) === 'npm-cli.js' ? [process.execPath, npm] : ['npm']
  step('installing packages', program, [...args, 'ci', '--no-audit', '--no-fund', '--loglevel=error'])
}

function build() {
  const outputs = [...builtEntries(manifest.exports), ...commands.map(([, path]) => path)]
  const built = Math.min(...outputs.map((path) => changed(at(path))))
  if (built >= Math.max(...BUILT_FROM.map((path) => newest(at(path))))) return
  step('building', process.execPath, [at('node_modules/tsdown/dist/run.mjs')])
}

/**
 * The files that package.json promises in `exports`.
 *
 * @typedef {string | { [condition: string]: Exported }} Exported
 * @param {Exported} exported
 * @returns {string[]}
 */
function builtEntries(exported) {
  if (typeof exported === 'string') return exported.startsWith('./dist/') ? [exported] : []
  return Object.values(exported).flatMap(builtEntries)
}

/** As npm does for those who install the package; `npm ci` does not for the package itself. */
function linkCommands() {
  for (const [name, path] of commands) {
    const link = at(`node_modules/.bin/${name}`)
    if (existsSync(link) && realpathSync(link) === realpathSync(at(path))) continue
    rmSync(link, { force: true })
    symlinkSync(relative(dirname(link), at(path)), link)
    console.log(`setup: linked the command ${name}`)
  }
}

function generate(/** @type {string} */ schema) {
  if (!existsSync(at(schema))) return
  const stamp = at(`${STAMPS}/${dirname(schema)}-generated`)
  const sources = [schema, 'node_modules/.package-lock.json', ...commands.map(([, path]) => path)]
  const isFresh = changed(stamp) >= Math.max(...sources.map((path) => changed(at(path))))
  if (isFresh && generatorOutputs(schema).every((path) => existsSync(path))) return
  const prisma = at('node_modules/prisma/build/index.js')
  step(`generating from ${schema}`, process.execPath, [prisma, 'generate', '--schema', schema])
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, '')
}

function generatorOutputs(/** @type {string} */ schema) {
  const outputs = readFileSync(at(schema), 'utf8').matchAll(/^\s*output\s*=\s*"([^"]+)"/gm)
  return Array.from(outputs, ([, path = '']) => join(dirname(at(schema)), path))
}

/** When a file was changed, in ms; 0 for one that does not exist. */
function changed(/** @type {string} */ path) {
  const found = statSync(path, { throwIfNoEntry: false })
  return found ? found.mtimeMs : 0
}

/**
 * When the newest file under a path was changed.
 *
 * @param {string} path
 * @returns {number}
 */
function newest(path) {
  const found = statSync(path, { throwIfNoEntry: false })
  if (!found?.isDirectory()) return changed(path)
  return Math.max(changed(path), ...readdirSync(path).map((name) => newest(join(path, name))))
}

/**
 * @param {string} what
 * @param {string} program
 * @param {string[]} args
 */
function step(what, program, args) {
  console.log(`setup: ${what}`)
  const path = [at('node_modules/.bin'), process.env.PATH].join(delimiter)
  const env = { ...process.env, PATH: path, CHECKPOINT_DISABLE: '1', NO_UPDATE_NOTIFIER: '1' }
  const { status, error, stdout, stderr } = spawnSync(program, args, { cwd: root, env, encoding: 'utf8' })
  if (error) throw error
  if (status !== 0) throw new Error(`${what} failed\n${stdout}${stderr}`)
}
