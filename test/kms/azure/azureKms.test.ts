import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { CryptographyClient, KeyClient } from '@azure/keyvault-keys'
import { describe, expect, it } from '@jest/globals'
import { azureKms } from 'fieldseal/azure-kms'
import type { AzureKmsEmulator } from 'fieldseal/testing'
import type { FieldsealError } from '../../../src/errors.js'
import type { ValueIdentity } from '../../../src/keys/kms.js'
import { probeKms } from '../../../src/keys/kmsProbe.js'
import type { AzureClientOf, AzureCryptographyClient } from '../../../src/kms/azure/azureClient.js'
import type { AzureKmsOptions } from '../../../src/kms/azure/azureOptions.js'
import { refusal } from '../../support/refusal.js'
import { clientOf, identity, kmsOf, start, startEmulator } from './start.js'

const KEY_ID = 'https://contoso.managedhsm.azure.net/keys/fieldseal'
const value: ValueIdentity = { aad: 'digest', field: 'User.apiKey', tenant: 'acme' }

async function failure(work: () => Promise<unknown>): Promise<FieldsealError> {
  return (await refusal(work)) as FieldsealError
}

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
    const error = await failure(() => azureKms({ client, keyId: KEY_ID }).generate(identity()))
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
      const error = await failure(() => kms.generate(identity()))
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
    const error = await failure(() => kms.generate(identity()))
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
    const error = await failure(() => azureKms({ client: () => local, keyId: KEY_ID }).generate(identity()))
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
    const error = await failure(() => (action === 'encrypt' ? kms.generate(whose) : kms.unwrap(made, whose)))
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

describe('azureKms, versions', () => {
  it('unwraps under the version of the row, wraps under the newest, and rewraps from one to the other', async () => {
    const { emulator, kms } = await start()
    const whose = identity()
    const { dek, ...old } = await kms.generate(whose)
    expect(await kms.rewrap!(old, whose)).toBe(old)
    emulator.keys.rotate('fieldseal')
    expect(await kms.unwrap(old, whose)).toEqual(dek)
    const moved = await kms.rewrap!(old, whose)
    expect(moved.kekId).toBe(`${emulator.keyId}/${emulator.keys.version('fieldseal').version}`)
    expect(moved.kekId).not.toBe(old.kekId)
    for (const each of [old, moved]) expect(await kms.unwrap(each, whose)).toEqual(dek)
    emulator.keys.update('fieldseal', { enabled: false }, old.kekId.slice(-32))
    expect(await kms.unwrap(moved, whose)).toEqual(dek)
    expect((await failure(() => kms.unwrap(old, whose))).code).toBe('KMS_KEY_UNUSABLE')
  })

  it('knows the newest version also with an SDK that remembers an older one', async () => {
    const emulator = await startEmulator()
    const client: AzureClientOf = (key) => new CryptographyClient(key.id, emulator.credential, emulator.clientOptions())
    const kms = kmsOf(emulator, { client })
    const whose = identity()
    const first = await kms.generate(whose)
    emulator.keys.rotate('fieldseal')
    const second = await kms.generate(whose)
    expect(second.kekId).not.toBe(first.kekId)
    expect(await kms.unwrap(second, whose)).toEqual(second.dek)
    expect(emulator.calls.count('getKey')).toBeGreaterThan(0)
  })

  it('unwraps under a version that has expired, and makes no DEK under it', async () => {
    let now = Date.now()
    const { emulator, kms } = await start({}, { now: () => now })
    const whose = identity()
    const { dek, ...wrapped } = await kms.generate(whose)
    emulator.keys.update('fieldseal', { expires: Math.floor(now / 1000) + 10 })
    now += 60_000
    expect(await kms.unwrap(wrapped, whose)).toEqual(dek)
    const error = await failure(() => kms.generate(whose))
    expect([error.code, error.message]).toEqual(['KMS_KEY_UNUSABLE', expect.stringContaining('KeyExpired')])
  })

  it('makes a client anew that remembers dates which were corrected', async () => {
    const emulator = await startEmulator({ keys: [{ name: 'fieldseal', expires: 1 }] })
    const client: AzureClientOf = (key) => new CryptographyClient(key.id, emulator.credential, emulator.clientOptions())
    const kms = kmsOf(emulator, { client })
    const error = await failure(() => kms.generate(identity()))
    expect([error.code, error.message]).toEqual(['KMS_KEY_UNUSABLE', expect.stringContaining('the key has expired')])
    emulator.keys.update('fieldseal', { expires: undefined })
    expect((await kms.generate(identity())).dek).toHaveLength(32)
  })

  it('does not believe a row that names a version which its text does not', async () => {
    const { emulator, kms } = await start()
    const whose = identity()
    const first = await kms.generate(whose)
    emulator.keys.rotate('fieldseal')
    const second = await kms.generate(whose)
    emulator.calls.reset()
    const mixed = { wrapped: first.wrapped, kekId: second.kekId }
    expect((await failure(() => kms.unwrap(mixed, whose))).code).toBe('KMS_REFUSED')
    expect((await failure(() => kms.unwrap({ ...mixed, kekId: emulator.keyId }, whose))).code).toBe('KMS_REFUSED')
    expect(emulator.calls.count()).toBe(0)
  })
})

describe('azureKms, keys of tenants', () => {
  async function ofTenants() {
    const emulator = await startEmulator({ keys: [{ name: 'ours' }, { name: 'acme' }, { name: 'globex' }] })
    const keyId = (tenant: string) => emulator.idOf(tenant === 'acme' || tenant === 'globex' ? tenant : 'ours')
    return { emulator, kms: kmsOf(emulator, { keyId }) }
  }

  it('sends no request for a DEK under another tenant’s key', async () => {
    const { emulator, kms } = await ofTenants()
    const whose = identity('acme')
    const planted = await kmsOf(emulator, { keyId: emulator.idOf('globex') }).wrap!(Buffer.alloc(32, 0x41), whose)
    emulator.calls.reset()
    for (const work of [() => kms.unwrap(planted, whose), () => kms.rewrap!(planted, whose)]) {
      const error = await failure(work)
      expect([error.code, error.message]).toEqual([
        'KMS_KEY_UNUSABLE',
        expect.stringContaining('does not name for tenant'),
      ])
    }
    expect(emulator.calls.count()).toBe(0)
  })

  it('lets a customer’s disabled key stop that customer only', async () => {
    const { emulator, kms } = await ofTenants()
    const made = await Promise.all(
      ['acme', 'globex', 'other'].map(async (tenant) => ({ tenant, ...(await of(tenant)) })),
    )
    async function of(tenant: string) {
      const whose = identity(tenant)
      return { whose, wrapped: await kms.generate(whose) }
    }
    emulator.keys.update('acme', { enabled: false })
    for (const { tenant, whose, wrapped } of made) {
      const opened = await kms.unwrap(wrapped, whose).catch((error: FieldsealError) => error.code)
      expect(opened).toEqual(tenant === 'acme' ? 'KMS_KEY_UNUSABLE' : wrapped.dek)
    }
  })

  it('moves a DEK and a value to another key, with the former one named', async () => {
    const { emulator, kms: old } = await ofTenants()
    const whose = identity('acme')
    const { dek, ...wrapped } = await old.generate(whose)
    const text = await old.encrypt(Buffer.from('secret'), value)
    const kms = kmsOf(emulator, { keyId: emulator.idOf('ours'), formerKeyIds: [emulator.idOf('acme')] })
    const moved = await kms.rewrap!(wrapped, whose)
    expect(moved.kekId.startsWith(`${emulator.idOf('ours')}/`)).toBe(true)
    expect(await kmsOf(emulator, { keyId: emulator.idOf('ours') }).unwrap(moved, whose)).toEqual(dek)
    expect(await kms.decrypt(text, value)).toEqual(Buffer.from('secret'))
    const error = await failure(() => kmsOf(emulator, { keyId: emulator.idOf('ours') }).decrypt(text, value))
    expect([error.code, error.message]).toEqual(['KMS_REFUSED', expect.stringContaining('formerKeyIds')])
  })
})

const [RETRIED, FINAL] = [3, 1]

describe('azureKms, errors of the API', () => {
  it.each([
    ['Throttled', 429, 'KMS_THROTTLED', RETRIED],
    ['InternalServerError', 500, 'KMS_UNAVAILABLE', RETRIED],
    ['ServiceUnavailable', 503, 'KMS_UNAVAILABLE', RETRIED],
    ['AccessDenied', 403, 'KMS_DENIED', FINAL],
    ['Forbidden', 403, 'KMS_DENIED', FINAL],
    ['KeyDisabled', 403, 'KMS_KEY_UNUSABLE', FINAL],
    ['KeyExpired', 403, 'KMS_KEY_UNUSABLE', FINAL],
    ['KeyNotYetValid', 403, 'KMS_KEY_UNUSABLE', FINAL],
    ['KeyOperationForbidden', 403, 'KMS_KEY_UNUSABLE', FINAL],
    ['KeyNotFound', 404, 'KMS_KEY_UNUSABLE', FINAL],
    ['ObjectIsDeletedButRecoverable', 409, 'KMS_KEY_UNUSABLE', FINAL],
    ['BadParameter', 400, 'KMS_REFUSED', FINAL],
    ['SomethingNobodyKnows', 400, 'KMS_REFUSED', FINAL],
  ])(
    '%s (%i) becomes %s after %i attempt(s), with status, request id, key and advice',
    async (code, status, ours, attempts) => {
      const { emulator, kms } = await start({ maxRetries: RETRIED - 1 })
      const whose = identity()
      const { dek: _, ...wrapped } = await kms.generate(whose)
      await kms.unwrap(wrapped, whose)
      for (const [action, keyId, work] of [
        ['encrypt', emulator.keyId, () => kms.generate(whose)],
        ['decrypt', wrapped.kekId, () => kms.unwrap(wrapped, whose)],
      ] as const) {
        emulator.calls.reset()
        emulator.faults.clear()
        emulator.faults.add({ kind: 'error', code, message: 'a message that stays behind', times: 'always' })
        const error = await failure(work)
        expect(error.code).toBe(ours)
        expect(emulator.calls.byAction).toEqual({ [action]: attempts })
        const requestId = emulator.calls.log.at(-1)?.requestId
        const times = attempts === 1 ? '1 attempt' : `${attempts} attempts`
        const begin = `Azure Managed HSM, ${action} with key ${keyId}: ${code} (HTTP ${status}) (request ${requestId}) after ${times}. `
        expect(error.message.slice(0, begin.length)).toBe(begin)
        expect(error.message.length).toBeGreaterThan(begin.length + 20)
        expect(error.cause).toEqual({ code, requestId, httpCode: status })
        expect(inspect(error)).not.toContain('stays behind')
      }
    },
  )

  it('is a permission that is missing, by its name', async () => {
    const { emulator, kms } = await start()
    const whose = identity()
    const made = await kms.generate(whose)
    emulator.permissions.deny('decrypt', 'fieldseal')
    const error = await failure(() => kms.unwrap(made, whose))
    expect([error.code, error.message]).toEqual([
      'KMS_DENIED',
      expect.stringContaining('Microsoft.KeyVault/managedHsm/keys/decrypt/action'),
    ])
  })

  it('is a token that is refused, also where the answer has no body, and another token is tried', async () => {
    const { emulator, kms } = await start()
    const whose = identity()
    const { dek, ...wrapped } = await kms.generate(whose)
    await kms.unwrap(wrapped, whose)
    emulator.faults.add({ kind: 'status', status: 401, action: 'decrypt', times: 1 })
    expect(await kms.unwrap(wrapped, whose)).toEqual(dek)
    emulator.faults.add({ kind: 'body', body: '', action: 'decrypt', times: 'always' })
    emulator.tokens.expire()
    const error = await failure(() => kms.unwrap(wrapped, whose))
    expect(error.code).toBe('KMS_DENIED')
    emulator.faults.clear()
    emulator.tokens.renew()
    expect(await kms.unwrap(wrapped, whose)).toEqual(dek)
  })

  it('is a credential that gives no token', async () => {
    const { emulator, kms } = await start()
    emulator.tokens.expire()
    const error = await failure(() => kms.generate(identity()))
    expect([error.code, error.message]).toEqual([
      'KMS_DENIED',
      expect.stringContaining('no token from Microsoft Entra ID'),
    ])
    expect(inspect(error)).not.toContain('AADSTS')
  })

  it.each([
    ['hangs up', { kind: 'hangUp', when: 'before' }],
    ['hangs up in its answer', { kind: 'hangUp', when: 'body' }],
    ['cuts its answer short', { kind: 'truncate' }],
    ['stalls', { kind: 'stall' }],
    ['is late', { kind: 'delay', ms: 2_000 }],
    ['answers with a gateway’s error', { kind: 'status', status: 502 }],
    ['answers something else', { kind: 'body', body: '<html>' }],
  ] as const)('is KMS_UNAVAILABLE when the service %s for long, and nothing when only once', async (_, fault) => {
    const { emulator, kms } = await start({ maxRetries: 1, attemptTimeout: 500 })
    const whose = identity()
    const { dek, ...wrapped } = await kms.generate(whose)
    await kms.unwrap(wrapped, whose)
    emulator.faults.add({ ...fault, action: 'decrypt', times: 1 })
    expect(await kms.unwrap(wrapped, whose)).toEqual(dek)
    emulator.faults.add({ ...fault, action: 'decrypt', times: 'always' })
    const error = await failure(() => kms.unwrap(wrapped, whose))
    expect(error.code).toBe('KMS_UNAVAILABLE')
    const shown = inspect(error, { depth: 9, showHidden: true }) + error.stack
    for (const form of ['base64', 'base64url', 'hex'] as const)
      expect(shown).not.toContain(dek.toString(form).slice(0, 12))
  })

  it('waits as long as the service asks, but not for ever', async () => {
    const { kms } = await start({ maxRetries: 5, attemptTimeout: 1_000 }, { limits: { encrypt: 1 } })
    await kms.generate(identity())
    const begin = performance.now()
    expect((await kms.generate(identity())).dek).toHaveLength(32)
    expect(performance.now() - begin).toBeGreaterThan(450)
  })

  it('is told where nobody listens', async () => {
    const emulator = await startEmulator()
    const kms = kmsOf(emulator, { maxRetries: 1 })
    await emulator.close()
    const error = await failure(() => kms.generate(identity()))
    expect([error.code, error.message]).toEqual(['KMS_UNAVAILABLE', expect.stringContaining('ECONNREFUSED')])
  })

  it('is told where the certificate is not trusted', async () => {
    const emulator = await startEmulator()
    const options = { retryOptions: { maxRetries: 0 } }
    const kms = kmsOf(emulator, {
      client: (key) => new CryptographyClient(key, emulator.credential, options),
      maxRetries: 0,
    })
    const error = await failure(() => kms.generate(identity()))
    expect([error.code, error.message]).toEqual(['KMS_UNAVAILABLE', expect.stringMatching(/self-signed|SELF_SIGNED/)])
  })
})

describe('azureKms, beside what operators do with the SDK', () => {
  const operatorsOf = (emulator: AzureKmsEmulator) =>
    new KeyClient(emulator.url, emulator.credential, emulator.clientOptions())

  it('goes on with a key that is made, rotated, deleted and recovered', async () => {
    const { emulator } = await start()
    const operators = operatorsOf(emulator)
    const { id } = await operators.createKey('later', 'oct-HSM', { keySize: 256 })
    const kms = kmsOf(emulator, { keyId: id!.slice(0, id!.lastIndexOf('/')) })
    const whose = identity()
    const { dek, ...wrapped } = await kms.generate(whose)
    expect(wrapped.kekId).toBe(id)
    const { id: rotated } = await operators.rotateKey('later')
    expect((await kms.rewrap!(wrapped, whose)).kekId).toBe(rotated)
    await (await operators.beginDeleteKey('later', { intervalInMs: 10 })).pollUntilDone()
    const error = await failure(() => kms.unwrap(wrapped, whose))
    expect([error.code, error.message]).toEqual(['KMS_KEY_UNUSABLE', expect.stringContaining('recover')])
    await (await operators.beginRecoverDeletedKey('later', { intervalInMs: 10 })).pollUntilDone()
    expect(await kms.unwrap(wrapped, whose)).toEqual(dek)
  })

  it('takes tokens from a credential of its own', async () => {
    const emulator = await startEmulator({ principals: [{ id: 'operator' }, { id: 'app', operations: ['encrypt'] }] })
    const kms = kmsOf(emulator, { client: clientOf(emulator, emulator.credentialOf({ principal: 'app' })) })
    const whose = identity()
    const made = await kms.generate(whose)
    expect((await failure(() => kms.unwrap(made, whose))).code).toBe('KMS_DENIED')
  })
})
