import { randomUUID } from 'node:crypto'
import { inspect } from 'node:util'
import * as sdk from '@aws-sdk/client-kms'
import { describe, expect, it } from '@jest/globals'
import { type AwsKmsMethods, type AwsKmsOptions, awsKms } from 'fieldseal/aws-kms'
import { onTestFinished } from '../../support/onTestFinished.js'
import { refusal } from '../../support/refusal.js'
import { clientOf, identity, start, started, wrappedOf } from './emulated.js'

const KEY = '1234abcd-12ab-34cd-56ef-1234567890ab'
const ARN = `arn:aws:kms:eu-central-1:111122223333:key/${KEY}`

/** A client by structure whose answers a test makes up. */
function methods(answer: () => Promise<object>): AwsKmsMethods {
  return { generateDataKey: answer, decrypt: answer, encrypt: answer, reEncrypt: answer }
}

describe('awsKms, options', () => {
  const never = methods(() => Promise.reject(new Error('not reached')))

  it.each([
    ['client', { client: undefined as never }],
    ['client', { client: {} as never }],
    ['client', { client: { generateDataKey: never.generateDataKey } as never }],
    ['client', { client: { ...never, makeRequest: () => undefined } as never }],
    ['keyId', { keyId: undefined as never }],
    ['keyId', { keyId: '' }],
    ['keyId', { keyId: 'two words' }],
    ['keyId', { keyId: 'alias/app' }],
    ['keyId', { keyId: 'arn:aws:kms:eu-central-1:111122223333:alias/app' }],
    ['formerKeyIds', { formerKeyIds: KEY as never }],
    ['formerKeyIds', { formerKeyIds: [KEY, 'alias/app'] }],
    ['formerKeyIds', { formerKeyIds: [''] }],
    ['timeout', { timeout: 0 }],
    ['attemptTimeout', { attemptTimeout: 5_000, timeout: 4_000 }],
    ['maxRetries', { maxRetries: -1 }],
    ['concurrency', { concurrency: 0 }],
    ['concurency', { concurency: 5 } as never],
  ])('refuses a bad "%s" when they are given', (option, wrong: Partial<AwsKmsOptions>) => {
    expect(() => awsKms({ client: never, keyId: KEY, ...wrong })).toThrow(
      expect.objectContaining({ code: 'OPTIONS_INVALID', message: expect.stringContaining(`"${option}"`) }),
    )
  })

  it.each([
    [
      'an alias',
      { keyId: 'alias/app' },
      /is an alias: an alias can be pointed at another key .* give the id or the ARN/,
    ],
    ['a former alias', { formerKeyIds: ['alias/app'] }, /has an alias: .* give the id or the ARN/],
    [
      'a client of the SDK v2',
      { client: { ...never, makeRequest: () => undefined } as never },
      /v2.*@aws-sdk\/client-kms/,
    ],
  ])('says why %s is refused', (_, wrong: Partial<AwsKmsOptions>, message) => {
    expect(() => awsKms({ client: never, keyId: KEY, ...wrong })).toThrow(message)
  })

  it('says what a KMSClient needs', () => {
    const client = new sdk.KMSClient({ region: 'eu-central-1' })
    expect(() => awsKms({ client, keyId: KEY })).toThrow(/KMSClient.*give a KMS instead.*"commands"/)
    expect(() => awsKms({ client, keyId: KEY, commands: {} as never })).toThrow(/KMSClient/)
    expect(awsKms({ client, keyId: KEY, commands: sdk }).name).toBe('aws')
  })

  it('takes undefined for a default', () => {
    const options = { client: never, keyId: KEY, commands: undefined, formerKeyIds: undefined, timeout: undefined }
    expect(awsKms(options).name).toBe('aws')
  })
})

describe('awsKms', () => {
  it('wraps a DEK and unwraps it, each with one request, which names the key and the context', async () => {
    const { emulator, kms } = await start()
    const whose = identity()
    const { dek, ...wrapped } = await kms.generate(whose)
    expect(dek).toHaveLength(32)
    expect(wrapped).toEqual({ wrapped: expect.stringMatching(/^AQICA[\w+/]+=*$/), kekId: emulator.keyArn })
    expect((await kms.unwrap(wrapped, whose)).equals(dek)).toBe(true)
    const encryptionContext = `{"key":"${whose.key}","purpose":"encrypt","tenant":"acme"}`
    const call = { keyId: emulator.keyId, encryptionContext, result: 'ok' }
    expect(emulator.calls.log).toEqual([
      expect.objectContaining({ action: 'GenerateDataKey', ...call }),
      expect.objectContaining({ action: 'Decrypt', ...call }),
    ])
  })

  it.each([
    ['KMS', (config: sdk.KMSClientConfig) => ({ client: new sdk.KMS(config) })],
    [
      'KMSClient with its commands',
      (config: sdk.KMSClientConfig) => ({ client: new sdk.KMSClient(config), commands: sdk }),
    ],
  ])('makes, unwraps, wraps, rewraps, encrypts and decrypts through a %s', async (_, clientOptions) => {
    const emulator = await started()
    const options = clientOptions(emulator.clientConfig())
    onTestFinished(() => options.client.destroy())
    const kms = awsKms({ ...options, keyId: emulator.keyArn })
    const whose = identity()
    const { dek, ...made } = await kms.generate(whose)
    const wrapped = await kms.wrap!(dek, whose)
    emulator.keys.rotate(emulator.keyId)
    const newest = await kms.rewrap!(wrapped, whose)
    expect(newest.wrapped).not.toBe(wrapped.wrapped)
    for (const each of [made, wrapped, newest]) expect((await kms.unwrap(each, whose)).equals(dek)).toBe(true)
    const place = { aad: 'digest', field: 'User.apiKey', tenant: 'acme' }
    const text = await kms.encrypt!(Buffer.from('value'), place)
    expect((await kms.decrypt!(text, place)).toString()).toBe('value')
    expect(emulator.calls.byAction).toEqual({ GenerateDataKey: 1, Encrypt: 2, ReEncrypt: 1, Decrypt: 4 })
  })

  it('gives each DEK memory of its own, and leaves zeros where the SDK had it', async () => {
    const emulator = await started()
    const real = clientOf(emulator)
    const seen: Uint8Array[] = []
    const noting = async <T extends object>(answer: Promise<T>) => {
      const { Plaintext } = (await answer) as { Plaintext?: Uint8Array }
      if (Plaintext) seen.push(Plaintext)
      return answer
    }
    const client: AwsKmsMethods = {
      generateDataKey: (input, options) => noting(real.generateDataKey(input, options)),
      decrypt: (input, options) => noting(real.decrypt(input, options)),
    }
    const kms = awsKms({ client, keyId: emulator.keyId })
    const whose = identity()
    const { dek, ...wrapped } = await kms.generate(whose)
    for (const buffer of [dek, await kms.unwrap(wrapped, whose)]) {
      expect(buffer.buffer.byteLength).toBe(32)
      expect(buffer.equals(Buffer.alloc(32))).toBe(false)
    }
    expect(seen.map((bytes) => Buffer.from(bytes))).toEqual([Buffer.alloc(32), Buffer.alloc(32)])
  })

  it('leaves the DEK that it wraps as it is', async () => {
    const { kms } = await start()
    const dek = Buffer.alloc(32, 7)
    await kms.wrap!(dek, identity())
    expect(dek).toEqual(Buffer.alloc(32, 7))
  })

  it('answers what it was given where nothing is newer, and the same DEK under the newest material', async () => {
    const { emulator, kms } = await start()
    const whose = identity()
    const { dek, ...wrapped } = await kms.generate(whose)
    expect(await kms.rewrap!(wrapped, whose)).toEqual(wrapped)
    emulator.keys.rotate(emulator.keyId)
    const newest = await kms.rewrap!(wrapped, whose)
    expect(newest).toEqual({ wrapped: expect.not.stringMatching(wrapped.wrapped), kekId: emulator.keyArn })
    expect(await kms.rewrap!(newest, whose)).toEqual(newest)
    for (const each of [wrapped, newest]) expect((await kms.unwrap(each, whose)).equals(dek)).toBe(true)
  })

  it('works for tenant ids in any script and as long as the context allows', async () => {
    const { kms } = await start()
    for (const tenant of ['租户-"一"', '🏥\\', '__proto__', 't'.repeat(940)]) {
      const whose = identity(tenant)
      const { dek, ...wrapped } = await kms.generate(whose)
      expect((await kms.unwrap(wrapped, whose)).equals(dek)).toBe(true)
    }
  })

  it('refuses a tenant id that is too long before any request', async () => {
    const { emulator, kms } = await start()
    const long = identity('t'.repeat(1000))
    expect(await refusal(() => kms.generate(long))).toMatchObject({ code: 'TENANT_INVALID' })
    expect(await refusal(() => kms.unwrap({ wrapped: 'blob', kekId: ARN }, long))).toMatchObject({
      code: 'TENANT_INVALID',
    })
    expect(emulator.calls.count()).toBe(0)
  })

  it('works with a client that has two methods only, and says which it lacks', async () => {
    const emulator = await started()
    const real = clientOf(emulator)
    const client: AwsKmsMethods = {
      generateDataKey: (input, options) => real.generateDataKey(input, options),
      decrypt: (input, options) => real.decrypt(input, options),
    }
    const kms = awsKms({ client, keyId: emulator.keyId })
    const whose = identity()
    const { dek, ...wrapped } = await kms.generate(whose)
    expect((await kms.unwrap(wrapped, whose)).equals(dek)).toBe(true)
    expect(await refusal(() => kms.rewrap!(wrapped, whose))).toMatchObject({
      code: 'OPTIONS_INVALID',
      message: 'The option "client" of awsKms has no method reEncrypt.',
    })
    const { GenerateDataKeyCommand, DecryptCommand } = sdk
    const sender = { client: { send: () => Promise.resolve({}) }, commands: { GenerateDataKeyCommand, DecryptCommand } }
    expect(await refusal(() => awsKms({ ...sender, keyId: emulator.keyId }).wrap!(dek, whose))).toMatchObject({
      code: 'OPTIONS_INVALID',
      message: 'The option "commands" of awsKms has no EncryptCommand.',
    })
  })

  it('shows no secret when it is inspected or made JSON', async () => {
    const { emulator, kms } = await start()
    const shown = `${inspect(kms, { depth: 9, showHidden: true })}${JSON.stringify(kms)}`
    expect(JSON.parse(JSON.stringify(kms))).toEqual({ name: 'aws', concurrency: 20 })
    expect(shown).not.toContain(emulator.credential.accessKeyId)
    expect(shown).not.toContain(emulator.credential.secretAccessKey)
  })
})

describe('awsKms, answers that cannot be right', () => {
  const good = () => ({ KeyId: ARN, CiphertextBlob: Buffer.from('blob'), Plaintext: Buffer.alloc(32, 7) })
  const wrapped = { wrapped: Buffer.from('blob').toString('base64'), kekId: ARN }

  it.each([
    ['no KeyId', { KeyId: undefined }],
    ['the id instead of the ARN', { KeyId: KEY }],
    ['the ARN of another key', { KeyId: ARN.replace('key/1', 'key/2') }],
    ['the ARN of an alias', { KeyId: 'arn:aws:kms:eu-central-1:111122223333:alias/app' }],
    ['no blob', { CiphertextBlob: new Uint8Array() }],
    ['a blob that is text', { CiphertextBlob: 'YmxvYg==' }],
    ['a blob of more than 6,144 bytes', { CiphertextBlob: new Uint8Array(6145) }],
    ['no plaintext', { Plaintext: undefined }],
    ['31 bytes', { Plaintext: new Uint8Array(31).fill(7) }],
    ['33 bytes', { Plaintext: new Uint8Array(33).fill(7) }],
    ['text', { Plaintext: Buffer.alloc(32, 7).toString('base64') }],
    ['an array of numbers', { Plaintext: Array.from({ length: 32 }, () => 7) }],
  ])('refuses GenerateDataKey with %s, does not ask again, and leaves no DEK behind', async (_, change) => {
    let calls = 0
    const answer = { ...good(), ...change }
    const kms = awsKms({
      keyId: KEY,
      client: methods(async () => {
        calls += 1
        return answer
      }),
    })
    const error = await refusal(() => kms.generate(identity()))
    expect(error).toMatchObject({ code: 'KMS_REFUSED', message: expect.stringContaining('AWS KMS, GenerateDataKey') })
    expect(calls).toBe(1)
    if (answer.Plaintext instanceof Uint8Array) expect(answer.Plaintext.every((byte) => byte === 0)).toBe(true)
  })

  it.each([
    ['no answer', undefined],
    ['text', 'text'],
    ['nothing', {}],
  ])('refuses %s', async (_, answer) => {
    const kms = awsKms({ keyId: KEY, client: methods(async () => answer as never) })
    expect(await refusal(() => kms.generate(identity()))).toMatchObject({ code: 'KMS_REFUSED' })
  })

  it('refuses Decrypt, Encrypt and ReEncrypt under a key that was not asked for', async () => {
    const other = ARN.replace('key/1', 'key/2')
    const whose = identity()
    const kmsOf = (change: object) =>
      awsKms({ keyId: KEY, client: methods(async () => ({ ...good(), SourceKeyId: ARN, ...change })) })
    await expect(kmsOf({}).unwrap(wrapped, whose)).resolves.toHaveLength(32)
    expect(await refusal(() => kmsOf({ KeyId: other }).unwrap(wrapped, whose))).toMatchObject({
      code: 'KMS_REFUSED',
      message: expect.stringContaining(other),
    })
    expect(await refusal(() => kmsOf({ KeyId: other }).wrap!(Buffer.alloc(32), whose))).toMatchObject({
      code: 'KMS_REFUSED',
    })
    await expect(kmsOf({}).rewrap!(wrapped, whose)).resolves.toEqual(wrapped)
    for (const change of [{ KeyId: other }, { SourceKeyId: other }, { SourceKeyId: undefined }])
      expect(await refusal(() => kmsOf(change).rewrap!(wrapped, whose))).toMatchObject({ code: 'KMS_REFUSED' })
  })

  it('refuses a wrapped DEK that is no base64 before any request', async () => {
    const { emulator, kms } = await start()
    const { keyArn: kekId } = emulator
    for (const changed of ['', 'not base64!', 'YmxvYg', 'YmxvYh==', 'A'.repeat(9000)]) {
      const error = await refusal(() => kms.unwrap({ wrapped: changed, kekId }, identity()))
      expect(error).toMatchObject({ code: 'KMS_REFUSED', message: expect.stringContaining('AWS was not asked') })
      expect(await refusal(() => kms.rewrap!({ wrapped: changed, kekId }, identity()))).toMatchObject({
        code: 'KMS_REFUSED',
      })
    }
    expect(emulator.calls.count()).toBe(0)
  })

  it('refuses a wrapped DEK that was changed, or is of another tenant, purpose or DEK', async () => {
    const { kms } = await start()
    const whose = identity()
    const made = wrappedOf(await kms.generate(whose))
    const blob = Buffer.from(made.wrapped, 'base64')
    for (const at of [0, 10, 60, blob.length - 1]) {
      const changed = Buffer.from(blob)
      changed[at]! ^= 1
      const error = await refusal(() => kms.unwrap({ ...made, wrapped: changed.toString('base64') }, whose))
      expect(error).toMatchObject({ code: 'KMS_REFUSED', message: expect.stringContaining('keys table') })
    }
    for (const other of [{ tenant: 'globex' }, { purpose: 'index' as const }, { key: randomUUID() }]) {
      expect(await refusal(() => kms.unwrap(made, { ...whose, ...other }))).toMatchObject({ code: 'KMS_REFUSED' })
      expect(await refusal(() => kms.rewrap!(made, { ...whose, ...other }))).toMatchObject({ code: 'KMS_REFUSED' })
    }
  })
})
