import { constants, generateKeyPairSync, privateDecrypt, randomBytes, randomUUID } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import { kms as sdk } from 'tencentcloud-sdk-nodejs-kms/tencentcloud/services/kms/index.js'
import type { DekIdentity } from '../../../src/keys/kms.js'
import { sealedTransport } from '../../../src/kms/tencent/sealedTransport.js'
import type { TencentKmsClient } from '../../../src/kms/tencent/tencentClient.js'
import { tencentKms } from '../../../src/kms/tencent/tencentKms.js'
import { startKmsEmulator } from '../../../src/testing/tencent/kmsEmulator.js'
import { onTestFinished } from '../../support/onTestFinished.js'
import { refusal, refusalCode } from '../../support/refusal.js'

/** A request and its answer as they pass a proxy that ends the TLS connection. */
interface Passed {
  readonly action: string
  readonly request: { readonly [parameter: string]: unknown }
  readonly answer: { readonly [field: string]: unknown }
}

async function start() {
  const emulator = await startKmsEmulator()
  onTestFinished(() => emulator.close())
  const client = new sdk.v20190118.Client(emulator.clientConfig())
  const passed: Passed[] = []
  const proxied: TencentKmsClient = {
    GenerateDataKey: (request) => client.GenerateDataKey(request),
    Decrypt: (request) => client.Decrypt(request),
    request: async (action, request, options) => {
      const answer = await client.request(action, request, options)
      passed.push({ action, request, answer } as Passed)
      return answer
    },
  }
  const kms = tencentKms({ client: proxied, keyId: emulator.keyId, sealed: true })
  return { emulator, client, passed, kms, plain: tencentKms({ client, keyId: emulator.keyId }) }
}

const identity = (tenant = 'acme'): DekIdentity => ({ key: randomUUID(), purpose: 'encrypt', tenant })

describe('tencentKms with sealed: true', () => {
  it('makes and unwraps DEKs, the same as without', async () => {
    const { kms, plain } = await start()
    const who = identity()
    const { dek, ...wrapped } = await kms.generate(who)
    expect(dek.length).toBe(32)
    expect((await kms.unwrap(wrapped, who)).equals(dek)).toBe(true)
    expect((await plain.unwrap(wrapped, who)).equals(dek)).toBe(true)
    const other = await plain.generate(who)
    expect((await kms.unwrap(other, who)).equals(other.dek)).toBe(true)
  })

  it('asks for answers under RSA-OAEP-SHA-256, to the PEM of one key of 2,048 bits for the whole process', async () => {
    const { kms, passed, client, emulator } = await start()
    const { dek: _, ...wrapped } = await kms.generate(identity())
    await kms.unwrap(wrapped, identity()).catch(() => undefined)
    const another = tencentKms({ client, keyId: emulator.keyId, sealed: true })
    await another.generate(identity())
    const { request } = await sealedTransport()
    expect(passed[0]!.request).toMatchObject({ ...request, EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' })
    expect(request.EncryptionPublicKey).toMatch(
      /^-----BEGIN PUBLIC KEY-----\n([A-Za-z0-9+/=]{1,64}\n)+-----END PUBLIC KEY-----\n$/,
    )
  })

  it('shows a proxy no DEK, which sees every one without it', async () => {
    const { kms, passed } = await start()
    const who = identity()
    const { dek, ...wrapped } = await kms.generate(who)
    await kms.unwrap(wrapped, who)
    expect(passed.map(({ action }) => action)).toEqual(['GenerateDataKey', 'Decrypt'])
    const seen = inspect(passed, { depth: 9, maxStringLength: null })
    for (const form of ['base64', 'base64url', 'hex'] as const)
      expect(seen).not.toContain(dek.toString(form).slice(0, 20))
    const answers = passed.map(({ answer }) => Buffer.from(String(answer.Plaintext), 'base64'))
    expect(answers.map(({ length }) => length)).toEqual([256, 256])
    expect(answers[0]!.equals(answers[1]!)).toBe(false)
  })

  it.each<[string, (dek: string, sealed: string) => unknown]>([
    ['a DEK in the clear, as a KMS or proxy that ignores the wish would give it', (dek) => dek],
    ['a changed block', (_, sealed) => sealed.replace(/^./, (c) => (c === 'A' ? 'B' : 'A'))],
    ['a block of another length', (_, sealed) => Buffer.from(sealed, 'base64').subarray(1).toString('base64')],
    ['base64 that is not canonical', (_, sealed) => sealed.replace(/=+$/, '')],
    ['nothing', () => undefined],
    ['a number', () => 7],
    ['a block sealed to somebody else', () => randomBytes(256).toString('base64')],
  ])('refuses %s', async (_, change) => {
    const { client, emulator, plain } = await start()
    const who = identity()
    const { dek, ...wrapped } = await plain.generate(who)
    const changed: TencentKmsClient = {
      GenerateDataKey: (request) => client.GenerateDataKey(request),
      Decrypt: async (request) => {
        const answer = await client.Decrypt(request)
        return { ...answer, Plaintext: change(dek.toString('base64'), String(answer.Plaintext)) }
      },
    }
    const kms = tencentKms({ client: changed, keyId: emulator.keyId, sealed: true, maxRetries: 0 })
    const error = await refusal(() => kms.unwrap(wrapped, who))
    expect(error).toMatchObject({ code: 'KMS_REFUSED', message: expect.stringContaining('sealed') })
    expect(inspect(error)).not.toContain(dek.toString('base64'))
  })

  it('refuses a sealed DEK that is not 32 bytes', async () => {
    const { client, emulator } = await start()
    const short: TencentKmsClient = {
      GenerateDataKey: (request) => client.GenerateDataKey({ ...request, KeySpec: 'AES_128' }),
      Decrypt: (request) => client.Decrypt(request),
    }
    const kms = tencentKms({ client: short, keyId: emulator.keyId, sealed: true })
    expect(await refusalCode(() => kms.generate(identity()))).toBe('KMS_REFUSED')
  })

  it('takes over no DEK, which would go in the clear, but rewraps within the KMS', async () => {
    const { emulator, client, kms } = await start()
    const error = await refusal(() => kms.wrap!(randomBytes(32), identity()))
    expect(error).toMatchObject({ code: 'OPTIONS_INVALID', message: expect.stringContaining('sealed: true') })
    expect(emulator.calls.count()).toBe(0)
    const sealed = tencentKms({ client, keyId: emulator.keyId, sealed: true })
    const who = identity()
    const { dek, ...wrapped } = await sealed.generate(who)
    emulator.keys.rotate(emulator.keyId)
    const next = await sealed.rewrap!(wrapped, who)
    expect(next.wrapped).not.toBe(wrapped.wrapped)
    expect((await sealed.unwrap(next, who)).equals(dek)).toBe(true)
  })

  it('is off unless asked for, and takes only true or false', async () => {
    const { emulator, client, passed } = await start()
    const logged: TencentKmsClient = {
      GenerateDataKey: (request) => client.GenerateDataKey(request),
      Decrypt: (request) => client.Decrypt(request),
      request: async (action, request, options) => {
        passed.push({ action, request, answer: {} } as Passed)
        return client.request(action, request, options)
      },
    }
    await tencentKms({ client: logged, keyId: emulator.keyId }).generate(identity())
    expect(Object.keys(passed[0]!.request)).toEqual(['KeyId', 'KeySpec', 'EncryptionContext'])
    expect(() => tencentKms({ client, keyId: 'k', sealed: 'yes' as never })).toThrow(
      expect.objectContaining({ code: 'OPTIONS_INVALID', message: expect.stringContaining('"sealed"') }),
    )
  })
})

describe('the emulator, asked for a sealed answer', () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const pem = (key: typeof publicKey) => key.export({ type: 'spki', format: 'pem' }) as string

  it.each([
    ['RSAES_OAEP_SHA_256', { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }],
    ['RSAES_OAEP_SHA_1', { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' }],
  ])('encrypts it by %s, for GenerateDataKey and Decrypt alike', async (EncryptionAlgorithm, padding) => {
    const { emulator, client } = await start()
    const sealing = { EncryptionPublicKey: pem(publicKey), EncryptionAlgorithm }
    const made = await client.GenerateDataKey({ KeyId: emulator.keyId, KeySpec: 'AES_256', ...sealing })
    const opened = await client.Decrypt({ CiphertextBlob: made.CiphertextBlob!, ...sealing })
    const plain = await client.Decrypt({ CiphertextBlob: made.CiphertextBlob! })
    for (const { Plaintext } of [made, opened]) {
      const dek = privateDecrypt({ key: privateKey, ...padding }, Buffer.from(Plaintext!, 'base64'))
      expect(dek.toString('base64')).toBe(plain.Plaintext)
    }
  })

  it('encrypts it by RSAES_PKCS1_V1_5 into one block', async () => {
    const { emulator, client } = await start()
    const sealing = { EncryptionPublicKey: pem(publicKey), EncryptionAlgorithm: 'RSAES_PKCS1_V1_5' }
    const made = await client.GenerateDataKey({ KeyId: emulator.keyId, KeySpec: 'AES_256', ...sealing })
    expect(Buffer.from(made.Plaintext!, 'base64').length).toBe(256)
  })

  it.each<[string, { EncryptionPublicKey: string; EncryptionAlgorithm?: string }]>([
    ['no algorithm, which means SM2', { EncryptionPublicKey: pem(publicKey) }],
    ['an unknown algorithm', { EncryptionPublicKey: pem(publicKey), EncryptionAlgorithm: 'RSA' }],
    ['a key that is none', { EncryptionPublicKey: 'key', EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' }],
    [
      'a key of another length',
      {
        EncryptionPublicKey: pem(generateKeyPairSync('rsa', { modulusLength: 3072 }).publicKey),
        EncryptionAlgorithm: 'RSAES_OAEP_SHA_256',
      },
    ],
    [
      'a key of another kind',
      {
        EncryptionPublicKey: pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey),
        EncryptionAlgorithm: 'RSAES_OAEP_SHA_256',
      },
    ],
  ])('refuses %s', async (_, sealing) => {
    const { emulator, client } = await start()
    const call = client.GenerateDataKey({ KeyId: emulator.keyId, KeySpec: 'AES_256', ...sealing })
    await expect(call).rejects.toMatchObject({ code: 'InvalidParameter' })
  })

  it('refuses a plaintext that does not fit into one block', async () => {
    const { emulator, client } = await start()
    const Plaintext = randomBytes(1000).toString('base64')
    const { CiphertextBlob } = await client.Encrypt({ KeyId: emulator.keyId, Plaintext })
    const sealing = { EncryptionPublicKey: pem(publicKey), EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' }
    const call = client.Decrypt({ CiphertextBlob: CiphertextBlob!, ...sealing })
    await expect(call).rejects.toMatchObject({ code: 'InvalidParameter' })
  })
})
