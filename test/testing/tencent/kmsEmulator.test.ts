import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import { CommonClient } from 'tencentcloud-sdk-nodejs-kms/tencentcloud/common/common_client.js'
import { kms } from 'tencentcloud-sdk-nodejs-kms/tencentcloud/services/kms/index.js'
import {
  type KmsEmulator,
  type KmsEmulatorOptions,
  startKmsEmulator,
} from '../../../src/testing/tencent/kmsEmulator.js'
import { onTestFinished } from '../../support/onTestFinished.js'

const sdkSign: unknown = createRequire(import.meta.url)('tencentcloud-sdk-nodejs-kms/tencentcloud/common/sign.js')
const { default: Sign } = sdkSign as { default: { sign3(request: object): string } }
const { Client } = kms.v20190118
const context = JSON.stringify({ key: '1', tenant: '租户 "ü"' })

async function start(options: KmsEmulatorOptions = {}) {
  const emulator = await startKmsEmulator(options)
  onTestFinished(() => emulator.close())
  return { emulator, client: new Client(emulator.clientConfig()), KeyId: emulator.keyId }
}

/** Headers of a ListKeys request as the SDK signs them. */
function signedHeaders({ url, credential }: KmsEmulator, payload: object): Record<string, string> {
  const timestamp = Math.floor(Date.now() / 1000)
  const headers = { 'Content-Type': 'application/json' }
  const signing = { method: 'POST', url, payload, timestamp, service: 'kms', multipart: false, headers }
  const authorization = Sign.sign3({ ...signing, ...credential, boundary: '' })
  const common = { 'x-tc-action': 'ListKeys', 'x-tc-version': '2019-01-18', 'x-tc-region': 'ap-guangzhou' }
  return { ...headers, ...common, 'x-tc-timestamp': String(timestamp), authorization }
}

function fails(code: string) {
  return expect.objectContaining({ code })
}

describe('startKmsEmulator', () => {
  it('refuses options that cannot work, naming the option', async () => {
    const wrong: [KmsEmulatorOptions, RegExp][] = [
      [{ credentials: [] }, /"credentials"/],
      [{ keys: [] }, /"keys"/],
      [{ keys: [{ alias: 'no spaces please' }] }, /"keys" .*is not valid: The alias/],
      [{ keys: [{ alias: 'twice' }, { alias: 'twice' }] }, /"keys" .*is not valid: Another/],
      [{ limits: { Decrypt: 1.5 } }, /"limits\.Decrypt"/],
    ]
    for (const [options, message] of wrong) {
      await expect(startKmsEmulator(options)).rejects.toMatchObject({
        code: 'OPTIONS_INVALID',
        message: expect.stringMatching(message),
      })
    }
  })

  it('rejects when its port is taken', async () => {
    const { emulator } = await start()
    await expect(startKmsEmulator({ port: emulator.port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })

  it('ends held and stalled requests when it closes', async () => {
    const emulator = await startKmsEmulator()
    emulator.faults.add({ kind: 'hold' })
    emulator.faults.add({ kind: 'stall' })
    const client = new Client(emulator.clientConfig())
    const pending = [client.GetServiceStatus(), client.GetServiceStatus()].map((call) => call.catch((error) => error))
    await emulator.calls.until((calls) => calls.inFlight === 2)
    await emulator.close()
    for (const error of await Promise.all(pending)) expect(error).toBeInstanceOf(Error)
  })
})

describe('the emulator, signatures', () => {
  const credentials = [
    { secretId: 'AKIDlong', secretKey: 'long' },
    { secretId: 'AKIDtemporary', secretKey: 'temporary', token: 'fresh' },
  ]

  it.each([
    ['a wrong secret', { secretId: 'AKIDlong', secretKey: 'wrong' }, 'AuthFailure.SignatureFailure'],
    ['an unknown id', { secretId: 'AKIDnobody', secretKey: 'long' }, 'AuthFailure.SecretIdNotFound'],
    [
      'a stale token',
      { secretId: 'AKIDtemporary', secretKey: 'temporary', token: 'stale' },
      'AuthFailure.TokenFailure',
    ],
    ['no token where one is needed', { secretId: 'AKIDtemporary', secretKey: 'temporary' }, 'AuthFailure.TokenFailure'],
  ])('refuses %s', async (_, credential, code) => {
    const { emulator } = await start({ credentials })
    const client = new Client(emulator.clientConfig({ credential }))
    await expect(client.GetServiceStatus()).rejects.toEqual(fails(code))
  })

  it('refuses a request whose clock is off', async () => {
    const { client } = await start({ now: () => Date.now() + 301_000 })
    await expect(client.GetServiceStatus()).rejects.toEqual(fails('AuthFailure.SignatureExpire'))
  })

  it('refuses a body that was changed after it was signed, a changed timestamp, and no signature at all', async () => {
    const { emulator } = await start()
    const post = async (body: string, headers: Record<string, string>) => {
      const response = await fetch(emulator.url, { method: 'POST', headers, body })
      expect(response.status).toBe(200)
      return response.text()
    }
    const headers = signedHeaders(emulator, { Offset: 0 })
    expect(await post('{"Offset":0}', headers)).toContain('"TotalCount":1')
    expect(await post('{"Offset":1}', headers)).toContain('AuthFailure.SignatureFailure')
    expect(await post('{"Offset":0}', { ...headers, authorization: '' })).toContain('AuthFailure.InvalidAuthorization')
    expect(await post('{"Offset":0}', { ...headers, 'x-tc-timestamp': '' })).toContain('MissingParameter')
    const yesterday = String(Number(headers['x-tc-timestamp']) - 86_400)
    expect(await post('{"Offset":0}', { ...headers, 'x-tc-timestamp': yesterday })).toContain('SignatureExpire')
  })

  it('takes a token, also beside a credential without one', async () => {
    const { emulator } = await start({ credentials })
    for (const credential of credentials) {
      const client = new Client(emulator.clientConfig({ credential }))
      await expect(client.GetServiceStatus()).resolves.toMatchObject({ ServiceEnabled: true })
    }
  })

  it('takes the generic client and host names with and without dots', async () => {
    const { emulator, KeyId } = await start()
    for (const endpoint of [emulator.endpoint, `localhost:${emulator.port}`]) {
      const config = emulator.clientConfig()
      const profile = { httpProfile: { ...config.profile.httpProfile, endpoint } }
      const client = new CommonClient('kms.tencentcloudapi.com', '2019-01-18', { ...config, profile })
      const key = await client.request('GenerateDataKey', { KeyId, KeySpec: 'AES_256', EncryptionContext: context })
      const opened = await client.request('Decrypt', {
        CiphertextBlob: key.CiphertextBlob,
        EncryptionContext: context,
      })
      expect(opened.Plaintext).toBe(key.Plaintext)
    }
  })

  it('refuses another API version, an unknown action, an unknown parameter and a missing region', async () => {
    const { emulator, KeyId, client } = await start()
    const config = emulator.clientConfig()
    const old = new CommonClient('kms.tencentcloudapi.com', '2018-01-01', config)
    await expect(old.request('GetServiceStatus', {})).rejects.toEqual(fails('NoSuchVersion'))
    await expect(client.request('toString', {})).rejects.toEqual(fails('InvalidAction'))
    await expect(client.request('DescribeKey', { KeyId, Colour: 'red' })).rejects.toEqual(fails('UnknownParameter'))
    const { region: _, ...nowhere } = config
    await expect(new Client(nowhere).GetServiceStatus()).rejects.toEqual(fails('MissingParameter'))
  })
})

describe('the emulator, data keys and ciphertexts', () => {
  const KeySpec = 'AES_256'

  it.each([
    ['no KeyId', { KeySpec }, 'MissingParameter'],
    ['an unknown KeyId', { KeyId: 'nobody', KeySpec }, 'ResourceUnavailable.CmkNotFound'],
    ['an unknown KeySpec', { KeySpec: 'AES_512', own: true }, 'InvalidParameter'],
    ['no size', { own: true }, 'InvalidParameter'],
    ['too many bytes', { NumberOfBytes: 1025, own: true }, 'InvalidParameter'],
    ['a context that is not JSON', { KeySpec, EncryptionContext: 'acme', own: true }, 'InvalidParameter'],
    [
      'a context of more than 1,024 bytes',
      { KeySpec, EncryptionContext: JSON.stringify({ t: '租'.repeat(340) }), own: true },
      'InvalidParameter',
    ],
  ])('refuses GenerateDataKey with %s', async (_, { own, ...request }: Record<string, unknown>, code) => {
    const { client, KeyId } = await start()
    await expect(client.request('GenerateDataKey', own ? { KeyId, ...request } : request)).rejects.toEqual(fails(code))
  })

  it('takes a context of exactly 1,024 bytes', async () => {
    const { client, KeyId } = await start()
    const EncryptionContext = JSON.stringify({ t: 'x'.repeat(1024 - 8) })
    expect(EncryptionContext).toHaveLength(1024)
    await expect(client.GenerateDataKey({ KeyId, KeySpec, EncryptionContext })).resolves.toMatchObject({ KeyId })
  })

  it('refuses to decrypt under another context, even one that differs only in a blank', async () => {
    const { client, KeyId } = await start()
    const { CiphertextBlob = '' } = await client.GenerateDataKey({ KeyId, KeySpec, EncryptionContext: context })
    for (const EncryptionContext of ['{}', context.replace(',', ', '), undefined]) {
      const request = EncryptionContext === undefined ? { CiphertextBlob } : { CiphertextBlob, EncryptionContext }
      await expect(client.Decrypt(request)).rejects.toEqual(fails('InvalidParameterValue.InvalidCiphertext'))
    }
  })

  it('refuses a blob that is foreign, cut or changed', async () => {
    const { client, KeyId } = await start()
    const { CiphertextBlob = '' } = await client.GenerateDataKey({ KeyId, KeySpec })
    const changed = `${CiphertextBlob.slice(0, -6)}${CiphertextBlob.at(-6) === 'A' ? 'B' : 'A'}${CiphertextBlob.slice(-5)}`
    for (const blob of ['AAAA', 'a-k-b-k-c', CiphertextBlob.slice(0, -8), changed, `${CiphertextBlob}-k-AAAA`]) {
      await expect(client.Decrypt({ CiphertextBlob: blob })).rejects.toEqual(
        fails('InvalidParameterValue.InvalidCiphertext'),
      )
    }
  })

  it('makes data keys that decrypt to what it answered, in blobs that look like the real ones', async () => {
    const { client, KeyId } = await start()
    const made = await client.GenerateDataKey({ KeyId, KeySpec, EncryptionContext: context })
    expect(Buffer.from(made.Plaintext ?? '', 'base64')).toHaveLength(32)
    expect(made.CiphertextBlob).toMatch(/^[A-Za-z0-9+/=]+-k-[A-Za-z0-9+/=]+-k-[A-Za-z0-9+/=]+$/)
    expect(made.CiphertextBlob?.length).toBeGreaterThanOrEqual(166)
    expect(made.CiphertextBlob?.length).toBeLessThanOrEqual(210)
    const opened = await client.Decrypt({ CiphertextBlob: made.CiphertextBlob ?? '', EncryptionContext: context })
    expect(opened).toEqual({ KeyId, Plaintext: made.Plaintext, RequestId: expect.stringMatching(/^[\w-]{36}$/) })
  })

  it('encrypts up to 4,096 bytes and no more, and only strict base64', async () => {
    const { client, KeyId } = await start()
    const Plaintext = randomBytes(4096).toString('base64')
    const { CiphertextBlob = '' } = await client.Encrypt({ KeyId, Plaintext, EncryptionContext: context })
    expect(await client.Decrypt({ CiphertextBlob, EncryptionContext: context })).toMatchObject({ Plaintext })
    for (const wrong of [randomBytes(4097).toString('base64'), 'not base64!']) {
      await expect(client.Encrypt({ KeyId, Plaintext: wrong })).rejects.toEqual(
        fails('InvalidParameterValue.InvalidPlaintext'),
      )
    }
    await expect(client.Encrypt({ KeyId, Plaintext: '' })).rejects.toEqual(fails('MissingParameter'))
  })

  it('re-encrypts to another key or the newest version, and leaves a blob that is there already', async () => {
    const { client, KeyId } = await start()
    const { KeyId: other = '' } = await client.CreateKey({ Alias: 'other' })
    const made = await client.GenerateDataKey({ KeyId, KeySpec, EncryptionContext: context })
    const both = { SourceEncryptionContext: context, DestinationEncryptionContext: context }
    const same = await client.ReEncrypt({ CiphertextBlob: made.CiphertextBlob ?? '', ...both })
    expect(same).toMatchObject({ ReEncrypted: false, CiphertextBlob: made.CiphertextBlob, KeyId, SourceKeyId: KeyId })
    await client.RotateKey({ KeyId })
    const newest = await client.ReEncrypt({ CiphertextBlob: made.CiphertextBlob ?? '', ...both })
    expect(newest).toMatchObject({ ReEncrypted: true, KeyId, SourceKeyId: KeyId })
    const moved = await client.ReEncrypt({
      CiphertextBlob: newest.CiphertextBlob ?? '',
      DestinationKeyId: other,
      ...both,
    })
    expect(moved).toMatchObject({ ReEncrypted: true, KeyId: other, SourceKeyId: KeyId })
    for (const blob of [made, newest, moved]) {
      const opened = await client.Decrypt({ CiphertextBlob: blob.CiphertextBlob ?? '', EncryptionContext: context })
      expect(opened.Plaintext).toBe(made.Plaintext)
    }
  })

  it('makes random bytes', async () => {
    const { client } = await start()
    const { Plaintext } = await client.GenerateRandom({ NumberOfBytes: 24 })
    expect(Buffer.from(Plaintext, 'base64')).toHaveLength(24)
  })
})

describe('the emulator, key management', () => {
  async function withBlob() {
    const started = await start()
    const { client, KeyId } = started
    const { CiphertextBlob = '' } = await client.GenerateDataKey({ KeyId, KeySpec: 'AES_256' })
    const uses = () =>
      Promise.all(
        [client.GenerateDataKey({ KeyId, KeySpec: 'AES_256' }), client.Decrypt({ CiphertextBlob })].map((call) =>
          call.then(
            () => 'ok',
            (error: { code: string }) => error.code,
          ),
        ),
      )
    return { ...started, uses }
  }

  it('neither encrypts nor decrypts while disabled, and does again once enabled', async () => {
    const { client, KeyId, uses } = await withBlob()
    await client.DisableKey({ KeyId })
    expect(await uses()).toEqual(['ResourceUnavailable.CmkDisabled', 'ResourceUnavailable.CmkDisabled'])
    await client.EnableKey({ KeyId })
    expect(await uses()).toEqual(['ok', 'ok'])
    await client.DisableKeys({ KeyIds: [KeyId] })
    expect((await uses())[0]).toBe('ResourceUnavailable.CmkDisabled')
    await client.EnableKeys({ KeyIds: [KeyId] })
    expect(await uses()).toEqual(['ok', 'ok'])
  })

  it('only decrypts while archived', async () => {
    const { client, KeyId, uses } = await withBlob()
    await client.ArchiveKey({ KeyId })
    expect(await uses()).toEqual(['ResourceUnavailable.CmkArchived', 'ok'])
    await client.CancelKeyArchive({ KeyId })
    expect(await uses()).toEqual(['ok', 'ok'])
    await expect(client.CancelKeyArchive({ KeyId })).rejects.toEqual(fails('ResourceUnavailable.CmkNotArchived'))
  })

  it('schedules deletion of a disabled key only, and does nothing with it meanwhile', async () => {
    const { client, KeyId, uses } = await withBlob()
    const schedule = (PendingWindowInDays: number) => client.ScheduleKeyDeletion({ KeyId, PendingWindowInDays })
    await expect(schedule(7)).rejects.toEqual(fails('ResourceUnavailable.CmkShouldBeDisabled'))
    await client.DisableKey({ KeyId })
    await expect(schedule(6)).rejects.toEqual(fails('InvalidParameter'))
    expect((await schedule(7)).DeletionDate).toBeGreaterThan(Date.now() / 1000 + 6 * 86_400)
    expect(await uses()).toEqual(['ResourceUnavailable.KeyPendingDelete', 'ResourceUnavailable.KeyPendingDelete'])
    await client.CancelKeyDeletion({ KeyId })
    await client.EnableKey({ KeyId })
    expect(await uses()).toEqual(['ok', 'ok'])
    await expect(client.CancelKeyDeletion({ KeyId })).rejects.toEqual(fails('ResourceUnavailable.CmkNotPendingDelete'))
  })

  it('forgets a key once its deletion is due', async () => {
    let now = Date.now()
    const { emulator } = await start({ now: () => now })
    emulator.keys.change(emulator.keyId, 'disable')
    emulator.keys.change(emulator.keyId, 'scheduleDeletion')
    emulator.keys.update(emulator.keyId, { deletionDate: Math.floor(now / 1000) + 7 * 86_400 })
    expect(emulator.keys.list).toHaveLength(1)
    now += 8 * 86_400_000
    expect(() => emulator.keys.find(emulator.keyId)).toThrow(fails('ResourceUnavailable.CmkNotFound'))
  })

  it('creates, describes, renames and lists keys', async () => {
    const { client, KeyId } = await start()
    const made = await client.CreateKey({ Alias: 'payroll', Description: 'salaries' })
    expect(made).toMatchObject({ Alias: 'payroll', KeyState: 'Enabled', KeyUsage: 'ENCRYPT_DECRYPT' })
    await expect(client.CreateKey({ Alias: 'payroll' })).rejects.toEqual(
      fails('InvalidParameterValue.AliasAlreadyExists'),
    )
    await client.UpdateAlias({ KeyId: made.KeyId ?? '', Alias: 'wages' })
    await client.UpdateKeyDescription({ KeyId: made.KeyId ?? '', Description: 'wages' })
    const described = await client.DescribeKey({ KeyId: made.KeyId ?? '' })
    expect(described.KeyMetadata).toMatchObject({ Alias: 'wages', Description: 'wages', Origin: 'TENCENT_KMS' })
    expect(JSON.stringify(described)).not.toContain('versions')
    expect(await client.ListKeys({})).toMatchObject({ TotalCount: 2, Keys: [{ KeyId }, { KeyId: made.KeyId }] })
    expect(await client.ListKeys({ Offset: 1, Limit: 1 })).toMatchObject({ Keys: [{ KeyId: made.KeyId }] })
    await client.DisableKey({ KeyId })
    expect(await client.ListKeyDetail({ KeyState: 2 })).toMatchObject({ TotalCount: 1, KeyMetadatas: [{ KeyId }] })
    expect(await client.ListKeyDetail({ SearchKeyAlias: 'wag' })).toMatchObject({ TotalCount: 1 })
    const { KeyMetadatas } = await client.DescribeKeys({ KeyIds: [KeyId, made.KeyId ?? ''] })
    expect(KeyMetadatas?.map((key) => key.KeyState)).toEqual(['Disabled', 'Enabled'])
  })

  it('rotates: older ciphertexts stay readable', async () => {
    const { client, KeyId, uses } = await withBlob()
    expect(await client.RotateKey({ KeyId })).toMatchObject({ TaskId: expect.any(String) })
    expect(await uses()).toEqual(['ok', 'ok'])
    await client.EnableKeyRotation({ KeyId, RotateDays: 90 })
    expect(await client.GetKeyRotationStatus({ KeyId })).toMatchObject({ KeyRotationEnabled: true })
    await client.DisableKeyRotation({ KeyId })
    expect(await client.GetKeyRotationStatus({ KeyId })).toMatchObject({ KeyRotationEnabled: false })
    expect((await client.GetRegions()).Regions).toContain('ap-guangzhou')
  })
})

describe('the emulator, limits and faults', () => {
  it('throttles an action above its limit, and not the others', async () => {
    let now = Date.now()
    const { client, KeyId } = await start({ limits: { DescribeKey: 2 }, now: () => now })
    await client.DescribeKey({ KeyId })
    await client.DescribeKey({ KeyId })
    await expect(client.DescribeKey({ KeyId })).rejects.toEqual(fails('RequestLimitExceeded'))
    await client.GetServiceStatus()
    now += 1000
    await expect(client.DescribeKey({ KeyId })).resolves.toMatchObject({ KeyMetadata: { KeyId } })
  })

  it('answers an injected error as the API does: HTTP 200, a code, a request id', async () => {
    const { emulator, client } = await start()
    emulator.faults.add({ kind: 'error', code: 'InternalError', message: 'sorry' })
    const error = await client.GetServiceStatus().catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: 'InternalError',
      message: 'sorry',
      requestId: emulator.calls.log[0]?.requestId,
    })
    await expect(client.GetServiceStatus()).resolves.toMatchObject({ ServiceEnabled: true })
  })

  it.each([
    [{ kind: 'status', status: 503 }, { httpCode: 503 }],
    [{ kind: 'hangUp', when: 'before' }, { message: expect.stringContaining('socket hang up') }],
    [{ kind: 'hangUp', when: 'body' }, { message: expect.stringMatching(/premature close|timeout/i) }],
    [{ kind: 'truncate' }, { message: expect.stringContaining('JSON') }],
    [{ kind: 'stall' }, { message: expect.stringContaining('timeout') }],
    [{ kind: 'hold' }, { message: expect.stringContaining('network timeout at') }],
    [{ kind: 'body', body: '{}' }, { name: 'TypeError' }],
  ] as const)('plays %j', async (fault, error) => {
    const { emulator } = await start()
    const client = new Client(emulator.clientConfig({ reqTimeout: 0.1 }))
    emulator.faults.add(fault)
    await expect(client.GetServiceStatus()).rejects.toMatchObject(error)
    expect(emulator.calls.log).toMatchObject([{ action: 'GetServiceStatus', result: fault.kind }])
    await expect(client.GetServiceStatus()).resolves.toMatchObject({ ServiceEnabled: true })
  })

  it('is late by a delay: too late for the impatient, and in time for others', async () => {
    const { emulator, client } = await start()
    emulator.faults.add({ kind: 'delay', ms: 60_000 })
    emulator.faults.add({ kind: 'delay', ms: 5 })
    const impatient = new Client(emulator.clientConfig({ reqTimeout: 0.05 }))
    await expect(impatient.GetServiceStatus()).rejects.toThrow(/network timeout/)
    await emulator.calls.until((calls) => calls.inFlight === 0)
    await expect(client.GetServiceStatus()).resolves.toMatchObject({ ServiceEnabled: true })
    expect(emulator.calls.log.map((call) => call.result)).toEqual(['delay', 'delay'])
  })

  it('lets held requests go on when the faults are cleared', async () => {
    const { emulator, client } = await start()
    emulator.faults.add({ kind: 'hold', times: 'always' })
    const held = Promise.all(Array.from({ length: 5 }, () => client.GetServiceStatus()))
    await emulator.calls.until((calls) => calls.inFlight === 5)
    emulator.faults.clear()
    expect(await held).toHaveLength(5)
    expect(emulator.calls.maxInFlight).toBe(5)
  })

  it('plays faults for an action, a number of times or until taken back, in the order they came', async () => {
    const { emulator, client, KeyId } = await start()
    emulator.faults.add({ kind: 'error', code: 'InternalError', action: 'DescribeKey', times: 2 })
    const always = emulator.faults.add({ kind: 'error', code: 'ServiceUnavailable', times: 'always' })
    const describe = () => client.DescribeKey({ KeyId }).catch((error: { code: string }) => error.code)
    const status = () => client.GetServiceStatus().catch((error: { code: string }) => error.code)
    expect([await status(), await describe(), await describe(), await describe()]).toEqual([
      'ServiceUnavailable',
      'InternalError',
      'InternalError',
      'ServiceUnavailable',
    ])
    always()
    expect(await status()).toMatchObject({ ServiceEnabled: true })
    expect(emulator.faults.list).toEqual([])
  })

  it('counts calls and remembers no plaintext and no ciphertext', async () => {
    const { emulator, client, KeyId } = await start()
    const made = await client.GenerateDataKey({ KeyId, KeySpec: 'AES_256', EncryptionContext: context })
    await client.Decrypt({ CiphertextBlob: made.CiphertextBlob ?? '', EncryptionContext: context })
    expect(emulator.calls.byAction).toEqual({ GenerateDataKey: 1, Decrypt: 1 })
    expect([emulator.calls.count(), emulator.calls.count('Decrypt'), emulator.calls.count('Encrypt')]).toEqual([
      2, 1, 0,
    ])
    expect(emulator.calls.connections).toBe(1)
    const log = JSON.stringify(emulator.calls.log)
    expect(log).toContain(KeyId)
    expect(log).not.toContain(made.Plaintext)
    expect(log).not.toContain(made.CiphertextBlob)
    emulator.calls.reset()
    expect([emulator.calls.count(), emulator.calls.log]).toEqual([0, []])
  })
})

describe('the emulator, administration over HTTP', () => {
  async function admin(emulator: KmsEmulator, method: string, path: string, body?: unknown) {
    const init = body === undefined ? { method } : { method, body: JSON.stringify(body) }
    const response = await fetch(`${emulator.url}/_emulator/${path}`, init)
    return [response.status, await response.json()]
  }

  it('is closed unless it is asked for', async () => {
    const { emulator } = await start()
    const response = await fetch(`${emulator.url}/_emulator/calls`)
    expect(await response.text()).toContain('UnsupportedProtocol')
  })

  it('refuses faults it does not understand', async () => {
    const { emulator } = await start({ admin: true })
    const wrong = [
      null,
      [],
      { kind: 'explode' },
      { kind: 'error' },
      { kind: 'status', status: 99 },
      { kind: 'delay', ms: '5' },
      { kind: 'hangUp', when: 'later' },
      { kind: 'hold', times: 0 },
      { kind: 'hold', tiems: 3 },
    ]
    for (const fault of wrong) expect((await admin(emulator, 'POST', 'faults', fault))[0]).toBe(400)
    expect((await admin(emulator, 'PUT', 'faults'))[0]).toBe(404)
    expect(emulator.faults.list).toEqual([])
  })

  it('injects and clears faults, shows calls and keys, and does not count itself', async () => {
    const { emulator, client, KeyId } = await start({ admin: true })
    const fault = { kind: 'error', code: 'InternalError', action: 'GetServiceStatus', times: 'always' }
    expect(await admin(emulator, 'POST', 'faults', fault)).toEqual([200, { ok: true }])
    expect(await admin(emulator, 'GET', 'faults')).toEqual([200, [fault]])
    await expect(client.GetServiceStatus()).rejects.toEqual(fails('InternalError'))
    await admin(emulator, 'DELETE', 'faults')
    await client.GetServiceStatus()
    expect(await admin(emulator, 'GET', 'calls')).toMatchObject([200, { total: 2, inFlight: 0, maxInFlight: 1 }])
    await admin(emulator, 'DELETE', 'calls')
    expect(emulator.calls.count()).toBe(0)
    expect(await admin(emulator, 'GET', 'keys')).toEqual([
      200,
      [{ keyId: KeyId, alias: 'fieldseal', state: 'Enabled' }],
    ])
    expect(await admin(emulator, 'GET', 'health')).toEqual([200, { ok: true }])
  })
})

describe('the emulator, state file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kms-emulator-'))
  const stateFile = join(folder, 'state.json')
  afterEach(() => rmSync(stateFile, { force: true }))

  it('refuses a file that holds something else, and leaves it as it is', async () => {
    for (const text of ['not json', '{"format":2}', '[]']) {
      writeFileSync(stateFile, text)
      await expect(startKmsEmulator({ stateFile })).rejects.toMatchObject({ code: 'OPTIONS_INVALID' })
      expect(readFileSync(stateFile, 'utf8')).toBe(text)
    }
    await expect(startKmsEmulator({ stateFile: folder })).rejects.toMatchObject({ code: 'OPTIONS_INVALID' })
  })

  it('keeps keys, states and versions over a restart, readable for the owner only', async () => {
    const first = await start({ stateFile, keys: [{ alias: 'app', keyId: 'fixed-id' }] })
    const made = await first.client.GenerateDataKey({ KeyId: 'fixed-id', KeySpec: 'AES_256' })
    await first.client.RotateKey({ KeyId: 'fixed-id' })
    await first.client.ArchiveKey({ KeyId: 'fixed-id' })
    await first.emulator.close()
    expect(statSync(stateFile).mode & 0o777).toBe(0o600)
    const { client, KeyId } = await start({ stateFile, keys: [{ alias: 'app' }, { alias: 'second' }] })
    expect(KeyId).toBe('fixed-id')
    expect(await client.Decrypt({ CiphertextBlob: made.CiphertextBlob ?? '' })).toMatchObject({
      Plaintext: made.Plaintext,
    })
    expect((await client.DescribeKey({ KeyId })).KeyMetadata?.KeyState).toBe('Archived')
    expect((await client.ListKeys({})).TotalCount).toBe(2)
  })
})
