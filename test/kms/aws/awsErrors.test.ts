import { inspect } from 'node:util'
import { KMS } from '@aws-sdk/client-kms'
import { describe, expect, it } from '@jest/globals'
import { type AwsKmsMethods, awsKms } from 'fieldseal/aws-kms'
import { onTestFinished } from '../../support/onTestFinished.js'
import { refusal } from '../../support/refusal.js'
import { clientOf, identity, start, started, wrappedOf } from './emulated.js'

const RETRIED = 3
const ONCE = 2
const FINAL = 1

describe('awsKms, errors of the API', () => {
  it.each([
    ['ThrottlingException', 'KMS_THROTTLED', RETRIED],
    ['TooManyRequestsException', 'KMS_THROTTLED', RETRIED],
    ['KMSInternalException', 'KMS_UNAVAILABLE', RETRIED],
    ['DependencyTimeoutException', 'KMS_UNAVAILABLE', RETRIED],
    ['KeyUnavailableException', 'KMS_UNAVAILABLE', RETRIED],
    ['InternalFailure', 'KMS_UNAVAILABLE', RETRIED],
    ['ServiceUnavailable', 'KMS_UNAVAILABLE', RETRIED],
    ['ServiceUnavailableException', 'KMS_UNAVAILABLE', RETRIED],
    ['RequestTimeoutException', 'KMS_UNAVAILABLE', RETRIED],
    ['ExpiredTokenException', 'KMS_DENIED', ONCE],
    ['InvalidSignatureException', 'KMS_DENIED', ONCE],
    ['RequestExpired', 'KMS_DENIED', ONCE],
    ['AccessDeniedException', 'KMS_DENIED', FINAL],
    ['UnrecognizedClientException', 'KMS_DENIED', FINAL],
    ['IncompleteSignatureException', 'KMS_DENIED', FINAL],
    ['MissingAuthenticationTokenException', 'KMS_DENIED', FINAL],
    ['NotAuthorized', 'KMS_DENIED', FINAL],
    ['UnauthorizedException', 'KMS_DENIED', FINAL],
    ['OptInRequired', 'KMS_DENIED', FINAL],
    ['DisabledException', 'KMS_KEY_UNUSABLE', FINAL],
    ['KMSInvalidStateException', 'KMS_KEY_UNUSABLE', FINAL],
    ['NotFoundException', 'KMS_KEY_UNUSABLE', FINAL],
    ['InvalidArnException', 'KMS_KEY_UNUSABLE', FINAL],
    ['InvalidKeyUsageException', 'KMS_KEY_UNUSABLE', FINAL],
    ['InvalidCiphertextException', 'KMS_REFUSED', FINAL],
    ['IncorrectKeyException', 'KMS_REFUSED', FINAL],
    ['InvalidGrantTokenException', 'KMS_REFUSED', FINAL],
    ['ValidationException', 'KMS_REFUSED', FINAL],
    ['SomethingNobodyKnowsException', 'KMS_REFUSED', FINAL],
  ])('%s becomes %s after %i attempt(s), with code, request id, key id and advice', async (code, ours, attempts) => {
    const { emulator, kms } = await start({ maxRetries: RETRIED - 1 })
    const whose = identity()
    const wrapped = wrappedOf(await kms.generate(whose))
    for (const [action, call] of [
      ['GenerateDataKey', () => kms.generate(identity())],
      ['Decrypt', () => kms.unwrap(wrapped, whose)],
    ] as const) {
      emulator.calls.reset()
      emulator.faults.clear()
      emulator.faults.add({ kind: 'error', code, message: 'a message that stays behind', times: 'always' })
      const error = await refusal(call)
      expect(error.code).toBe(ours)
      expect(emulator.calls.byAction).toEqual({ [action]: attempts })
      const requestId = emulator.calls.log.at(-1)?.requestId
      const times = attempts === 1 ? '1 attempt' : `${attempts} attempts`
      const start = `AWS KMS, ${action} with key ${emulator.keyId}: ${code} (request ${requestId}) after ${times}. `
      expect(error.message.slice(0, start.length)).toBe(start)
      expect(error.message.length).toBeGreaterThan(start.length + 20)
      expect(error.cause).toEqual({ code, requestId })
      expect(inspect(error)).not.toContain('stays behind')
    }
  })

  it.each([
    [500, 'KMS_UNAVAILABLE', RETRIED],
    [502, 'KMS_UNAVAILABLE', RETRIED],
    [503, 'KMS_UNAVAILABLE', RETRIED],
    [429, 'KMS_THROTTLED', RETRIED],
    [404, 'KMS_UNAVAILABLE', FINAL],
    [407, 'KMS_UNAVAILABLE', FINAL],
  ])('HTTP status %i without a code of AWS becomes %s after %i attempt(s)', async (status, code, attempts) => {
    const { emulator, kms } = await start({ maxRetries: RETRIED - 1 })
    emulator.faults.add({ kind: 'status', status, times: 'always' })
    const error = await refusal(() => kms.generate(identity()))
    expect(error).toMatchObject({ code, cause: { httpCode: status } })
    expect(error.message).toContain(`HTTP status ${status}`)
    expect(emulator.calls.count()).toBe(attempts)
  })

  it('succeeds when the fault goes away in time', async () => {
    const { emulator, kms } = await start()
    emulator.faults.add({ kind: 'error', code: 'ThrottlingException', times: 2 })
    emulator.faults.add({ kind: 'hangUp', when: 'before' })
    await expect(kms.generate(identity())).resolves.toMatchObject({ kekId: emulator.keyArn })
    expect(emulator.calls.count()).toBe(4)
  })

  it('names both permissions that ReEncrypt takes, of which AWS asks for one on each key', async () => {
    const credential = {
      accessKeyId: 'AKIA',
      secretAccessKey: 'secret',
      permissions: ['kms:GenerateDataKey', 'kms:Decrypt'],
    }
    const { emulator, kms } = await start({}, { credentials: [credential] })
    const whose = identity()
    const { dek, ...wrapped } = await kms.generate(whose)
    expect((await kms.unwrap(wrapped, whose)).equals(dek)).toBe(true)
    const denied = { code: 'KMS_DENIED', message: expect.stringMatching(/kms:ReEncryptFrom .* kms:ReEncryptTo/) }
    expect(await refusal(() => kms.rewrap!(wrapped, whose))).toMatchObject(denied)
    emulator.credentials.permit('AKIA', ['kms:ReEncryptFrom'])
    expect(await refusal(() => kms.rewrap!(wrapped, whose))).toMatchObject(denied)
    emulator.credentials.permit('AKIA', ['kms:ReEncryptFrom', 'kms:ReEncryptTo'])
    await expect(kms.rewrap!(wrapped, whose)).resolves.toEqual(wrapped)
    expect(await refusal(() => kms.wrap!(dek, whose))).toMatchObject({
      code: 'KMS_DENIED',
      message: expect.stringContaining('Allow kms:Encrypt on this key'),
    })
  })
})

describe('awsKms, key states', () => {
  it.each([
    ['Disabled', /DisabledException.*Enable the key/],
    ['PendingDeletion', /KMSInvalidStateException.*cancel its deletion/],
    ['PendingImport', /KMSInvalidStateException.*import its key material/],
    ['Unavailable', /KMSInvalidStateException.*connect its custom key store/],
  ] as const)(
    'a key that is %s is KMS_KEY_UNUSABLE for all that it does, and works again afterwards',
    async (state, message) => {
      const { emulator, kms } = await start()
      const whose = identity()
      const { dek, ...wrapped } = await kms.generate(whose)
      emulator.keys.setState(emulator.keyId, state)
      for (const call of [
        () => kms.generate(whose),
        () => kms.unwrap(wrapped, whose),
        () => kms.wrap!(dek, whose),
        () => kms.rewrap!(wrapped, whose),
      ])
        expect(await refusal(call)).toMatchObject({ code: 'KMS_KEY_UNUSABLE', message: expect.stringMatching(message) })
      emulator.keys.setState(emulator.keyId, 'Enabled')
      expect((await kms.unwrap(wrapped, whose)).equals(dek)).toBe(true)
    },
  )

  it('a key that is gone, or cannot encrypt data, is KMS_KEY_UNUSABLE', async () => {
    const { emulator, client, kms } = await start()
    const { KeyMetadata: signing } = await client.createKey({ KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' })
    const ofRsa = awsKms({ client, keyId: signing?.Arn ?? '' })
    expect(await refusal(() => ofRsa.generate(identity()))).toMatchObject({
      code: 'KMS_KEY_UNUSABLE',
      message: expect.stringMatching(/InvalidKeyUsageException.*SYMMETRIC_DEFAULT/),
    })
    expect(await refusal(() => ofRsa.wrap!(Buffer.alloc(32), identity()))).toMatchObject({ code: 'KMS_KEY_UNUSABLE' })
    const foreign = emulator.keyArn.replace('eu-central-1', 'us-east-1')
    expect(await refusal(() => awsKms({ client, keyId: foreign }).generate(identity()))).toMatchObject({
      code: 'KMS_KEY_UNUSABLE',
      message: expect.stringMatching(/NotFoundException.*region or account/),
    })
    expect(kms.name).toBe('aws')
  })
})

describe('awsKms, credentials', () => {
  const temporary = { accessKeyId: 'ASIA', secretAccessKey: 'wJalrXUtn', sessionToken: 'IQoJb3Jp' }

  it.each([
    ['a wrong secret', { ...temporary, secretAccessKey: 'je7MtGbClw' }, /InvalidSignatureException.*secret access key/],
    ['an unknown id', { ...temporary, accessKeyId: 'ASIB' }, /UnrecognizedClientException.*access key/],
    ['a stale token', { ...temporary, sessionToken: 'stale' }, /UnrecognizedClientException.*session token/],
    [
      'no token where one is needed',
      { accessKeyId: 'ASIA', secretAccessKey: 'wJalrXUtn' },
      /UnrecognizedClientException/,
    ],
  ])('%s is KMS_DENIED', async (_, credential, message) => {
    const emulator = await started({ credentials: [temporary] })
    const kms = awsKms({ client: clientOf(emulator, { credential }), keyId: emulator.keyId })
    const error = await refusal(() => kms.generate(identity()))
    expect(error).toMatchObject({ code: 'KMS_DENIED', message: expect.stringMatching(message) })
    for (const secret of ['wJalrXUtn', 'IQoJb3Jp', 'je7MtGbClw']) expect(inspect(error)).not.toContain(secret)
  })

  it('that run out are KMS_DENIED until the provider has others', async () => {
    const emulator = await started({ credentials: [temporary] })
    let current = temporary
    const client = new KMS({
      ...emulator.clientConfig(),
      credentials: async () => ({ ...current, expiration: new Date(0) }),
    })
    onTestFinished(() => client.destroy())
    const kms = awsKms({ client, keyId: emulator.keyId })
    await expect(kms.generate(identity())).resolves.toBeDefined()
    emulator.credentials.expire('ASIA')
    expect(await refusal(() => kms.generate(identity()))).toMatchObject({
      code: 'KMS_DENIED',
      message: expect.stringMatching(/ExpiredTokenException .* after 2 attempts\. .*credential provider/),
    })
    current = { ...temporary, accessKeyId: 'ASIC' }
    emulator.credentials.replace([current])
    await expect(kms.generate(identity())).resolves.toBeDefined()
  })

  it('that cannot be loaded are KMS_DENIED, asked for again, and say nothing of why', async () => {
    const emulator = await started()
    let asked = 0
    const credentials = async () => {
      asked += 1
      throw Object.assign(new Error('secret of the metadata service'), { name: 'CredentialsProviderError' })
    }
    const client = new KMS({ ...emulator.clientConfig(), credentials })
    onTestFinished(() => client.destroy())
    const error = await refusal(() => awsKms({ client, keyId: emulator.keyId, maxRetries: 2 }).generate(identity()))
    expect(error).toMatchObject({ code: 'KMS_DENIED', cause: {} })
    expect(error.message).toContain('the AWS credentials could not be loaded after 3 attempts.')
    expect(inspect(error)).not.toContain('secret of')
    expect(asked).toBeGreaterThanOrEqual(3)
    expect(emulator.calls.count()).toBe(0)
  })

  it('work with a clock that is off: the SDK corrects it by the first answer', async () => {
    const { emulator, kms } = await start({}, { now: () => Date.now() + 3_600_000 })
    await expect(kms.generate(identity())).resolves.toBeDefined()
    expect(emulator.calls.log.map(({ result }) => result)).toEqual(['InvalidSignatureException', 'ok'])
  })

  it('say what is wrong where the client has no region', async () => {
    const emulator = await started()
    const region = (): Promise<string> => Promise.reject(new Error('Region is missing'))
    const client = new KMS({ ...emulator.clientConfig(), region })
    onTestFinished(() => client.destroy())
    expect(await refusal(() => awsKms({ client, keyId: emulator.keyId }).generate(identity()))).toMatchObject({
      code: 'KMS_REFUSED',
      message: expect.stringMatching(/the client has no region after 1 attempt\. .*AWS_REGION/),
    })
  })
})

describe('awsKms, a broken connection', () => {
  it.each([
    [{ kind: 'hangUp', when: 'before' }, /socket hang up|ECONNRESET/],
    [{ kind: 'hangUp', when: 'body' }, /ECONNRESET|no answer/],
    [{ kind: 'stall' }, /no answer in time/],
    [{ kind: 'hold' }, /no answer in time/],
    [{ kind: 'body', body: '<html>sign in</html>' }, /no answer that can be read/],
    [{ kind: 'truncate' }, /no answer that can be read/],
  ] as const)('%j becomes KMS_UNAVAILABLE after all attempts', async (fault, reason) => {
    const { emulator, kms } = await start({ maxRetries: 1, attemptTimeout: 200 })
    emulator.faults.add({ ...fault, times: 'always' })
    const error = await refusal(() => kms.generate(identity()))
    expect(error).toMatchObject({ code: 'KMS_UNAVAILABLE', cause: {} })
    expect(error.message).toMatch(reason)
    expect(error.message).toContain(' after 2 attempts.')
    expect(emulator.calls.count()).toBe(2)
  })

  it.each(['', '{}'])('an empty answer (%j) is KMS_REFUSED, as any that is not as it must be', async (body) => {
    const { emulator, kms } = await start()
    emulator.faults.add({ kind: 'body', body })
    expect(await refusal(() => kms.generate(identity()))).toMatchObject({ code: 'KMS_REFUSED' })
  })

  it('becomes KMS_UNAVAILABLE where nothing listens', async () => {
    const { emulator, kms } = await start({ maxRetries: 1 })
    await emulator.close()
    const error = await refusal(() => kms.generate(identity()))
    expect(error).toMatchObject({ code: 'KMS_UNAVAILABLE', message: expect.stringContaining('ECONNREFUSED after 2 ') })
  })

  it('cuts a hanging attempt off at the deadline: the connection is gone at the other end', async () => {
    const { emulator, kms } = await start({ timeout: 100 })
    emulator.faults.add({ kind: 'hold', times: 'always' })
    const error = await refusal(() => kms.generate(identity()))
    expect(error).toMatchObject({ code: 'KMS_UNAVAILABLE', message: expect.stringContaining('given up after 100 ms') })
    await emulator.calls.until((calls) => calls.inFlight === 0)
    expect(emulator.calls.count()).toBe(1)
  })

  it('keeps its deadline while the SDK retries by itself', async () => {
    const emulator = await started()
    const kms = awsKms({
      client: clientOf(emulator, { maxAttempts: 10 }),
      keyId: emulator.keyId,
      timeout: 500,
      maxRetries: 1,
    })
    emulator.faults.add({ kind: 'error', code: 'ThrottlingException', times: 'always' })
    const began = performance.now()
    const error = await refusal(() => kms.generate(identity()))
    expect(performance.now() - began).toBeLessThan(3_000)
    expect(['KMS_THROTTLED', 'KMS_UNAVAILABLE']).toContain(error.code)
    const sent = emulator.calls.count()
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    expect(emulator.calls.count()).toBe(sent)
  })

  it('has no more requests in flight than its concurrency', async () => {
    const { emulator, kms } = await start({ concurrency: 3 })
    emulator.faults.add({ kind: 'hold', times: 'always' })
    const all = Promise.all(Array.from({ length: 12 }, () => kms.generate(identity())))
    await emulator.calls.until((calls) => calls.inFlight === 3)
    emulator.faults.clear()
    expect(await all).toHaveLength(12)
    expect(emulator.calls.maxInFlight).toBe(3)
  })
})

describe('awsKms, errors that are none of AWS', () => {
  it.each([
    ['undefined', undefined],
    ['text', 'a secret text'],
    ['an error without a name', Object.assign(new Error('a secret text'), { name: undefined })],
    ['a nameless object', { message: 'a secret text', $metadata: null }],
    ['a parser’s', new SyntaxError('Unexpected token, "a secret text" is not valid JSON')],
    ['one whose name quotes an answer', Object.assign(new Error(''), { name: 'a secret text Exception' })],
    ['a mistake', new TypeError('Cannot read properties of a secret text')],
  ])('%s is KMS_UNAVAILABLE, and says nothing of itself', async (_, thrown) => {
    const failing = () => Promise.reject(thrown)
    const client: AwsKmsMethods = { generateDataKey: failing, decrypt: failing }
    const kms = awsKms({ client, keyId: '1234abcd-12ab-34cd-56ef-1234567890ab', maxRetries: 0 })
    const error = await refusal(() => kms.generate(identity()))
    expect(error).toMatchObject({ code: 'KMS_UNAVAILABLE', cause: {} })
    expect(error.message).toContain('no answer that can be read after 1 attempt.')
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('secret text')
  })

  it('pass on nothing of an answer that cannot be read: not in message, cause, stack, inspect or JSON', async () => {
    const { emulator, kms } = await start({ maxRetries: 0 })
    const seen: string[] = []
    const plaintext = (answer: string) => /"Plaintext":"([^"]{44})"/.exec(answer)?.[1] ?? ''
    const breakings = [
      (answer: string) => answer.slice(0, -2),
      (answer: string) => `{"P":"${plaintext(answer)}"`,
      (answer: string) => answer.replace(plaintext(answer), `${plaintext(answer).slice(0, 20)}\n${plaintext(answer)}`),
      (answer: string) => answer.replace(plaintext(answer), `${plaintext(answer).slice(0, 43)}!`),
      (answer: string) => plaintext(answer),
    ]
    for (const breaking of breakings) {
      emulator.faults.add({
        kind: 'body',
        body: (answer) => {
          seen.push(plaintext(answer))
          return breaking(answer)
        },
      })
      const error = await refusal(() => kms.generate(identity()))
      const secret = seen.at(-1) ?? ''
      expect(secret).toHaveLength(44)
      const shown = [error.message, error.stack, inspect(error, { depth: 9, showHidden: true }), JSON.stringify(error)]
      for (let at = 0; at + 6 <= secret.length; at += 1) expect(shown.join()).not.toContain(secret.slice(at, at + 6))
    }
    expect(seen).toHaveLength(breakings.length)
  })
})
