import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CryptographyClient, KeyClient } from '@azure/keyvault-keys'
import { describe, expect, it } from '@jest/globals'
import { type AzureKmsEmulator, startAzureKmsEmulator } from 'fieldseal/testing'
import { startEmulator } from '../../kms/azure/start.js'
import { onTestFinished } from '../../support/onTestFinished.js'
import { codeIn, SCOPE, send, statusOf, VERSION } from './send.js'

const bytes = Buffer.from('a DEK, say')

function keyClient(emulator: AzureKmsEmulator): KeyClient {
  return new KeyClient(emulator.url, emulator.credential, emulator.clientOptions())
}

function cryptographyClient(emulator: AzureKmsEmulator, keyId = emulator.keyId): CryptographyClient {
  return new CryptographyClient(keyId, emulator.credential, emulator.clientOptions())
}

describe('startAzureKmsEmulator, AES-GCM', () => {
  it('encrypts and decrypts with the SDK, bound to the AAD, under the version that the answer names', async () => {
    const emulator = await startEmulator()
    const client = cryptographyClient(emulator)
    const additionalAuthenticatedData = Buffer.from('context')
    const { result, iv, authenticationTag } = await client.encrypt({
      algorithm: 'A256GCM',
      plaintext: bytes,
      additionalAuthenticatedData,
    })
    expect([iv?.length, authenticationTag?.length, result.length]).toEqual([12, 16, bytes.length])
    const sealed = { algorithm: 'A256GCM', ciphertext: result, iv: iv!, authenticationTag: authenticationTag! } as const
    const opened = await client.decrypt({ ...sealed, additionalAuthenticatedData })
    expect(Buffer.from(opened.result)).toEqual(bytes)
    const [other, none] = [Buffer.from('other'), Buffer.alloc(0)]
    for (const aad of [other, none])
      expect(await statusOf(client.decrypt({ ...sealed, additionalAuthenticatedData: aad }))).toEqual([
        400,
        'BadParameter',
      ])
    emulator.keys.rotate('fieldseal')
    expect(await statusOf(client.decrypt({ ...sealed, additionalAuthenticatedData }))).toEqual([400, 'BadParameter'])
  })

  it.each([
    ['an IV of the caller', { iv: 'AAAAAAAAAAAAAAAA' }],
    ['another size', { alg: 'A128GCM' }],
    ['RSA', { alg: 'RSA-OAEP-256' }],
    ['AES key wrap', { alg: 'A256KW' }],
    ['no algorithm', { alg: undefined }],
    ['no value', { value: undefined }],
    ['a value that is no base64url', { value: 'a+b/' }],
  ])('refuses to encrypt with %s', async (_, change) => {
    const emulator = await startEmulator()
    const { token } = await emulator.credential.getToken(SCOPE)
    const body = { alg: 'A256GCM', value: 'AAAA', ...change }
    const answer = await send(emulator, 'POST', `/keys/fieldseal//encrypt?${VERSION}`, token, body)
    expect([answer.status, codeIn(answer)]).toEqual([400, 'BadParameter'])
  })

  it('refuses a request without an api-version', async () => {
    const emulator = await startEmulator()
    const { token } = await emulator.credential.getToken(SCOPE)
    for (const query of ['', '?api-version=1.0']) {
      const answer = await send(emulator, 'GET', `/keys/fieldseal${query}`, token)
      expect([answer.status, codeIn(answer)]).toEqual([400, 'BadParameter'])
    }
  })
})

describe('startAzureKmsEmulator, keys', () => {
  it('makes, shows, lists, changes and rotates keys, as the SDK asks', async () => {
    const emulator = await startEmulator()
    const operators = keyClient(emulator)
    const made = await operators.createKey('made', 'oct-HSM', { keySize: 256, keyOps: ['encrypt', 'decrypt'] })
    expect([made.keyType, made.keyOperations, made.key?.k]).toEqual(['oct-HSM', ['encrypt', 'decrypt'], undefined])
    expect((await operators.getKey('MADE')).id).toBe(made.id)
    const rotated = await operators.rotateKey('made')
    expect((await operators.getKey('made')).id).toBe(rotated.id)
    expect((await operators.getKey('made', { version: made.properties.version! })).id).toBe(made.id)
    const versions: (string | undefined)[] = []
    for await (const { id } of operators.listPropertiesOfKeyVersions('made')) versions.push(id)
    expect(versions).toEqual([made.id, rotated.id])
    const names: string[] = []
    for await (const { name } of operators.listPropertiesOfKeys()) names.push(name)
    expect(names).toEqual(['fieldseal', 'made'])
    const changed = await operators.updateKeyProperties('made', { enabled: false })
    expect([changed.id, changed.properties.enabled]).toEqual([rotated.id, false])
  })

  it('shows the public parts of RSA and EC keys', async () => {
    const operators = keyClient(await startEmulator())
    const rsa = await operators.createRsaKey('rsa', { hsm: true, keySize: 2048 })
    const ec = await operators.createEcKey('ec', { hsm: true })
    expect([rsa.keyType, rsa.key?.n?.length, rsa.key?.d]).toEqual(['RSA-HSM', 256, undefined])
    expect([ec.keyType, ec.key?.x?.length, ec.key?.d]).toEqual(['EC-HSM', 32, undefined])
  })

  it.each([
    ['has no size of its type', { kty: 'oct-HSM', key_size: 512 }],
    ['is of no type', { kty: 'oct' }],
    ['says no type', {}],
  ])('refuses a key that %s', async (_, body) => {
    const emulator = await startEmulator()
    const { token } = await emulator.credential.getToken(SCOPE)
    const answer = await send(emulator, 'POST', `/keys/new/create?${VERSION}`, token, body)
    expect([answer.status, codeIn(answer)]).toEqual([400, 'BadParameter'])
  })

  it('deletes softly: what is deleted cannot be used, keeps its name, and can be recovered until it is purged', async () => {
    let now = Date.now()
    const emulator = await startEmulator({ now: () => now })
    const operators = keyClient(emulator)
    const { keys } = emulator
    const { version } = keys.version('fieldseal')
    await (await operators.beginDeleteKey('fieldseal', { intervalInMs: 10 })).pollUntilDone()
    expect(await statusOf(operators.getKey('fieldseal'))).toEqual([404, 'KeyNotFound'])
    expect(await statusOf(operators.createKey('fieldseal', 'oct-HSM'))).toEqual([409, 'Conflict'])
    const deleted = await operators.getDeletedKey('fieldseal')
    const [purge, from] = [deleted.properties.scheduledPurgeDate!, deleted.properties.deletedOn!]
    expect(purge.getTime() - from.getTime()).toBe(90 * 86_400_000)
    await (await operators.beginRecoverDeletedKey('fieldseal', { intervalInMs: 10 })).pollUntilDone()
    expect(keys.version('fieldseal').version).toBe(version)
    keys.delete('fieldseal')
    now += 91 * 86_400_000
    expect(keys.deleted).toEqual([])
    keys.create({ name: 'again' })
    keys.delete('again')
    // The first one's token is of three months ago.
    const later = keyClient(emulator)
    await later.purgeDeletedKey('again')
    expect(await statusOf(later.getDeletedKey('again'))).toEqual([404, 'KeyNotFound'])
  })

  it('keeps its keys in the state file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hsm-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const stateFile = join(folder, 'state.json')
    const first = await startAzureKmsEmulator({ stateFile })
    first.keys.rotate('fieldseal')
    first.keys.create({ name: 'gone' })
    first.keys.delete('gone')
    await first.close()
    const second = await startEmulator({ stateFile })
    expect(second.keys.find('fieldseal')).toEqual(first.keys.find('fieldseal'))
    expect([second.keys.list.length, second.keys.deleted.length]).toEqual([1, 1])
  })

  it.each([
    ['keys', { keys: [] }],
    ['keys', { keys: [{ name: 'two words' }] }],
    ['keys', { keys: [{ name: 'short', size: 512 }] }],
    ['principals', { principals: [] }],
    ['limits', { limits: { encrypt: -1 } }],
  ])('refuses bad %s', async (option, options) => {
    await expect(startAzureKmsEmulator(options)).rejects.toMatchObject({
      code: 'OPTIONS_INVALID',
      message: expect.stringContaining(option),
    })
  })
})

describe('startAzureKmsEmulator, trouble', () => {
  it('throttles by the second, and says how long to wait', async () => {
    const emulator = await startEmulator({ limits: { getKey: 1 } })
    const { token } = await emulator.credential.getToken(SCOPE)
    const ask = () => send(emulator, 'GET', `/keys/fieldseal?${VERSION}`, token)
    expect((await ask()).status).toBe(200)
    const answer = await ask()
    expect([answer.status, codeIn(answer), answer.headers['retry-after']]).toEqual([429, 'Throttled', '1'])
  })

  it('gives an injected error the status and the inner code that the service gives it', async () => {
    const emulator = await startEmulator()
    const { token } = await emulator.credential.getToken(SCOPE)
    emulator.faults.add({ kind: 'error', code: 'KeyDisabled' })
    const { status, text } = await send(emulator, 'GET', `/keys/fieldseal?${VERSION}`, token)
    expect([status, JSON.parse(text)]).toEqual([
      403,
      { error: { code: 'Forbidden', message: 'This error was injected.', innererror: { code: 'KeyDisabled' } } },
    ])
  })

  it('lets another process look on, and knows nothing of paths that are none of the service', async () => {
    const emulator = await startEmulator({ admin: true })
    const { token } = await emulator.credential.getToken(SCOPE)
    const seen = await send(emulator, 'GET', '/_emulator/keys')
    expect(JSON.parse(seen.text)).toEqual([{ name: 'fieldseal', type: 'oct-HSM', size: 256, versions: 1 }])
    for (const path of ['/secrets/fieldseal', '/keys/fieldseal/1/2/3']) {
      const answer = await send(emulator, 'GET', `${path}?${VERSION}`, token)
      expect([answer.status, codeIn(answer)]).toEqual([404, 'NotFound'])
    }
  })
})
