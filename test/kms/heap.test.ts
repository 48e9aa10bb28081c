import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from '@jest/globals'
import { onTestFinished } from '../support/onTestFinished.js'

const program = fileURLToPath(new URL('./programs/heapAfterDeks.ts', import.meta.url))

/** The heap may hold a text in parts, and a snapshot shows each part alone: so begin, middle and end are searched for. */
function pieces(form: string | Buffer): (string | Buffer)[] {
  const length = typeof form === 'string' ? 12 : 8
  return [0, Math.floor((form.length - length) / 2), form.length - length].map((at) =>
    typeof form === 'string' ? form.slice(at, at + length) : form.subarray(at, at + length),
  )
}

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
  expect(keys).toHaveLength(30)

  const heap = readFileSync(snapshot)
  expect(heap.includes(found)).toBe(true)
  const forms = (key: Buffer) => [
    key.toString('base64').slice(0, 43),
    key.toString('base64url'),
    key.toString('hex'),
    key,
  ]
  const searched = [...keys, kek].flatMap(forms).flatMap(pieces)
  expect(searched).toHaveLength(31 * 4 * 3)
  expect(searched.filter((piece) => heap.includes(piece))).toEqual([])
}, 60_000)
