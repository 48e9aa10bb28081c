import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { kms } from 'tencentcloud-sdk-nodejs-kms/tencentcloud/services/kms/index.js'
import { currentEngine } from '../../src/crypto/chooseEngine.js'
import { tencentKms } from '../../src/kms/tencent/tencentKms.js'
import { type KmsEmulator, startKmsEmulator } from '../../src/testing/tencent/kmsEmulator.js'
import { deriveKey } from '../crypto/derivedKey.js'
import { fail } from '../support/fail.js'
import type { SnapshotOrder, SnapshotReport } from './heapSnapshotProcess.js'
import { asWritten, formsIn, secretForms } from './secretForms.js'

const TENANTS = 8
/** A character beyond the basic plane, a lone surrogate in UTF-16, a NUL, and UTF-8 that is none. */
const LEAK = Buffer.from('f09f988000d8ff00', 'hex')
const PROGRAM = fileURLToPath(new URL('heapSnapshotProcess.ts', import.meta.url))
/** V8 cuts strings off in a snapshot unless told otherwise. */
const FLAGS = ['--expose-gc', '--heap-snapshot-string-limit=1000000000', '--import', 'tsx']

/** The KMS is in this process, so what it knows is not in the other's heap. */
async function snapshotOf(order: SnapshotOrder): Promise<SnapshotReport> {
  const child = fork(PROGRAM, { execArgv: FLAGS, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const exited = once(child, 'exit')
  const early = exited.then(([code]) => fail(`the process ended early, with exit code ${code}`))
  child.send(order)
  const [report] = (await Promise.race([once(child, 'message'), early])) as [SnapshotReport]
  child.kill()
  await exited
  return report
}

/** Every string in the heap, and every name. */
function stringsIn(file: string): string {
  return (JSON.parse(readFileSync(file, 'utf8')) as { strings: string[] }).strings.join('\n')
}

describe('a heap snapshot after warm-up through the Tencent SDK', () => {
  const directory = mkdtempSync(join(tmpdir(), 'fieldseal-heap-'))
  const leak = Buffer.concat([LEAK, randomBytes(24)])
  let emulator: KmsEmulator
  let report: SnapshotReport
  let heap: string

  beforeAll(async () => {
    emulator = await startKmsEmulator()
    const { endpoint, credential, keyId } = emulator
    const file = join(directory, 'warm.heapsnapshot')
    report = await snapshotOf({ endpoint, credential, keyId, tenants: TENANTS, file, leak: [...leak] })
    heap = stringsIn(file)
  })

  afterAll(async () => {
    await emulator.close()
    rmSync(directory, { recursive: true })
  })

  /** The DEKs, from the KMS's side. */
  async function deks(): Promise<Map<string, Buffer>> {
    const client = new kms.v20190118.Client(emulator.clientConfig())
    const unwrapping = tencentKms({ client, keyId: emulator.keyId })
    const bytes = report.rows.map(async ({ id, purpose, tenant, wrapped, kekId }) => {
      const dek = await unwrapping.unwrap({ wrapped: wrapped!, kekId }, { key: id, purpose, tenant })
      return [id, dek] as const
    })
    return new Map(await Promise.all(bytes))
  }

  it('shows a secret that was leaked on purpose, in every form that is searched for', () => {
    expect(formsIn(heap, leak, asWritten)).toEqual(Object.keys(secretForms(leak)))
  })

  it('was taken while every DEK was in memory, and sees what lies beside them', async () => {
    expect([report.rows.length, report.cached]).toEqual([2 * TENANTS, 3 * TENANTS])
    expect(report.engine).toBe(currentEngine().name)
    expect(report.rows.every(({ id }) => heap.includes(id))).toBe(true)
    expect((await deks()).size).toBe(2 * TENANTS)
  })

  it('shows no DEK and no key derived from one, in no form, not even a half of it', async () => {
    for (const [id, dek] of await deks()) {
      const { purpose } = report.rows.find((row) => row.id === id)!
      for (const secret of [dek, deriveKey(dek, purpose).export()]) {
        const halves = [secret.subarray(0, 15), secret.subarray(15, 30)]
        expect([secret, ...halves].flatMap((bytes) => formsIn(heap, bytes, asWritten))).toEqual([])
      }
    }
  })
})
