import { randomBytes } from 'node:crypto'
import { CryptographyClient } from '@azure/keyvault-keys'
import { describe, expect, it } from '@jest/globals'
import { azureKms } from 'fieldseal/azure-kms'
import { probeKms } from '../../../src/keys/kmsProbe.js'
import type { AzureClientOf, AzureCryptographyClient } from '../../../src/kms/azure/azureClient.js'
import type { AzureKmsOptions } from '../../../src/kms/azure/azureOptions.js'
import { refusal } from '../../support/refusal.js'
import { identity, kmsOf, start, startEmulator } from './start.js'

const KEY_ID = 'https://contoso.managedhsm.azure.net/keys/fieldseal'

describe('azureKms, options', () => {
  const never: AzureClientOf = () => {
    throw new Error('not reached')
  }

  it.each([
    ['client', { client: undefined as never }],
    ['client', { client: new CryptographyClient({ kty: 'oct', k: randomBytes(32) }) as never }],
    ['keyId', { keyId: undefined as never }],
    ['keyId', { keyId: '' }],
    ['keyId', { keyId: 'fieldseal' }],
    ['keyId', { keyId: `${KEY_ID}/0123456789abcdef0123456789abcdef` }],
    ['keyId', { keyId: `${KEY_ID}/` }],
    ['keyId', { keyId: `${KEY_ID}?x=1` }],
    ['keyId', { keyId: KEY_ID.replace('https', 'http') }],
    ['keyId', { keyId: KEY_ID.replace('contoso', 'Contoso') }],
    ['keyId', { keyId: KEY_ID.replace('contoso', 'user:secret@contoso') }],
    ['keyId', { keyId: KEY_ID.replace('keys', 'secrets') }],
    ['formerKeyIds', { formerKeyIds: ['fieldseal'] }],
    ['timeout', { timeout: 0 }],
    ['attemptTimeout', { attemptTimeout: 5_000, timeout: 4_000 }],
    ['algorithm', { algorithm: 'RSA-OAEP-256' } as never],
  ])('refuses a bad "%s" when they are given', (option, wrong: Partial<AzureKmsOptions>) => {
    expect(() => azureKms({ client: never, keyId: KEY_ID, ...wrong })).toThrow(
      expect.objectContaining({ code: 'OPTIONS_INVALID', message: expect.stringContaining(`"${option}"`) }),
    )
  })

  it.each<[string, AzureClientOf, string]>([
    ['throws', never, 'failed'],
    ['gives nothing', () => undefined as never, 'no CryptographyClient'],
    [
      'gives a client that encrypts in this process',
      () => new CryptographyClient({ kid: KEY_ID, kty: 'oct', k: randomBytes(32) }) as never,
      'JsonWebKey',
    ],
    [
      'gives the client of another key',
      () => new CryptographyClient(`${KEY_ID}2`, { getToken: async () => null }),
      'another key',
    ],
  ])('refuses a client function that %s, when it is asked', async (_, client, why) => {
    const error = await refusal(() => azureKms({ client, keyId: KEY_ID }).generate(identity()))
    expect([error.code, error.message]).toEqual(['OPTIONS_INVALID', expect.stringContaining(why)])
  })
})

describe('azureKms, keys that authenticate nothing', () => {
  const types = [
    ['RSA-HSM', 2048],
    ['EC-HSM', 256],
    ['oct-HSM', 128],
  ] as const

  it.each(types)(
    'refuses a key of type %s with %i bits, and says why, before anything is stored',
    async (type, size) => {
      const { emulator, kms } = await start({}, { keys: [{ name: 'wrong', type, size }] })
      const error = await refusal(() => kms.generate(identity()))
      expect(error.code).toBe('KMS_REFUSED')
      expect(error.message).toContain('whoever writes the database could plant a DEK that they know')
      const failures = await probeKms(kms, 'acme', true)
      expect(failures.map(({ action, error: { code } }) => [action, code])).toEqual([
        ['generate', 'KMS_REFUSED'],
        ['encrypt', 'KMS_REFUSED'],
      ])
      expect(emulator.calls.log.some(({ result }) => result === 'ok')).toBe(false)
    },
  )

  it('refuses an answer that has no tag, as RSA and AES key wrap give it', async () => {
    const { emulator, kms } = await start()
    emulator.faults.add({ kind: 'body', action: 'encrypt', body: (answer) => without(answer, 'iv', 'tag') })
    const error = await refusal(() => kms.generate(identity()))
    expect([error.code, error.message]).toEqual(['KMS_REFUSED', expect.stringContaining('no authenticated encryption')])
  })

  it('uses no answer that came from no service', async () => {
    const [iv, tag] = [Buffer.alloc(12), Buffer.alloc(16)]
    const local: AzureCryptographyClient = {
      vaultUrl: 'https://contoso.managedhsm.azure.net',
      keyID: KEY_ID,
      encrypt: async ({ plaintext }) => ({ result: plaintext, iv, authenticationTag: tag, keyID: KEY_ID }),
      decrypt: async ({ ciphertext }) => ({ result: ciphertext }),
    }
    const error = await refusal(() => azureKms({ client: () => local, keyId: KEY_ID }).generate(identity()))
    expect([error.code, error.message]).toEqual(['KMS_REFUSED', expect.stringContaining('came from no service')])
  })
})

function without(answer: string, ...names: string[]): string {
  const fields = Object.entries(JSON.parse(answer) as object).filter(([name]) => !names.includes(name))
  return JSON.stringify(Object.fromEntries(fields))
}

describe('azureKms, what is sent', () => {
  it('is one encrypt or decrypt with the context, after a challenge for each client, and no other permission', async () => {
    const principal = { id: 'app', operations: ['encrypt', 'decrypt'], keys: ['fieldseal'] } as const
    const { emulator, kms } = await start({}, { principals: [principal] })
    const whose = identity()
    const { dek, ...wrapped } = await kms.generate(whose)
    expect(await kms.unwrap(wrapped, whose)).toEqual(dek)
    const context = `{"key":"${whose.key}","purpose":"encrypt","tenant":"acme"}`
    expect(emulator.calls.log.map(({ action, encryptionContext }) => [action, encryptionContext])).toEqual([
      ['challenge', undefined],
      ['encrypt', context],
      ['challenge', undefined],
      ['decrypt', context],
    ])
    await Promise.all([kms.generate(whose), kms.unwrap(wrapped, whose)])
    expect(emulator.calls.byAction).toEqual({ challenge: 2, encrypt: 2, decrypt: 2 })
  })

  it('names the version in the row and in the text, as the service said it', async () => {
    const { emulator, kms } = await start()
    const { wrapped, kekId } = await kms.generate(identity())
    const { version } = emulator.keys.version('fieldseal')
    expect(kekId).toBe(`${emulator.keyId}/${version}`)
    expect(wrapped).toMatch(new RegExp(`^fsaz1\\.[0-9a-f]{16}\\.${version}\\.[\\w-]{16}\\.[\\w-]{64}$`))
  })

  it('takes the name of a key in another case for the same, as the service does', async () => {
    const emulator = await startEmulator({ keys: [{ name: 'FieldSeal' }] })
    const kms = kmsOf(emulator, { keyId: emulator.idOf('fieldseal') })
    const whose = identity()
    const { dek, ...wrapped } = await kms.generate(whose)
    expect(await kms.unwrap(wrapped, whose)).toEqual(dek)
  })

  it.each(['encrypt', 'decrypt'] as const)('refuses an answer of %s that names another key', async (action) => {
    const { emulator, kms } = await start()
    const whose = identity()
    const made = await kms.generate(whose)
    const body = (answer: string) => answer.replace('/keys/fieldseal/', '/keys/foreign/')
    emulator.faults.add({ kind: 'body', action, body })
    const error = await refusal(() => (action === 'encrypt' ? kms.generate(whose) : kms.unwrap(made, whose)))
    expect([error.code, error.message]).toEqual(['KMS_REFUSED', expect.stringContaining('keys/foreign')])
  })

  it('asks again when requests at the start overtake the one whose body the SDK holds back', async () => {
    const { emulator, kms } = await start({ concurrency: 50 })
    emulator.faults.add({ kind: 'delay', action: 'challenge', ms: 150 })
    const whose = Array.from({ length: 20 }, () => identity())
    const made = await Promise.all(whose.map((each) => kms.generate(each)))
    expect(new Set(made.map(({ wrapped }) => wrapped)).size).toBe(20)
    const opened = await Promise.all(made.map((each, at) => kms.unwrap(each, whose[at]!)))
    expect(opened).toEqual(made.map(({ dek }) => dek))
  })
})
