import type { Addon } from '../../src/crypto/native/addon.js'
import { nativeEngine } from '../../src/crypto/native/nativeEngine.js'
import { nodeEngine } from '../../src/crypto/nodeEngine.js'
import { fuzzEngines } from './engineFuzz.js'
import { type FailingAddon, failEverywhere } from './failAddon.js'
import { worksInThreads } from './threadsOfAddon.js'

/*
 * Run by scripts/check-addon.mjs, where memory is watched: the addon at a path, on so many random values, with arguments
 * that do not fit, in threads, and, where it can be made to fail, with each call inside it failing.
 */

const [path = '', count = '20000'] = process.argv.slice(2)
const module: { exports: Partial<Addon> } = { exports: {} }
process.dlopen(module, path)
const addon = module.exports as Addon
const failing = 'failAfter' in addon ? (addon as FailingAddon) : undefined

const WRONG = [undefined, null, {}, '', 'b', -1, 1, Buffer.alloc(0), Buffer.alloc(3), Uint32Array.of(7), Symbol('s')]

/** Calls that fail at every step of reading arguments: nothing of them may be kept. */
function callWrongly(): void {
  const key = addon.open(Buffer.alloc(32))
  const indexKey = addon.openIndex(Buffer.alloc(32))
  const number = addon.place(key, Buffer.alloc(66), 'h'.repeat(28), false, 0)
  const frame = new Uint32Array(4096)
  frame.fill(100, 0, 1).fill(number, 1024, 1025).fill(5, 2048, 2049)
  const parts = [key, frame, 1, '\0\0\0\u0001a', 'a'.repeat(100)]
  const calls: [(...args: never[]) => unknown, unknown[]][] = [
    [addon.open, []],
    [addon.openIndex, []],
    [addon.place, [key, Buffer.alloc(66), 'h'.repeat(28), false, 0]],
    [addon.decrypt, [...parts, () => 0]],
    [addon.encrypt, [...parts, 0, Buffer.alloc(12), () => 0]],
    [addon.encrypt, [...parts, 1, Buffer.alloc(12), () => 0]],
    [addon.encrypt, [...parts, 2, Buffer.alloc(12), () => 0]],
    [addon.encrypt, [...parts, 0, undefined, () => 0]],
    [addon.index, [indexKey, frame, 1, Buffer.alloc(14), 'a'.repeat(100), 0, 16, Buffer.alloc(16)]],
    [addon.index, [indexKey, new Uint32Array(4096), 1, Buffer.alloc(0), Buffer.alloc(0), 2, 16, Buffer.alloc(16)]],
  ]
  for (const [call, args] of calls) {
    for (let i = 0; i < args.length; i++) {
      for (const wrong of [...WRONG, new Uint32Array(4096).fill(2 ** 32 - 1), new Uint32Array(4096)]) {
        try {
          call(...(args.with(i, wrong) as never[]))
        } catch {}
      }
    }
  }
}

/** Bytes that the process grew by. */
function growth(work: () => void): number {
  globalThis.gc?.()
  const before = process.memoryUsage().rss
  work()
  globalThis.gc?.()
  return process.memoryUsage().rss - before
}

const counts = fuzzEngines([nativeEngine(addon), nodeEngine], Number(count), 1)
const rounds = Math.ceil(Number(count) / 200)
const many = () => {
  for (let i = 0; i < rounds; i++) callWrongly()
}
many()
const grown = growth(many)
console.log(
  `the addon: ${counts.values} values, ${counts.opened} opened, ${counts.refused} refused; ${grown} bytes kept`,
)
if (failing) console.log(`the addon: ${failEverywhere(failing)} failures`)
if (!(await worksInThreads(path, 4, 20))) throw new Error('the addon is wrong in threads')
if (grown > 50_000_000) process.exitCode = 1
