// @ts-check
// Runs the addon on random input with every access to memory checked: `sanitize` (the default) builds it with
// AddressSanitizer and UndefinedBehaviorSanitizer, `valgrind` runs the one that is shipped under Valgrind. Needs a C
// compiler, or Valgrind. The second argument is how many values to try.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const [tool = 'sanitize', count = tool === 'valgrind' ? '2000' : '20000'] = process.argv.slice(2)
const TOOLS = { sanitize, valgrind }

if (tool in TOOLS) process.exitCode = TOOLS[/** @type {keyof typeof TOOLS} */ (tool)]()
else {
  console.error(`check-addon: there is no ${tool}; write sanitize or valgrind`)
  process.exitCode = 1
}

function sanitize() {
  const folder = mkdtempSync(join(tmpdir(), 'fieldseal-addon-'))
  try {
    const flags = ['-g', '-O1', '-fno-omit-frame-pointer', '-fsanitize=address,undefined', '-fno-sanitize-recover=all']
    const environment = { ...process.env, ADDON_OUT: folder }
    const build = [join(root, 'scripts/build-addon.mjs'), ...flags, '-U_FORTIFY_SOURCE', '-Wno-error']
    execFileSync(process.execPath, build, { stdio: 'inherit', env: environment })
    const library = execFileSync(process.env.CC ?? 'cc', ['-print-file-name=libasan.so'], { encoding: 'utf8' }).trim()
    // What V8 keeps until the end of the process would count as leaked, so the program looks for leaks itself; what the
    // sanitizer keeps of freed memory would count there.
    const options = {
      LD_PRELOAD: library,
      ASAN_OPTIONS: 'detect_leaks=0:quarantine_size_mb=1',
      UBSAN_OPTIONS: 'print_stacktrace=1',
    }
    return run([process.execPath, ...program(join(folder, 'fieldseal.node'))], options)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Valgrind has much to say about V8's own code; only errors with the addon in their stack count. */
function valgrind() {
  const addon = join(root, 'prebuilds', `${process.platform}-${process.arch}-glibc`, 'fieldseal.node')
  const args = ['--error-limit=no', '--num-callers=40', '--undef-value-errors=yes', process.execPath, ...program(addon)]
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
  return ['--expose-gc', '--import', 'tsx', join(root, 'test/crypto/fuzzAddon.ts'), addon, count]
}

/**
 * @param {string[]} command
 * @param {Record<string, string>} environment
 */
function run([name = '', ...args], environment) {
  const env = { ...process.env, ...environment, NODE_OPTIONS: '' }
  return spawnSync(name, args, { cwd: root, env, stdio: 'inherit' }).status ?? 1
}
