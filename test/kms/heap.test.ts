import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'

const program = fileURLToPath(new URL('./programs/heapAfterDeks.ts', import.meta.url))

it('leaves no DEK and no KEK on the heap once they are zeroed, in raw, hex or base64 form', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'heap-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const [snapshot, keyFile] = [join(folder, 'heap.heapsnapshot'), join(folder, 'kek')]
  const kek = randomBytes(32)
  writeFileSync(keyFile, `${kek.toString('base64')}\n`)
  const args = ['--expose-gc', '--import', 'tsx', program, snapshot, keyFile]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  const { inverted, found } = JSON.parse(stdout) as { inverted: string[]; found: string }
  const keys = inverted.map((hex) => Buffer.from(Buffer.from(hex, 'hex').map((byte) => byte ^ 0xff)))
  expect(keys).toHaveLength(20)

  const heap = readFileSync(snapshot)
  expect(heap.includes(found)).toBe(true)
  const leaks = [...keys, kek].flatMap((key) =>
    [key.toString('base64').slice(0, 43), key.toString('base64url'), key.toString('hex'), key].map((form) =>
      heap.includes(form),
    ),
  )
  expect(leaks).toHaveLength(21 * 4)
  expect(leaks.filter(Boolean)).toEqual([])
}, 60_000)
