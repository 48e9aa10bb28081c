import { randomUUID } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import { kms as sdk } from 'tencentcloud-sdk-nodejs-kms/tencentcloud/services/kms/index.js'
import { FieldsealError } from '../../../src/errors.js'
import type { DekIdentity } from '../../../src/keys/kms.js'
import type { TencentKmsClient } from '../../../src/kms/tencent/tencentClient.js'
import { tencentKms } from '../../../src/kms/tencent/tencentKms.js'
import type { TencentKmsOptions } from '../../../src/kms/tencent/tencentOptions.js'
import { type KmsEmulatorOptions, startKmsEmulator } from '../../../src/testing/tencent/kmsEmulator.js'
import { onTestFinished } from '../../support/onTestFinished.js'

function identity(tenant = 'acme'): DekIdentity {
  return { key: randomUUID(), purpose: 'encrypt', tenant }
}

async function start(options: Partial<TencentKmsOptions> = {}, emulatorOptions: KmsEmulatorOptions = {}) {
  const emulator = await startKmsEmulator(emulatorOptions)
  onTestFinished(() => emulator.close())
  const client = new sdk.v20190118.Client(emulator.clientConfig())
  const kms = tencentKms({ client, keyId: emulator.keyId, ...options })
  return { emulator, client, kms }
}

async function failure(call: Promise<unknown>): Promise<FieldsealError> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(FieldsealError)
  return error as FieldsealError
}

/** A client by structure whose answers a test makes up. */
function client(answer: () => Promise<object>): TencentKmsClient {
  return { GenerateDataKey: answer, Decrypt: answer }
}

describe('tencentKms, options', () => {
  const never = client(() => Promise.reject(new Error('not reached')))

  it.each([
    ['client', { client: undefined as never }],
    ['client', { client: { GenerateDataKey: never.GenerateDataKey } as never }],
    ['keyId', { keyId: undefined as never }],
    ['keyId', { keyId: '' }],
    ['keyId', { keyId: 'two words' }],
    ['timeout', { timeout: 0 }],
    ['timeout', { timeout: 1.5 }],
    ['timeout', { timeout: 2 ** 31 }],
    ['timeout', { timeout: '10s' as never }],
    ['attemptTimeout', { attemptTimeout: Number.NaN }],
    ['attemptTimeout', { attemptTimeout: 5_000, timeout: 4_000 }],
    ['maxRetries', { maxRetries: -1 }],
    ['concurrency', { concurrency: 0 }],
    ['concurency', { concurency: 5 } as never],
  ])('refuses a bad "%s" when they are given', (option, wrong: Partial<TencentKmsOptions>) => {
    expect(() => tencentKms({ client: never, keyId: 'k', ...wrong })).toThrow(
      expect.objectContaining({ code: 'OPTIONS_INVALID', message: expect.stringContaining(`"${option}"`) }),
    )
  })

  it('takes undefined for a default, and shortens an attempt to a short timeout', () => {
    const options = { client: never, keyId: 'k', timeout: 50, attemptTimeout: undefined, maxRetries: undefined }
    expect(tencentKms(options).name).toBe('tencent')
  })
})

const RETRIED = 3
const ONCE = 2
const FINAL = 1

describe('tencentKms, errors of the API', () => {
  it.each([
    ['RequestLimitExceeded', 'KMS_THROTTLED', RETRIED],
    ['RequestLimitExceeded.UinLimitExceeded', 'KMS_THROTTLED', RETRIED],
    ['InternalError', 'KMS_UNAVAILABLE', RETRIED],
    ['InternalError.SomethingNew', 'KMS_UNAVAILABLE', RETRIED],
    ['ServiceUnavailable', 'KMS_UNAVAILABLE', RETRIED],
    ['UnsupportedOperation.ServiceTemporaryUnavailable', 'KMS_UNAVAILABLE', RETRIED],
    ['AuthFailure.TokenFailure', 'KMS_DENIED', ONCE],
    ['AuthFailure.SignatureExpire', 'KMS_DENIED', ONCE],
    ['AuthFailure.SignatureFailure', 'KMS_DENIED', FINAL],
    ['AuthFailure.SecretIdNotFound', 'KMS_DENIED', FINAL],
    ['AuthFailure', 'KMS_DENIED', FINAL],
    ['UnauthorizedOperation', 'KMS_DENIED', FINAL],
    ['UnauthorizedOperation.CamNoAuth', 'KMS_DENIED', FINAL],
    ['ResourceUnavailable.CmkDisabled', 'KMS_KEY_UNUSABLE', FINAL],
    ['ResourceUnavailable.CmkNotFound', 'KMS_KEY_UNUSABLE', FINAL],
    ['ResourceUnavailable.KeyPendingDelete', 'KMS_KEY_UNUSABLE', FINAL],
    ['ResourceUnavailable.CmkArchived', 'KMS_KEY_UNUSABLE', FINAL],
    ['InvalidParameterValue.InvalidKeyId', 'KMS_KEY_UNUSABLE', FINAL],
    ['InvalidParameterValue.InvalidCiphertext', 'KMS_REFUSED', FINAL],
    ['FailedOperation.EncryptionError', 'KMS_REFUSED', FINAL],
    ['FailedOperation.DecryptError', 'KMS_REFUSED', FINAL],
    ['LimitExceeded.CmkLimitExceeded', 'KMS_REFUSED', FINAL],
    ['UnsupportedOperation', 'KMS_REFUSED', FINAL],
    ['InvalidParameter', 'KMS_REFUSED', FINAL],
    ['SomethingNobodyKnows', 'KMS_REFUSED', FINAL],
  ])('%s becomes %s after %i attempt(s), with code, request id, key id and advice', async (code, ours, attempts) => {
    const { emulator, kms } = await start({ maxRetries: RETRIED - 1 })
    const { dek: _, ...wrapped } = await kms.generate(identity())
    for (const [action, call] of [
      ['GenerateDataKey', () => kms.generate(identity())],
      ['Decrypt', () => kms.unwrap(wrapped, identity())],
    ] as const) {
      emulator.calls.reset()
      emulator.faults.clear()
      emulator.faults.add({ kind: 'error', code, message: 'a message that stays behind', times: 'always' })
      const error = await failure(call())
      expect(error.code).toBe(ours)
      expect(emulator.calls.byAction).toEqual({ [action]: attempts })
      const requestId = emulator.calls.log.at(-1)?.requestId
      const times = attempts === 1 ? '1 attempt' : `${attempts} attempts`
      const start = `Tencent KMS, ${action} with key ${emulator.keyId}: ${code} (request ${requestId}) after ${times}. `
      expect(error.message.slice(0, start.length)).toBe(start)
      expect(error.message.length).toBeGreaterThan(start.length + 20)
      expect(error.cause).toEqual({ code, requestId })
      expect(inspect(error)).not.toContain('stays behind')
    }
  })

  it.each([
    [500, RETRIED],
    [502, RETRIED],
    [503, RETRIED],
    [404, FINAL],
    [407, FINAL],
  ])('HTTP status %i becomes KMS_UNAVAILABLE after %i attempt(s)', async (status, attempts) => {
    const { emulator, kms } = await start({ maxRetries: RETRIED - 1 })
    emulator.faults.add({ kind: 'status', status, times: 'always' })
    const error = await failure(kms.generate(identity()))
    expect(error).toMatchObject({ code: 'KMS_UNAVAILABLE', cause: { httpCode: status } })
    expect(error.message).toContain(`HTTP status ${status}`)
    expect(emulator.calls.count()).toBe(attempts)
  })

  it('succeeds when the fault goes away in time', async () => {
    const { emulator, kms } = await start()
    emulator.faults.add({ kind: 'error', code: 'RequestLimitExceeded', times: 2 })
    emulator.faults.add({ kind: 'hangUp', when: 'before' })
    await expect(kms.generate(identity())).resolves.toMatchObject({ kekId: emulator.keyId })
    expect(emulator.calls.count()).toBe(4)
  })

  it('retries a failed token once, also after other retries', async () => {
    const { emulator, kms } = await start()
    emulator.faults.add({ kind: 'error', code: 'InternalError' })
    emulator.faults.add({ kind: 'error', code: 'AuthFailure.TokenFailure' })
    emulator.faults.add({ kind: 'error', code: 'InternalError' })
    emulator.faults.add({ kind: 'error', code: 'AuthFailure.SignatureExpire' })
    const error = await failure(kms.generate(identity()))
    expect(error.message).toContain('AuthFailure.SignatureExpire')
    expect(error.message).toContain('clock')
    expect(emulator.calls.count()).toBe(4)
  })

  it('makes one attempt where maxRetries is 0', async () => {
    const { emulator, kms } = await start({ maxRetries: 0 })
    emulator.faults.add({ kind: 'error', code: 'InternalError', times: 'always' })
    expect(await failure(kms.generate(identity()))).toMatchObject({ code: 'KMS_UNAVAILABLE' })
    expect(emulator.calls.count()).toBe(1)
  })

  it('says what is wrong with credentials and with keys that the emulator itself refuses', async () => {
    const { emulator, kms } = await start()
    const credential = { ...emulator.credential, secretKey: 'wrong' }
    const denied = tencentKms({
      client: new sdk.v20190118.Client(emulator.clientConfig({ credential })),
      keyId: emulator.keyId,
    })
    expect(await failure(denied.generate(identity()))).toMatchObject({
      code: 'KMS_DENIED',
      message: expect.stringContaining('kms:GenerateDataKey'),
    })
    emulator.keys.change(emulator.keyId, 'disable')
    expect(await failure(kms.generate(identity()))).toMatchObject({
      code: 'KMS_KEY_UNUSABLE',
      message: expect.stringContaining('ResourceUnavailable.CmkDisabled'),
    })
  })
})

describe('tencentKms, a broken connection', () => {
  it.each([
    [{ kind: 'hangUp', when: 'before' }, 'socket hang up'],
    [{ kind: 'hangUp', when: 'body' }, 'no answer in time'],
    [{ kind: 'stall' }, 'no answer in time'],
    [{ kind: 'hold' }, 'no answer in time'],
    [{ kind: 'body', body: '{}' }, 'no answer that can be read'],
    [{ kind: 'body', body: '<html>sign in</html>' }, 'no answer that can be read'],
    [{ kind: 'body', body: '' }, 'no answer that can be read'],
    [{ kind: 'truncate' }, 'no answer that can be read'],
  ] as const)('%j becomes KMS_UNAVAILABLE after all attempts', async (fault, reason) => {
    const { emulator, kms } = await start({ maxRetries: 1, attemptTimeout: 100 })
    emulator.faults.add({ ...fault, times: 'always' })
    const error = await failure(kms.generate(identity()))
    expect(error).toMatchObject({ code: 'KMS_UNAVAILABLE', cause: {} })
    expect(error.message).toContain(`: ${reason} after 2 attempts.`)
    expect(emulator.calls.count()).toBe(2)
  })

  it('becomes KMS_UNAVAILABLE where nothing listens', async () => {
    const { emulator, kms } = await start({ maxRetries: 1 })
    await emulator.close()
    const error = await failure(kms.generate(identity()))
    expect(error).toMatchObject({ code: 'KMS_UNAVAILABLE', message: expect.stringContaining('ECONNREFUSED after 2 ') })
  })

  it("obeys the SDK's own timeout too", async () => {
    const emulator = await startKmsEmulator()
    onTestFinished(() => emulator.close())
    const client = new sdk.v20190118.Client(emulator.clientConfig({ reqTimeout: 0.05 }))
    emulator.faults.add({ kind: 'hold', times: 'always' })
    const error = await failure(tencentKms({ client, keyId: emulator.keyId, maxRetries: 0 }).generate(identity()))
    expect(error.message).toContain('network timeout after 1 attempt')
  })

  it('fails through a dead http_proxy only where the client has no agent of its own', async () => {
    const { emulator, kms } = await start({ maxRetries: 0 })
    const config = emulator.clientConfig()
    const { agent: _, ...httpProfile } = config.profile.httpProfile
    const client = new sdk.v20190118.Client({ ...config, profile: { httpProfile } })
    const proxied = tencentKms({ client, keyId: emulator.keyId, maxRetries: 0 })
    await emulator.close()
    const again = await startKmsEmulator({ port: emulator.port, keys: [{ alias: 'a', keyId: emulator.keyId }] })
    onTestFinished(() => again.close())
    const before = process.env.http_proxy
    onTestFinished(() => {
      if (before === undefined) delete process.env.http_proxy
      else process.env.http_proxy = before
    })
    process.env.http_proxy = 'http://127.0.0.1:1'
    expect(await failure(proxied.generate(identity()))).toMatchObject({
      code: 'KMS_UNAVAILABLE',
      message: expect.stringMatching(/ECONNREFUSED.*http_proxy/),
    })
    expect(again.calls.count()).toBe(0)
    const direct = new sdk.v20190118.Client(again.clientConfig())
    await expect(tencentKms({ client: direct, keyId: again.keyId }).generate(identity())).resolves.toBeDefined()
    expect(kms.name).toBe('tencent')
  })

  it('passes on nothing of an answer that cannot be read: not in message, cause, stack, inspect or JSON', async () => {
    const { emulator, kms } = await start({ maxRetries: 0 })
    const seen: string[] = []
    const plaintext = (answer: string) => /"Plaintext":"([^"]{44})"/.exec(answer)?.[1] ?? ''
    const breakings = [
      (answer: string) => answer.slice(0, answer.indexOf('"CiphertextBlob"')),
      (answer: string) => `{"P":"${plaintext(answer)}"`,
      (answer: string) => answer.replace(plaintext(answer), `${plaintext(answer).slice(0, 20)}\n${plaintext(answer)}`),
      (answer: string) => `${plaintext(answer)}`,
      (answer: string) =>
        JSON.stringify({ Response: { Error: { Code: plaintext(answer), Message: plaintext(answer) } } }),
      (answer: string) =>
        JSON.stringify({
          Response: {
            Error: { Code: 'InternalError', Message: plaintext(answer) },
            RequestId: `${plaintext(answer)} `,
          },
        }),
    ]
    for (const breaking of breakings) {
      emulator.faults.add({
        kind: 'body',
        body: (answer) => {
          seen.push(plaintext(answer))
          return breaking(answer)
        },
      })
      const error = await failure(kms.generate(identity()))
      expect(error.code).toBe('KMS_UNAVAILABLE')
      const secret = seen.at(-1) ?? ''
      expect(secret).toHaveLength(44)
      const shown = [error.message, error.stack, inspect(error, { depth: 9, showHidden: true }), JSON.stringify(error)]
      for (let at = 0; at + 6 <= secret.length; at += 1) expect(shown.join()).not.toContain(secret.slice(at, at + 6))
    }
    expect(seen).toHaveLength(breakings.length)
  })
})

describe('tencentKms, time and load', () => {
  it('gives up at its deadline although retries are left, and says how the last attempt failed', async () => {
    const { emulator, kms } = await start({ timeout: 300, maxRetries: 100 })
    emulator.faults.add({ kind: 'error', code: 'RequestLimitExceeded', times: 'always' })
    const error = await failure(kms.generate(identity()))
    expect(error.code).toBe('KMS_THROTTLED')
    expect(error.message).toMatch(/given up after 300 ms and \d attempts?: RequestLimitExceeded \(request [\w-]+\)\. /)
    expect(emulator.calls.count()).toBeGreaterThan(0)
    expect(emulator.calls.count()).toBeLessThan(10)
  })

  it('cuts a hanging attempt off at the deadline: the connection is gone at the other end', async () => {
    const { emulator, kms } = await start({ timeout: 100 })
    emulator.faults.add({ kind: 'hold', times: 'always' })
    const error = await failure(kms.generate(identity()))
    expect(error).toMatchObject({ code: 'KMS_UNAVAILABLE', message: expect.stringContaining('given up after 100 ms') })
    await emulator.calls.until((calls) => calls.inFlight === 0)
    expect(emulator.calls.count()).toBe(1)
  })

  it('makes a new attempt when one hangs', async () => {
    const { emulator, kms } = await start({ attemptTimeout: 100 })
    emulator.faults.add({ kind: 'stall' })
    await expect(kms.generate(identity())).resolves.toMatchObject({ kekId: emulator.keyId })
    expect(emulator.calls.count()).toBe(2)
  })

  it('gives up on time with a client that cannot be aborted, and drops an answer that comes late', async () => {
    let answered = (_: object) => {}
    const stuck = client(() => new Promise((resolve) => (answered = resolve)))
    const kms = tencentKms({ client: stuck, keyId: 'k', timeout: 40, maxRetries: 0 })
    const error = await failure(kms.generate(identity()))
    expect(error.code).toBe('KMS_UNAVAILABLE')
    answered({ KeyId: 'k', CiphertextBlob: 'blob', Plaintext: Buffer.alloc(32, 1).toString('base64') })
  })

  it('gives up on time when the keyId function hangs', async () => {
    const { emulator, kms } = await start({ timeout: 40, keyId: () => new Promise<string>(() => {}) })
    const error = await failure(kms.generate(identity('globex')))
    expect(error.message).toMatch(/key of tenant "globex": given up after 40 ms and 0 attempts.* keyId function/)
    expect(emulator.calls.count()).toBe(0)
  })

  it('has no more requests in flight than its concurrency, and serves those that wait', async () => {
    const { emulator, kms } = await start({ concurrency: 3 })
    emulator.faults.add({ kind: 'hold', times: 'always' })
    const all = Promise.all(Array.from({ length: 12 }, () => kms.generate(identity())))
    await emulator.calls.until((calls) => calls.inFlight === 3)
    emulator.faults.clear()
    expect(await all).toHaveLength(12)
    expect(emulator.calls.maxInFlight).toBe(3)
    expect(emulator.calls.count()).toBe(12)
  })

  it('frees a place while a call pauses before its retry', async () => {
    const { emulator, kms } = await start({ concurrency: 1 })
    emulator.faults.add({ kind: 'error', code: 'InternalError' })
    const order: string[] = []
    await Promise.all([
      kms.generate(identity('first')).then(() => order.push('first')),
      kms.generate(identity('second')).then(() => order.push('second')),
    ])
    expect(emulator.calls.log.map((call) => JSON.parse(call.encryptionContext ?? '{}').tenant)).toEqual([
      'first',
      'second',
      'first',
    ])
    expect(order).toEqual(['second', 'first'])
  })

  it('serves later calls after others have waited in vain', async () => {
    const { emulator, kms } = await start({ concurrency: 1, timeout: 100, maxRetries: 0 })
    emulator.faults.add({ kind: 'hold', times: 'always' })
    const vain = await Promise.all([1, 2, 3].map(() => failure(kms.generate(identity()))))
    for (const error of vain) expect(error.message).toContain('given up after 100 ms')
    emulator.faults.clear()
    await expect(Promise.all([kms.generate(identity()), kms.generate(identity())])).resolves.toHaveLength(2)
  })
})

describe('tencentKms, answers that cannot be right', () => {
  const good = { KeyId: 'k', CiphertextBlob: 'blob', Plaintext: Buffer.alloc(32, 7).toString('base64') }

  it.each([
    ['no KeyId', { KeyId: undefined }],
    ['no blob', { CiphertextBlob: '' }],
    ['no plaintext', { Plaintext: undefined }],
    ['31 bytes', { Plaintext: Buffer.alloc(31, 7).toString('base64') }],
    ['33 bytes', { Plaintext: Buffer.alloc(33, 7).toString('base64') }],
    ['48 bytes', { Plaintext: Buffer.alloc(48, 7).toString('base64') }],
    ['base64url', { Plaintext: Buffer.alloc(32, 0xff).toString('base64url') }],
    ['base64 with stray bits', { Plaintext: `${'B'.repeat(43)}=` }],
    ['base64 with a line break', { Plaintext: `${good.Plaintext}\n` }],
    ['hex', { Plaintext: Buffer.alloc(32, 7).toString('hex') }],
  ])('refuses GenerateDataKey with %s, and does not ask again', async (_, change) => {
    let calls = 0
    const kms = tencentKms({
      keyId: 'k',
      client: client(async () => {
        calls += 1
        return { ...good, ...change }
      }),
    })
    const error = await failure(kms.generate(identity()))
    expect(error.code).toBe('KMS_REFUSED')
    expect(error.message).not.toContain(good.Plaintext.slice(0, 10))
    expect(calls).toBe(1)
  })

  it('refuses to unwrap with a key other than the one that is stored with the wrapped DEK', async () => {
    const { emulator, client: real, kms } = await start()
    const { KeyId: other = '' } = await real.CreateKey({ Alias: 'other' })
    const whose = identity()
    const { wrapped } = await kms.generate(whose)
    const both = tencentKms({ client: real, keyId: emulator.keyId, formerKeyIds: [other] })
    const error = await failure(both.unwrap({ wrapped, kekId: other }, whose))
    expect(error).toMatchObject({ code: 'KMS_REFUSED' })
    expect(error.message).toContain(other)
    expect(error.message).toContain(emulator.keyId)
    const nameless = tencentKms({ keyId: 'k', client: client(async () => ({ Plaintext: good.Plaintext })) })
    expect(await failure(nameless.unwrap({ wrapped, kekId: 'k' }, whose))).toMatchObject({ code: 'KMS_REFUSED' })
  })

  it.each(['GenerateDataKey', 'Encrypt', 'ReEncrypt'])(
    'refuses %s under a key that was not asked for',
    async (action) => {
      const whose = identity()
      const answer = async () => ({ ...good, KeyId: 'the id of the alias', SourceKeyId: 'alias/app' })
      const kms = tencentKms({ keyId: 'alias/app', client: { ...client(answer), Encrypt: answer, ReEncrypt: answer } })
      const calls: { readonly [action: string]: () => Promise<unknown> } = {
        GenerateDataKey: () => kms.generate(whose),
        Encrypt: () => kms.wrap!(Buffer.alloc(32), whose),
        ReEncrypt: () => kms.rewrap!({ wrapped: 'blob', kekId: 'alias/app' }, whose),
      }
      expect(await failure(calls[action]!())).toMatchObject({ code: 'KMS_REFUSED' })
    },
  )

  it('refuses to unwrap for another tenant, purpose or DEK id', async () => {
    const { kms } = await start()
    const whose = identity()
    const { wrapped, kekId } = await kms.generate(whose)
    const others = [
      { ...whose, tenant: 'globex' },
      { ...whose, purpose: 'index' as const },
      { ...whose, key: randomUUID() },
    ]
    for (const other of others) {
      expect(await failure(kms.unwrap({ wrapped, kekId }, other))).toMatchObject({
        code: 'KMS_REFUSED',
        message: expect.stringContaining('keys table'),
      })
    }
  })

  it('refuses a wrapped DEK that was changed', async () => {
    const { kms } = await start()
    const whose = identity()
    const { wrapped, kekId } = await kms.generate(whose)
    for (const changed of ['', 'nonsense', wrapped.slice(0, -5)]) {
      expect(await failure(kms.unwrap({ wrapped: changed, kekId }, whose))).toMatchObject({ code: 'KMS_REFUSED' })
    }
  })

  it('refuses a tenant id that is too long before any request', async () => {
    const { emulator, kms } = await start()
    const long = identity('t'.repeat(1000))
    expect(await failure(kms.generate(long))).toMatchObject({ code: 'TENANT_INVALID' })
    expect(await failure(kms.unwrap({ wrapped: 'blob', kekId: emulator.keyId }, long))).toMatchObject({
      code: 'TENANT_INVALID',
    })
    expect(emulator.calls.count()).toBe(0)
  })

  it.each([
    ['gives nothing', () => '' as string, 'gave no key id'],
    ['gives what is no text', () => 7 as unknown as string, 'gave no key id'],
    ['throws', () => Promise.reject(new Error('no such tenant')), 'failed'],
  ])('says so when the keyId function %s, also of what it should unwrap', async (_, keyId, why) => {
    const { emulator, kms } = await start({ keyId })
    expect(await failure(kms.generate(identity('globex')))).toMatchObject({
      code: 'KMS_KEY_UNUSABLE',
      message: expect.stringMatching(`^The keyId function of tencentKms ${why} for tenant "globex"`),
    })
    const wrapped = { wrapped: 'blob', kekId: emulator.keyId }
    expect((await failure(kms.unwrap(wrapped, identity('globex')))).message).toContain(
      `keyId function of tencentKms ${why}`,
    )
    expect(emulator.calls.count()).toBe(0)
  })
})

describe('tencentKms', () => {
  it('wraps a DEK and unwraps it, each with one request', async () => {
    const { emulator, kms } = await start()
    const whose = identity()
    const { dek, wrapped, kekId } = await kms.generate(whose)
    expect(dek).toHaveLength(32)
    expect(kekId).toBe(emulator.keyId)
    expect(dek.equals(await kms.unwrap({ wrapped, kekId }, whose))).toBe(true)
    expect(emulator.calls.byAction).toEqual({ GenerateDataKey: 1, Decrypt: 1 })
    expect(emulator.calls.log.map((call) => call.encryptionContext)).toEqual(
      Array(2).fill(`{"key":"${whose.key}","purpose":"encrypt","tenant":"acme"}`),
    )
  })

  it('gives each DEK memory of its own, so that zeroing it leaves no copy', async () => {
    const { kms } = await start()
    const whose = identity()
    const { dek, ...wrapped } = await kms.generate(whose)
    for (const buffer of [dek, await kms.unwrap(wrapped, whose)]) expect(buffer.buffer.byteLength).toBe(32)
  })

  it('works for tenant ids in any script and as long as the context allows', async () => {
    const { kms } = await start()
    for (const tenant of ['租户-"一"', '🏥\\', 't'.repeat(940)]) {
      const whose = identity(tenant)
      const { dek, ...wrapped } = await kms.generate(whose)
      expect(dek.equals(await kms.unwrap(wrapped, whose))).toBe(true)
    }
  })

  it('takes the key from a function of the tenant, sync or async, for unwrapping too', async () => {
    const { client: real, emulator } = await start()
    const { KeyId: second = '' } = await real.CreateKey({ Alias: 'globex' })
    const asked: string[] = []
    const kms = tencentKms({
      client: real,
      keyId: (tenant) => {
        asked.push(tenant)
        return tenant === 'globex' ? Promise.resolve(second) : emulator.keyId
      },
    })
    const ids = [identity('acme'), identity('globex')] as const
    const made = [await kms.generate(ids[0]), await kms.generate(ids[1])] as const
    expect(made.map((each) => each.kekId)).toEqual([emulator.keyId, second])
    expect((await kms.unwrap(made[1], ids[1])).equals(made[1].dek)).toBe(true)
    expect(asked).toEqual(['acme', 'globex', 'globex'])
  })

  it('works with a client that has the two methods only', async () => {
    const { client: real, emulator } = await start()
    const bare: TencentKmsClient = {
      GenerateDataKey: (request) => real.GenerateDataKey(request),
      Decrypt: (request) => real.Decrypt(request),
    }
    const kms = tencentKms({ client: bare, keyId: emulator.keyId })
    const whose = identity()
    const { dek, ...wrapped } = await kms.generate(whose)
    expect(dek.equals(await kms.unwrap(wrapped, whose))).toBe(true)
  })

  it('shows no secret when it is inspected or made JSON', async () => {
    const { emulator, kms } = await start()
    const shown = `${inspect(kms, { depth: 9, showHidden: true })}${JSON.stringify(kms)}`
    expect(JSON.parse(JSON.stringify(kms))).toEqual({ name: 'tencent', concurrency: 20 })
    expect(shown).not.toContain(emulator.credential.secretId)
    expect(shown).not.toContain(emulator.credential.secretKey)
  })
})
