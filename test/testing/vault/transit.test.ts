import { createDecipheriv, hkdfSync } from 'node:crypto'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { onTestFinished } from '../../support/onTestFinished.js'
import { ask, base64, startVault } from './ask.js'

const KEY = 'transit/keys/fieldseal'
const CONTEXT = base64('{"tenant":"acme"}')
const ITEM = { plaintext: base64('value'), context: CONTEXT }

async function ciphertextOf(emulator: Awaited<ReturnType<typeof startVault>>): Promise<string> {
  return (await ask(emulator, 'POST', 'transit/encrypt/fieldseal', ITEM)).json.data.ciphertext
}

describe('the Vault emulator, keys', () => {
  it('describes a key as the API does', async () => {
    const emulator = await startVault({ now: () => 1_800_000_000_000 })
    expect(await ask(emulator, 'GET', KEY)).toMatchObject({
      status: 200,
      json: {
        request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        lease_id: '',
        auth: null,
        data: {
          name: 'fieldseal',
          type: 'aes256-gcm96',
          derived: true,
          exportable: false,
          allow_plaintext_backup: false,
          convergent_encryption: false,
          deletion_allowed: false,
          kdf: 'hkdf_sha256',
          keys: { 1: 1_800_000_000 },
          latest_version: 1,
          min_available_version: 0,
          min_decryption_version: 1,
          min_encryption_version: 0,
        },
      },
    })
    expect(await ask(emulator, 'GET', 'transit/keys/none')).toMatchObject({ status: 404, json: { errors: [] } })
  })

  it('creates, lists, rotates, configures, trims and deletes', async () => {
    const emulator = await startVault()
    expect((await ask(emulator, 'POST', 'transit/keys/other', { derived: true })).status).toBe(200)
    expect((await ask(emulator, 'POST', 'transit/keys/other', {})).json.warnings).toEqual(['key other already existed'])
    const list = await ask(emulator, 'GET', 'transit/keys?list=true')
    expect(list.json.data.keys).toEqual(['fieldseal', 'other'])
    expect((await ask(emulator, 'PUT', `${KEY}/rotate`, {})).json.data.latest_version).toBe(2)
    expect((await ask(emulator, 'POST', `${KEY}/config`, { min_decryption_version: 3 })).json).toEqual({
      errors: ['cannot set min decryption version of 3, latest key version is 2'],
    })
    expect((await ask(emulator, 'POST', `${KEY}/trim`, { min_available_version: 2 })).status).toBe(400)
    const versions = { min_decryption_version: 2, min_encryption_version: 2 }
    expect((await ask(emulator, 'POST', `${KEY}/config`, versions)).json.data.keys).toEqual({ 2: expect.any(Number) })
    expect(
      (await ask(emulator, 'POST', `${KEY}/trim`, { min_available_version: 2 })).json.data.min_available_version,
    ).toBe(2)
    expect((await ask(emulator, 'DELETE', KEY)).json.errors[0]).toContain('deletion is not allowed for this key')
    await ask(emulator, 'POST', `${KEY}/config`, { deletion_allowed: true })
    expect((await ask(emulator, 'DELETE', KEY)).status).toBe(204)
    expect((await ask(emulator, 'GET', KEY)).status).toBe(404)
  })

  it('takes back nothing that opens a key up', async () => {
    const emulator = await startVault()
    await ask(emulator, 'POST', `${KEY}/config`, { exportable: true, allow_plaintext_backup: true })
    const { data } = (
      await ask(emulator, 'POST', `${KEY}/config`, { exportable: false, allow_plaintext_backup: false })
    ).json
    expect(data).toMatchObject({ exportable: true, allow_plaintext_backup: true })
  })

  it.each([
    [{ type: 'rot13' }, 'unknown key type rot13'],
    [{ convergent_encryption: true }, 'convergent encryption requires derivation to be enabled'],
  ])('refuses to create %j', async (settings, message) => {
    const answer = await ask(await startVault(), 'POST', 'transit/keys/new', settings)
    expect(answer).toMatchObject({ status: 400, json: { errors: [message] } })
  })

  it('soft-deletes and restores as OpenBao, and not as Vault', async () => {
    const [bao, vault] = [await startVault({ product: 'openbao' }), await startVault()]
    expect((await ask(vault, 'DELETE', `${KEY}/soft-delete`)).status).toBe(404)
    expect((await ask(bao, 'DELETE', `${KEY}/soft-delete`)).status).toBe(204)
    expect((await ask(bao, 'GET', KEY)).json.data.soft_deleted).toBe(true)
    expect((await ask(bao, 'POST', 'transit/encrypt/fieldseal', ITEM)).status).toBe(400)
    expect((await ask(bao, 'POST', `${KEY}/soft-delete-restore`)).status).toBe(204)
    expect((await ask(bao, 'POST', 'transit/encrypt/fieldseal', ITEM)).status).toBe(200)
  })

  it('keeps keys in a file that only its owner may read', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fieldseal-vault-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const stateFile = join(folder, 'state.json')
    const first = await startVault({ stateFile })
    const ciphertext = await ciphertextOf(first)
    first.keys.rotate('transit/fieldseal')
    await first.close()
    expect(statSync(stateFile).mode & 0o777).toBe(0o600)
    const second = await startVault({ stateFile })
    const answer = await ask(second, 'POST', 'transit/decrypt/fieldseal', { ciphertext, context: CONTEXT })
    expect(answer.json.data.plaintext).toBe(base64('value'))
    expect((await ask(second, 'GET', KEY)).json.data.latest_version).toBe(2)
  })
})

describe('the Vault emulator, one item', () => {
  it('derives with HKDF-SHA-256 and the context as info, as Vault does', async () => {
    const emulator = await startVault()
    const bytes = Buffer.from((await ciphertextOf(emulator)).slice('vault:v1:'.length), 'base64')
    const { key } = emulator.keys.get('transit/fieldseal')!.versions[0]!
    const secret = Buffer.from(hkdfSync('sha256', key, '', Buffer.from(CONTEXT, 'base64'), 32))
    const decipher = createDecipheriv('aes-256-gcm', secret, bytes.subarray(0, 12)).setAuthTag(bytes.subarray(-16))
    expect(Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString()).toBe('value')
  })

  it('makes data keys of 128, 256 and 512 bits, in the clear or not', async () => {
    const emulator = await startVault()
    for (const bits of [128, 256, 512]) {
      const { data } = (await ask(emulator, 'POST', 'transit/datakey/plaintext/fieldseal', { context: CONTEXT, bits }))
        .json
      expect(Buffer.from(data.plaintext, 'base64')).toHaveLength(bits / 8)
      const body = { ciphertext: data.ciphertext, context: CONTEXT }
      expect((await ask(emulator, 'POST', 'transit/decrypt/fieldseal', body)).json.data.plaintext).toBe(data.plaintext)
    }
    const wrapped = await ask(emulator, 'POST', 'transit/datakey/wrapped/fieldseal', { context: CONTEXT })
    expect(Object.keys(wrapped.json.data)).toEqual(['ciphertext', 'key_version'])
    expect(
      (await ask(emulator, 'POST', 'transit/datakey/plaintext/fieldseal', { context: CONTEXT, bits: 64 })).json,
    ).toEqual({ errors: ['invalid bit length'] })
  })

  it('ignores a context where the key is not derived: that is the danger', async () => {
    const emulator = await startVault({ keys: { 'transit/fieldseal': {} } })
    const body = { ciphertext: await ciphertextOf(emulator), context: base64('another') }
    expect((await ask(emulator, 'POST', 'transit/decrypt/fieldseal', body)).json.data.plaintext).toBe(base64('value'))
  })

  it('encrypts convergently where the key says so', async () => {
    const emulator = await startVault({ keys: { 'transit/fieldseal': { derived: true, convergent_encryption: true } } })
    expect(await ciphertextOf(emulator)).toBe(await ciphertextOf(emulator))
  })

  it.each<[string, object, string]>([
    ['decrypt', { ciphertext: 'nonsense', context: CONTEXT }, 'invalid ciphertext: no prefix'],
    ['decrypt', { ciphertext: 'vault:v1', context: CONTEXT }, 'invalid ciphertext: wrong number of fields'],
    [
      'decrypt',
      { ciphertext: 'vault:vx:AAAA', context: CONTEXT },
      'invalid ciphertext: version number could not be decoded',
    ],
    ['decrypt', { ciphertext: 'vault:v2:AAAA', context: CONTEXT }, 'invalid ciphertext: version is too new'],
    ['decrypt', { ciphertext: 'vault:v1:!', context: CONTEXT }, 'invalid ciphertext: could not decode base64'],
    ['decrypt', { ciphertext: 'vault:v1:AAAA', context: CONTEXT }, 'invalid ciphertext length'],
    [
      'decrypt',
      { ciphertext: `vault:v1:${'A'.repeat(80)}`, context: CONTEXT },
      'cipher: message authentication failed',
    ],
    ['decrypt', { ciphertext: 'vault:v1:AAAA' }, "missing 'context' for key derivation"],
    ['decrypt', { context: CONTEXT }, 'missing ciphertext to decrypt'],
    ['decrypt', { batch_input: [] }, 'missing batch input to process'],
    ['encrypt', { context: CONTEXT }, 'missing plaintext to encrypt'],
    ['encrypt', { plaintext: '!', context: CONTEXT }, 'illegal base64 data'],
    ['encrypt', { ...ITEM, key_version: 2 }, 'higher than the latest key version'],
  ])('refuses to %s %j', async (operation, body, message) => {
    const answer = await ask(await startVault(), 'POST', `transit/${operation}/fieldseal`, body)
    expect(answer).toMatchObject({ status: 400, json: { errors: [expect.stringContaining(message)] } })
  })

  it('has old versions opened until they are disallowed, and gone once trimmed', async () => {
    const emulator = await startVault()
    const body = { ciphertext: await ciphertextOf(emulator), context: CONTEXT }
    emulator.keys.rotate('transit/fieldseal')
    expect((await ask(emulator, 'POST', 'transit/decrypt/fieldseal', body)).status).toBe(200)
    const moved = (await ask(emulator, 'POST', 'transit/rewrap/fieldseal', body)).json.data
    expect(moved).toEqual({ ciphertext: expect.stringMatching(/^vault:v2:/), key_version: 2 })
    emulator.keys.configure('transit/fieldseal', { min_decryption_version: 2, min_encryption_version: 2 })
    expect((await ask(emulator, 'POST', 'transit/decrypt/fieldseal', body)).json.errors).toEqual([
      'ciphertext or signature version is disallowed by policy (too old)',
    ])
  })
})

describe('the Vault emulator, many items', () => {
  const bad = { ciphertext: `vault:v1:${'A'.repeat(80)}`, context: CONTEXT }

  it.each<[string, object, number]>([
    ['400', {}, 400],
    ['the status that is asked for', { partial_failure_response_code: 207 }, 207],
  ])('answers %s where some fail, with all results', async (_what, extra, status) => {
    const emulator = await startVault()
    const good = { ciphertext: await ciphertextOf(emulator), context: CONTEXT, reference: 'mine' }
    const answer = await ask(emulator, 'POST', 'transit/decrypt/fieldseal', { batch_input: [bad, good], ...extra })
    expect(answer).toMatchObject({
      status,
      json: {
        data: {
          batch_results: [
            { plaintext: '', error: 'cipher: message authentication failed', reference: '' },
            { plaintext: base64('value'), reference: 'mine' },
          ],
        },
      },
    })
  })

  it('answers 400 where all fail, whatever is asked for', async () => {
    const body = { batch_input: [bad, bad], partial_failure_response_code: 200 }
    const { status, json } = await ask(await startVault(), 'POST', 'transit/decrypt/fieldseal', body)
    expect([status, json.data.batch_results.length]).toEqual([400, 2])
  })

  it('gives up on the whole of a rewrap for what does not decrypt, and on one item for what is misshapen', async () => {
    const emulator = await startVault()
    const good = { ciphertext: await ciphertextOf(emulator), context: CONTEXT }
    const whole = await ask(emulator, 'POST', 'transit/rewrap/fieldseal', { batch_input: [good, bad] })
    expect(whole).toMatchObject({
      status: 500,
      json: { errors: [expect.stringContaining('message authentication failed')] },
    })
    const misshapen = { ciphertext: 'nonsense', context: CONTEXT }
    const { status, json } = await ask(emulator, 'POST', 'transit/rewrap/fieldseal', { batch_input: [good, misshapen] })
    expect([status, json.data.batch_results[1].error]).toEqual([200, 'invalid ciphertext: no prefix'])
  })

  it('wants a context for all or for none', async () => {
    const body = { batch_input: [ITEM, { plaintext: base64('x') }] }
    expect((await ask(await startVault(), 'POST', 'transit/encrypt/fieldseal', body)).json.errors).toEqual([
      'context should be set either in all the request blocks or in none',
    ])
  })
})
