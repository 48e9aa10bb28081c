import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { DekIdentity, WrappedDek } from '../../../src/keys/kms.js'
import { type KmsEmulator, startKmsEmulator } from '../../../src/testing/tencent/kmsEmulator.js'
import { asWritten, formsIn } from '../../keys/secretForms.js'
import { emulatedKms } from '../../support/clinic.js'

const program = fileURLToPath(new URL('../programs/heapWhileUnwrapping.ts', import.meta.url))
/** V8 cuts strings off in a snapshot unless told otherwise. */
const FLAGS = ['--heap-snapshot-string-limit=1000000000', '--import', 'tsx']
const MOMENTS = ['Decrypt-answered', 'GenerateDataKey-answered', 'generated', 'held', 'unwrapped']

describe('heap snapshots taken while a DEK is on its way', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fieldseal-sealed-'))
  let emulator: KmsEmulator
  beforeAll(async () => {
    emulator = await startKmsEmulator()
  })
  afterAll(async () => {
    await emulator.close()
    rmSync(folder, { recursive: true })
  })

  /** The forms of the DEK, or of its halves, that each snapshot shows. */
  async function shown(mode: 'sealed' | 'plain'): Promise<{ readonly [moment: string]: string[] }> {
    const args = [...FLAGS, program, emulator.endpoint, emulator.keyId, mode, folder]
    const { stdout } = await promisify(execFile)(process.execPath, args)
    const { identity, wrapped } = JSON.parse(stdout) as { identity: DekIdentity; wrapped: WrappedDek }
    const dek = await emulatedKms(emulator).unwrap(wrapped, identity)
    const secrets = [dek, dek.subarray(0, 15), dek.subarray(15, 30)]
    const files = readdirSync(folder).filter((name) => name.startsWith(mode))
    return Object.fromEntries(
      files.toSorted().map((name) => {
        const text = (JSON.parse(readFileSync(join(folder, name), 'utf8')) as { strings: string[] }).strings.join('\n')
        expect(text).toContain(identity.key)
        const forms = secrets.flatMap((secret) => formsIn(text, secret, asWritten))
        return [name.slice(mode.length + 1).replace('.heapsnapshot', ''), [...new Set(forms)]]
      }),
    )
  }

  it('show no DEK with sealed: true, at no moment', async () => {
    const snapshots = await shown('sealed')
    expect(Object.keys(snapshots)).toEqual(MOMENTS)
    expect(snapshots).toEqual(Object.fromEntries(MOMENTS.map((moment) => [moment, []])))
  }, 120_000)

  it('show it without, when the answer has come: the same search finds it', async () => {
    const snapshots = await shown('plain')
    expect(snapshots['GenerateDataKey-answered']).toContain('base64')
    expect(snapshots['Decrypt-answered']).toContain('base64')
  }, 120_000)
})
