// @ts-check
// Runs the addon where every access is checked: `address` builds it with AddressSanitizer and
// UndefinedBehaviorSanitizer, and gives it random input, wrong arguments and failing calls; `thread` builds it with
// ThreadSanitizer, and loads it in many threads at once; without an argument, both. `valgrind` runs the one that is shipped
// under Valgrind. Needs gcc with its sanitizers (on Debian, what the package g++ brings), or Valgrind. The second argument
// is how many values to try. `elsewhere 20000 linux-arm64-glibc qemu-aarch64-static /path/of/node` gives the binary for
// another platform all vectors and random input, in whatever Node.js the command runs.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { proveElsewhere } from './lib/addonElsewhere.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const [tool = 'sanitizers', count = tool === 'valgrind' ? '2000' : '20000', target = '', ...command] =
  process.argv.slice(2)
const TOOLS = {
  sanitizers: () => address() || thread(),
  address,
  thread,
  valgrind,
  elsewhere: () => proveElsewhere(target, count, command),
}

if (tool in TOOLS) process.exitCode = await TOOLS[/** @type {keyof typeof TOOLS} */ (tool)]()
else {
  console.error(`check-addon: there is no ${tool}; write address, thread, valgrind or elsewhere`)
  process.exitCode = 1
}

function address() {
  return sanitized({
    source: 'test/crypto/failingAddon.c',
    flag: '-fsanitize=address,undefined',
    library: 'libasan.so',
    command: program,
    // What V8 keeps until the end of the process would count as leaked, so the program looks for leaks itself; what the
    // sanitizer keeps of freed memory would count there.
    options: { ASAN_OPTIONS: 'detect_leaks=0:quarantine_size_mb=1', UBSAN_OPTIONS: 'print_stacktrace=1' },
  })
}

function thread() {
  return sanitized({
    source: 'native/fieldseal.c',
    flag: '-fsanitize=thread',
    library: 'libtsan.so',
    command: (addon) => [
      process.execPath,
      ...['--import', 'tsx', join(root, 'test/crypto/loadAddonInThreads.ts'), addon],
    ],
    // What Node.js itself does, it does not tell the sanitizer.
    options: { TSAN_OPTIONS: 'ignore_noninstrumented_modules=1:exitcode=66' },
  })
}

/**
 * Builds an addon with a sanitizer, runs a program with it, and gives the exit code.
 *
 * @param {{
 *   source: string,
 *   flag: string,
 *   library: string,
 *   command: (addon: string) => string[],
 *   options: Record<string, string>,
 * }} check
 */
function sanitized({ source, flag, library, command, options }) {
  const folder = mkdtempSync(join(tmpdir(), 'fieldseal-addon-'))
  try {
    const flags = [
      '-g',
      '-O1',
      '-fno-omit-frame-pointer',
      '-fno-sanitize-recover=all',
      '-U_FORTIFY_SOURCE',
      '-Wno-error',
    ]
    const env = { ...process.env, ADDON_SOURCE: join(root, source), ADDON_OUT: folder }
    execFileSync(process.execPath, [join(root, 'scripts/build-addon.mjs'), ...flags, flag], { stdio: 'inherit', env })
    const path = execFileSync(process.env.CC ?? 'cc', [`-print-file-name=${library}`], { encoding: 'utf8' }).trim()
    return run(command(join(folder, 'fieldseal.node')), { ...options, LD_PRELOAD: path })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Valgrind has much to say about V8's own code; only errors with the addon in their stack count. */
function valgrind() {
  const addon = join(root, 'prebuilds', `${process.platform}-${process.arch}-glibc`, 'fieldseal.node')
  const args = ['--error-limit=no', '--num-callers=40', '--undef-value-errors=yes', ...program(addon)]
  const { status, stdout, stderr } = spawnSync('valgrind', args, { encoding: 'utf8', maxBuffer: 2 ** 30, cwd: root })
  if (status !== 0) console.error(stderr)
  const blocks = (stderr ?? '').split(/^==\d+== \n/m)
  const ours = blocks.filter(
    (block) => /Invalid (read|write|free)|uninitialised|Mismatched/.test(block) && block.includes('fieldseal.node'),
  )
  console.log(stdout)
  console.log(`check-addon: Valgrind: ${ours.length} errors with the addon in their stack`)
  for (const block of ours.slice(0, 5)) console.error(block)
  return status === 0 && ours.length === 0 ? 0 : 1
}

function program(/** @type {string} */ addon) {
  return [process.execPath, '--expose-gc', '--import', 'tsx', join(root, 'test/crypto/fuzzAddon.ts'), addon, count]
}

/**
 * @param {string[]} command
 * @param {Record<string, string>} environment
 */
function run([name = '', ...args], environment) {
  const env = { ...process.env, ...environment, NODE_OPTIONS: '' }
  return spawnSync(name, args, { cwd: root, env, stdio: 'inherit' }).status ?? 1
}
