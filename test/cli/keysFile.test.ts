import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals'
import { type KeysFile, readKeysFile, writeKeysFile } from '../../src/cli/keysFile.js'
import type { CopiedKey } from '../../src/keys/keyStore.js'
import { refusal } from '../support/refusal.js'

const folder = mkdtempSync(join(tmpdir(), 'fieldseal-keys-'))
const file = join(folder, 'keys.jsonl')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const key: CopiedKey = {
  ...{ id: '3d1f0a52-9b7e-8c41-a6d0-5f2e00000001', tenant: 'ac\nme', purpose: 'encrypt', version: 1, state: 'retired' },
  ...{ wrapped: 'a text', kms: 'local', kekId: 'a', messages: 2 ** 33, destroyedAt: null },
  ...{ createdAt: new Date('2026-01-01T00:00:00.123Z'), retiredAt: new Date('2026-02-01T00:00:00Z') },
}
const content: KeysFile = { exportedAt: new Date('2026-03-01T00:00:00Z'), keys: [key, { ...key, wrapped: null }] }
beforeEach(() => writeKeysFile(file, content))

describe('a file of keys', () => {
  it('gives back what was written, and is for its owner alone', async () => {
    expect(await readKeysFile(file)).toEqual(content)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder)).toEqual(['keys.jsonl'])
  })

  it('is replaced as a whole, and stays as it was where that fails', async () => {
    await writeKeysFile(file, { ...content, keys: [key] })
    expect((await readKeysFile(file))!.keys).toEqual([key])
    const error = await refusal(() => writeKeysFile(join(folder, 'nowhere', 'keys.jsonl'), content))
    expect(error).toMatchObject({ code: 'OPTIONS_INVALID', message: expect.stringContaining('could not be written') })
  })

  it('that is not there is none', async () => {
    expect(await readKeysFile(join(folder, 'other.jsonl'))).toBeNull()
  })

  it('is refused when it is cut off, changed, or something else', async () => {
    const text = readFileSync(file, 'utf8')
    const lines = text.split('\n')
    for (const [bad, why] of [
      [text.slice(0, -20), /not whole, or was changed/],
      [lines.toSpliced(1, 1).join('\n'), /not whole, or was changed/],
      [text.replace('"retired"', '"active"'), /not whole, or was changed/],
      [lines.slice(0, -2).join('\n'), /not whole, or was changed/],
      ['', /is not what `fieldseal keys export` writes/],
      ['{"a": 1}\n{}\n', /is not what `fieldseal keys export` writes/],
    ] as const) {
      writeFileSync(file, bad)
      expect(await refusal(() => readKeysFile(file))).toMatchObject({ message: expect.stringMatching(why) })
    }
    for (const [bad, why] of [
      [{ ...key, version: '1' }, /a line that is no key/],
      [{ ...key, createdAt: 'soon' }, /a line with no time/],
    ] as const) {
      await writeKeysFile(file, { ...content, keys: [bad as never] })
      expect(await refusal(() => readKeysFile(file))).toMatchObject({ message: expect.stringMatching(why) })
    }
  })
})
