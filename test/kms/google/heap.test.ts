import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from '@jest/globals'
import type { DekIdentity, WrappedDek } from '../../../src/keys/kms.js'
import { googleKms } from '../../../src/kms/google/googleKms.js'
import { asWritten, formsIn } from '../../keys/secretForms.js'
import { onTestFinished } from '../../support/onTestFinished.js'
import { clientOf, startEmulator } from './google.js'

const program = fileURLToPath(new URL('../programs/heapWithGoogle.ts', import.meta.url))
/** V8 cuts strings off in a snapshot unless told otherwise. */
const FLAGS = ['--heap-snapshot-string-limit=1000000000', '--import', 'tsx']

/** The forms of the DEK, or of its halves, that the strings of each snapshot show. */
async function shown(mode: 'bytes' | 'text'): Promise<{ readonly [moment: string]: string[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'fieldseal-google-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const emulator = await startEmulator()
  const { host, port, ca, keyId, accounts } = emulator
  const place = join(folder, 'place.json')
  writeFileSync(place, JSON.stringify({ host, port, ca, keyId, account: accounts[0] }))
  const { stdout } = await promisify(execFile)(process.execPath, [...FLAGS, program, place, folder, mode])
  const { identity, wrapped } = JSON.parse(stdout) as { identity: DekIdentity; wrapped: WrappedDek }
  const dek = await googleKms({ client: clientOf(emulator), keyId }).unwrap(wrapped, identity)
  const secrets = [dek, dek.subarray(0, 15), dek.subarray(15, 30)]
  const files = readdirSync(folder).filter((name) => name.endsWith('.heapsnapshot'))
  return Object.fromEntries(
    files.toSorted().map((name) => {
      const text = (JSON.parse(readFileSync(join(folder, name), 'utf8')) as { strings: string[] }).strings.join('\n')
      expect(text).toContain(identity.key)
      const forms = secrets.flatMap((secret) => formsIn(text, secret, asWritten))
      return [name.slice(mode.length + 1).replace('.heapsnapshot', ''), [...new Set(forms)]]
    }),
  )
}

it('makes no DEK a JavaScript string, from Google’s answer to the caller', async () => {
  expect(await shown('bytes')).toEqual({ 'decrypt-answered': [], 'encrypt-answered': [], unwrapped: [] })
})

it('would be found to do so: the same search finds a DEK that a program made one', async () => {
  expect((await shown('text')).unwrapped).toContain('base64')
})
