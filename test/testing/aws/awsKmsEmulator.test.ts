import { createHash, createHmac } from 'node:crypto'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KMS, KMSClient, ListKeysCommand } from '@aws-sdk/client-kms'
import { describe, expect, it } from '@jest/globals'
import { AwsAccount, type AwsKmsEmulator, type AwsKmsEmulatorOptions, startAwsKmsEmulator } from 'fieldseal/testing'
import { clientOf, started } from '../../kms/aws/emulated.js'
import { onTestFinished } from '../../support/onTestFinished.js'

function fails(name: string) {
  return expect.objectContaining({ name })
}

interface Signing {
  readonly body?: string
  readonly region?: string
  readonly service?: string
  readonly date?: Date
  readonly signedHeaders?: readonly string[]
  readonly target?: string
}

/** A request that is signed by hand, as the documentation of SigV4 says. */
function signed({ url, credential }: AwsKmsEmulator, signing: Signing = {}) {
  const {
    body = '{}',
    region = 'eu-central-1',
    service = 'kms',
    date = new Date(),
    target = 'TrentService.ListKeys',
  } = signing
  const time = date.toISOString().replace(/[-:]|\.\d{3}/g, '')
  const day = time.slice(0, 8)
  const headers: Record<string, string> = {
    'content-type': 'application/x-amz-json-1.1',
    host: new URL(url).host,
    'x-amz-date': time,
    'x-amz-target': target,
  }
  const names = signing.signedHeaders ?? Object.keys(headers).sort()
  const lines = names.map((name) => `${name}:${headers[name]}\n`).join('')
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
  const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()
  const canonical = ['POST', '/', '', lines, names.join(';'), sha256(body)].join('\n')
  const scope = `${day}/${region}/${service}/aws4_request`
  const text = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n')
  const parts = [day, region, service, 'aws4_request']
  const key = parts.reduce<string | Buffer>((each, part) => hmac(each, part), `AWS4${credential.secretAccessKey}`)
  const signature = hmac(key, text).toString('hex')
  const authorization = `AWS4-HMAC-SHA256 Credential=${credential.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`
  return { method: 'POST', headers: { ...headers, authorization }, body }
}

async function post({ url }: AwsKmsEmulator, request: RequestInit) {
  const response = await fetch(url, request)
  return {
    status: response.status,
    headers: response.headers,
    answer: (await response.json()) as Record<string, unknown>,
  }
}

describe('startAwsKmsEmulator', () => {
  it('refuses options that cannot work, naming the option', async () => {
    const wrong: [AwsKmsEmulatorOptions, RegExp][] = [
      [{ credentials: [] }, /"credentials"/],
      [{ keys: [{ alias: 'no prefix' }] }, /"keys" .*is not valid: .*alias\//],
      [{ keys: [{ alias: 'alias/twice' }, { keyId: 'a', alias: 'alias/aws/s3' }] }, /"keys" .*reserved/],
      [{ keys: [{ keyId: 'twice' }, { keyId: 'twice' }] }, /"keys" .*already exists/],
      [{ limits: { Decrypt: 1.5 } }, /"limits\.Decrypt"/],
      [{ account: new AwsAccount(), stateFile: 'x' }, /"stateFile"/],
    ]
    for (const [options, message] of wrong) {
      await expect(startAwsKmsEmulator(options)).rejects.toMatchObject({
        code: 'OPTIONS_INVALID',
        message: expect.stringMatching(message),
      })
    }
  })

  it('rejects when its port is taken, and says where there is no key', async () => {
    const { port, account } = await started()
    await expect(startAwsKmsEmulator({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
    const empty = await started({ region: 'eu-west-1', account })
    expect(() => empty.keyId).toThrow(/none in eu-west-1/)
  })

  it('keeps keys, materials and aliases of all regions in its state file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'aws-kms-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const stateFile = join(folder, 'state.json')
    const first = await startAwsKmsEmulator({ stateFile, keys: [{ alias: 'alias/app', multiRegion: true }] })
    const made = await clientOf(first).generateDataKey({ KeyId: 'alias/app', KeySpec: 'AES_256' })
    first.account.replicate(first.keys.find(first.keyId), 'eu-west-1')
    first.keys.rotate(first.keyId)
    await first.close()
    expect(statSync(stateFile).mode & 0o777).toBe(0o600)
    const again = await started({ stateFile, keys: [{ alias: 'alias/app', multiRegion: true }] })
    expect(again.keyArn).toBe(first.keyArn)
    expect(again.keys.list).toHaveLength(1)
    const south = await started({ region: 'eu-west-1', account: again.account })
    again.keys.rotate(again.keyId)
    for (const emulator of [again, south]) {
      const opened = await clientOf(emulator).decrypt({ CiphertextBlob: made.CiphertextBlob })
      expect(opened).toMatchObject({ KeyId: emulator.keyArn, Plaintext: made.Plaintext })
      expect(emulator.keys.find(emulator.keyId).materials).toHaveLength(3)
    }
  })

  it('starts nowhere but in development with the credential that everybody knows', async () => {
    const before = process.env.NODE_ENV
    onTestFinished(() => {
      process.env.NODE_ENV = before
    })
    process.env.NODE_ENV = 'production'
    await expect(startAwsKmsEmulator()).rejects.toMatchObject({ message: expect.stringContaining('"credentials"') })
    const own = [{ accessKeyId: 'AKIA', secretAccessKey: 'own' }]
    await expect(startAwsKmsEmulator({ credentials: own, admin: true })).rejects.toMatchObject({
      message: expect.stringContaining('"admin"'),
    })
    await (await startAwsKmsEmulator({ credentials: own })).close()
  })

  it('answers other processes where it is told to', async () => {
    const emulator = await started({ admin: true })
    const keys = (await (await fetch(`${emulator.url}/_emulator/keys`)).json()) as object[]
    expect(keys).toEqual([{ keyId: emulator.keyId, arn: emulator.keyArn, state: 'Enabled' }])
    const without = await started()
    expect((await fetch(`${without.url}/_emulator/keys`)).status).toBe(400)
  })
})

describe('the AWS emulator, signatures', () => {
  it('takes what is signed as documented, and nothing that differs from what was signed', async () => {
    const emulator = await started()
    const request = signed(emulator)
    expect(await post(emulator, request)).toMatchObject({ status: 200, answer: { Keys: [{ KeyId: emulator.keyId }] } })
    const changes = [
      { ...request, body: '{"Limit":1}' },
      { ...request, headers: { ...request.headers, 'x-amz-target': 'TrentService.ListAliases' } },
      { ...request, headers: { ...request.headers, authorization: request.headers.authorization.replace(/.$/, '') } },
      { ...request, headers: { ...request.headers, 'x-amz-security-token': 'unsigned' } },
    ]
    const answers = await Promise.all(changes.map((change) => post(emulator, change)))
    expect(answers.map(({ answer }) => answer.__type)).toEqual([
      'InvalidSignatureException',
      'InvalidSignatureException',
      'IncompleteSignatureException',
      'InvalidSignatureException',
    ])
  })

  it.each([
    ['another region', { region: 'us-east-1' }],
    ['another service', { service: 's3' }],
    ['a date of six minutes ago', { date: new Date(Date.now() - 360_000) }],
    ['a date of in six minutes', { date: new Date(Date.now() + 360_000) }],
    ['an unsigned host', { signedHeaders: ['content-type', 'x-amz-date', 'x-amz-target'] }],
    ['an unsigned action', { signedHeaders: ['content-type', 'host', 'x-amz-date'] }],
  ])('refuses a signature with %s', async (_, signing: Signing) => {
    const emulator = await started()
    expect(await post(emulator, signed(emulator, signing))).toMatchObject({
      status: 400,
      answer: { __type: 'InvalidSignatureException' },
    })
  })

  it('refuses a request without a signature, and one that is no JSON 1.1', async () => {
    const emulator = await started()
    const { authorization: _, ...headers } = signed(emulator).headers
    expect(await post(emulator, { ...signed(emulator), headers })).toMatchObject({
      answer: { __type: 'MissingAuthenticationTokenException' },
    })
    const plain = { ...signed(emulator), headers: { ...headers, 'content-type': 'application/json' } }
    expect(await post(emulator, plain)).toMatchObject({ answer: { __type: 'MalformedHttpRequestException' } })
  })

  it('takes the token of temporary credentials, until they run out', async () => {
    const temporary = { accessKeyId: 'ASIA', secretAccessKey: 'secret', sessionToken: 'a token' }
    let now = Date.now()
    const credentials = [temporary, { accessKeyId: 'AKIA', secretAccessKey: 'long', expiration: now + 60_000 }]
    const emulator = await started({ credentials, now: () => now })
    for (const credential of credentials)
      await expect(clientOf(emulator, { credential }).listKeys({})).resolves.toMatchObject({ Truncated: false })
    now += 60_000
    await expect(clientOf(emulator, { credential: credentials[1]! }).listKeys({})).rejects.toEqual(
      fails('ExpiredTokenException'),
    )
    emulator.credentials.expire('ASIA')
    await expect(clientOf(emulator).listKeys({})).rejects.toEqual(fails('ExpiredTokenException'))
  })

  it('answers with a request id and a date by which the SDK sets its clock', async () => {
    const emulator = await started({ now: () => Date.now() - 7_200_000 })
    const client = new KMSClient(emulator.clientConfig({ maxAttempts: 2 }))
    onTestFinished(() => client.destroy())
    const { $metadata } = await client.send(new ListKeysCommand({}))
    expect($metadata).toMatchObject({ httpStatusCode: 200, attempts: 2 })
    expect($metadata.requestId).toBe(emulator.calls.log.at(-1)?.requestId)
  })
})

describe('the AWS emulator, requests', () => {
  it('refuses what it does not know', async () => {
    const emulator = await started()
    const unknown = await post(emulator, signed(emulator, { target: 'TrentService.toString' }))
    expect(unknown).toMatchObject({ status: 404, answer: { __type: 'UnknownOperationException' } })
    const array = await post(emulator, signed(emulator, { body: '[]' }))
    expect(array).toMatchObject({ answer: { __type: 'SerializationException' } })
    await expect(clientOf(emulator).sign({} as never)).rejects.toEqual(fails('UnknownOperationException'))
  })

  it('allows no credential more than its permissions', async () => {
    const credentials = [
      { accessKeyId: 'AKIA', secretAccessKey: 'secret', permissions: ['kms:Decrypt', 'kms:DescribeKey'] },
    ]
    const emulator = await started({ credentials })
    const client = clientOf(emulator)
    const { keyId: KeyId } = emulator
    await expect(client.describeKey({ KeyId })).resolves.toMatchObject({ KeyMetadata: { Enabled: true } })
    for (const call of [
      () => client.generateDataKey({ KeyId, KeySpec: 'AES_256' }),
      () => client.encrypt({ KeyId, Plaintext: Buffer.from('x') }),
      () => client.disableKey({ KeyId }),
      () => client.createKey({}),
      () => client.listKeys({}),
      () => client.listAliases({}),
      () => client.createAlias({ AliasName: 'alias/x', TargetKeyId: KeyId }),
    ])
      await expect(call()).rejects.toEqual(fails('AccessDeniedException'))
  })

  it('throttles above the limit of an action, and of all that use key material together, for each region by itself', async () => {
    let now = Date.now()
    const north = await started({ limits: { CryptographicOperations: 3, ListKeys: 1 }, now: () => now })
    const south = await started({ region: 'eu-west-1', account: north.account, keys: [{}] })
    const client = clientOf(north)
    const { keyId: KeyId } = north
    const { CiphertextBlob } = await client.generateDataKey({ KeyId, KeySpec: 'AES_256' })
    await client.decrypt({ CiphertextBlob })
    await client.encrypt({ KeyId, Plaintext: Buffer.from('x') })
    await expect(client.decrypt({ CiphertextBlob })).rejects.toEqual(fails('ThrottlingException'))
    await client.listKeys({})
    await expect(client.listKeys({})).rejects.toEqual(fails('ThrottlingException'))
    await expect(clientOf(south).encrypt({ KeyId: south.keyId, Plaintext: Buffer.from('x') })).resolves.toBeDefined()
    now += 1_000
    await expect(client.decrypt({ CiphertextBlob })).resolves.toBeDefined()
  })

  it('has the limits that AWS documents, if asked', async () => {
    const emulator = await started({ limits: 'documented', keys: [{}] })
    const client = clientOf(emulator)
    const made = await Promise.allSettled(Array.from({ length: 7 }, () => client.createKey({})))
    expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(5)
  })
})

describe('the AWS emulator, data keys and ciphertexts', () => {
  const context = { key: '1', tenant: '租户 "ü"' }

  it('makes data keys of each size, and opens them under the same context in any order', async () => {
    const emulator = await started()
    const client = clientOf(emulator)
    const { keyId: KeyId, keyArn } = emulator
    const made = await client.generateDataKey({ KeyId, KeySpec: 'AES_256', EncryptionContext: context })
    expect(made).toMatchObject({ KeyId: keyArn, KeyMaterialId: emulator.keys.find(KeyId).materials[0]?.id })
    expect(made.Plaintext).toHaveLength(32)
    const { CiphertextBlob } = made
    const reversed = { tenant: context.tenant, key: context.key }
    const opened = await client.decrypt({ CiphertextBlob, EncryptionContext: reversed })
    expect(opened).toMatchObject({ KeyId: keyArn, Plaintext: made.Plaintext, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' })
    expect((await client.generateDataKey({ KeyId, NumberOfBytes: 7 })).Plaintext).toHaveLength(7)
    expect((await client.generateDataKey({ KeyId, KeySpec: 'AES_128' })).Plaintext).toHaveLength(16)
    const hidden = await client.generateDataKeyWithoutPlaintext({ KeyId, KeySpec: 'AES_256' })
    expect(hidden).not.toHaveProperty('Plaintext')
    expect((await client.decrypt({ CiphertextBlob: hidden.CiphertextBlob })).Plaintext).toHaveLength(32)
    expect((await client.generateRandom({ NumberOfBytes: 24 })).Plaintext).toHaveLength(24)
  })

  it.each([
    ['no size', {}],
    ['two sizes', { KeySpec: 'AES_256', NumberOfBytes: 32 }],
    ['an unknown size', { KeySpec: 'AES_512' }],
    ['too many bytes', { NumberOfBytes: 1025 }],
  ])('refuses a data key of %s', async (_, size) => {
    const emulator = await started()
    const request = { KeyId: emulator.keyId, ...size } as never
    await expect(clientOf(emulator).generateDataKey(request)).rejects.toEqual(fails('ValidationException'))
  })

  it('refuses another context, a changed blob, another key and what is no blob', async () => {
    const emulator = await started()
    const client = clientOf(emulator)
    const { CiphertextBlob = new Uint8Array() } = await client.encrypt({
      KeyId: emulator.keyId,
      Plaintext: Buffer.from('x'),
      EncryptionContext: context,
    })
    const decrypt = (change: object) => client.decrypt({ CiphertextBlob, EncryptionContext: context, ...change })
    for (const EncryptionContext of [{}, { ...context, key: '2' }, { ...context, more: '' }, { key: context.key }])
      await expect(decrypt({ EncryptionContext })).rejects.toEqual(fails('InvalidCiphertextException'))
    const changed = Uint8Array.from(CiphertextBlob)
    changed[changed.length - 1]! ^= 1
    for (const blob of [changed, CiphertextBlob.slice(0, -1), Buffer.from('no blob'), Buffer.alloc(200)])
      await expect(decrypt({ CiphertextBlob: blob })).rejects.toEqual(fails('InvalidCiphertextException'))
    const other = emulator.keys.create().keyId
    await expect(decrypt({ KeyId: other })).rejects.toEqual(fails('IncorrectKeyException'))
    await expect(decrypt({ EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' })).rejects.toEqual(fails('ValidationException'))
  })

  it('encrypts 1 to 4,096 bytes', async () => {
    const emulator = await started()
    const client = clientOf(emulator)
    const encrypt = (length: number) => client.encrypt({ KeyId: emulator.keyId, Plaintext: new Uint8Array(length) })
    const { CiphertextBlob } = await encrypt(4096)
    expect((await client.decrypt({ CiphertextBlob })).Plaintext).toHaveLength(4096)
    for (const length of [0, 4097]) await expect(encrypt(length)).rejects.toEqual(fails('ValidationException'))
  })

  it('re-encrypts to another key and context, always as a new blob, and tells the materials', async () => {
    const emulator = await started()
    const client = clientOf(emulator)
    const { CiphertextBlob } = await client.encrypt({
      KeyId: emulator.keyId,
      Plaintext: Buffer.from('x'),
      EncryptionContext: context,
    })
    const source = { CiphertextBlob, SourceKeyId: emulator.keyId, SourceEncryptionContext: context }
    const same = await client.reEncrypt({
      ...source,
      DestinationKeyId: emulator.keyId,
      DestinationEncryptionContext: context,
    })
    expect(same.SourceKeyMaterialId).toBe(same.DestinationKeyMaterialId)
    expect(same.CiphertextBlob).not.toEqual(CiphertextBlob)
    const other = emulator.keys.create()
    const moved = await client.reEncrypt({ ...source, DestinationKeyId: other.arn })
    expect(moved).toMatchObject({
      SourceKeyId: emulator.keyArn,
      KeyId: other.arn,
      DestinationKeyMaterialId: other.materials[0]?.id,
    })
    const opened = await client.decrypt({ CiphertextBlob: moved.CiphertextBlob, KeyId: other.keyId })
    expect(Buffer.from(opened.Plaintext ?? []).toString()).toBe('x')
    await expect(client.reEncrypt({ ...source, SourceKeyId: other.arn, DestinationKeyId: other.arn })).rejects.toEqual(
      fails('IncorrectKeyException'),
    )
  })

  it('remembers of a request neither plaintext nor ciphertext', async () => {
    const emulator = await started()
    const client = new KMS(emulator.clientConfig())
    onTestFinished(() => client.destroy())
    const { Plaintext = [], CiphertextBlob = [] } = await client.generateDataKey({
      KeyId: emulator.keyId,
      KeySpec: 'AES_256',
    })
    const log = JSON.stringify(emulator.calls.log)
    for (const secret of [Plaintext, CiphertextBlob]) expect(log).not.toContain(Buffer.from(secret).toString('base64'))
  })
})
