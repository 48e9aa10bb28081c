import { generateKeyPairSync } from 'node:crypto'
import { KeyManagementServiceClient } from '@google-cloud/kms'
import { describe, expect, it } from '@jest/globals'
import { googleKms } from '../../../src/kms/google/googleKms.js'
import { onTestFinished } from '../../support/onTestFinished.js'
import { refusal } from '../../support/refusal.js'
import { clientOf, identity, OWN, start, startEmulator } from './google.js'

describe('googleKms, calls', () => {
  it('leaves no retry to the SDK', async () => {
    const { emulator, kms } = await start({ maxRetries: 0 })
    emulator.faults.add({ kind: 'error', code: 'UNAVAILABLE', times: 'always' })
    expect((await refusal(() => kms.generate(identity()))).code).toBe('KMS_UNAVAILABLE')
    expect(emulator.calls.count()).toBe(1)
  })

  it('ends the gRPC call when its time is over', async () => {
    const { emulator, kms } = await start({ maxRetries: 0, attemptTimeout: 300, timeout: 2_000 })
    await kms.generate(identity())
    emulator.faults.add({ kind: 'hold', times: 'always' })
    const error = await refusal(() => kms.generate(identity()))
    expect(error).toMatchObject({ code: 'KMS_UNAVAILABLE', message: expect.stringContaining('no answer in time') })
    await emulator.calls.until(({ inFlight }) => inFlight === 0)
  })

  it('goes on over a new connection when one was cut, before an answer or in it', async () => {
    const { emulator, kms } = await start()
    const whose = identity()
    const { dek, ...wrapped } = await kms.generate(whose)
    for (const when of ['before', 'body'] as const) {
      emulator.faults.add({ kind: 'hangUp', when })
      expect(await kms.unwrap(wrapped, whose)).toEqual(dek)
    }
    expect(emulator.calls.connections).toBeGreaterThan(1)
  })

  it.each([502, 503, 504])('asks again when a gateway answers HTTP %i', async (status) => {
    const { emulator, kms } = await start()
    emulator.faults.add({ kind: 'status', status })
    expect((await kms.generate(identity())).kekId).toContain(OWN)
    expect(emulator.calls.count()).toBe(2)
  })

  it.each(['truncate', 'stall'] as const)('asks again after half an answer (%s)', async (kind) => {
    const { emulator, kms } = await start({ attemptTimeout: 500 })
    const whose = identity()
    const { dek, ...wrapped } = await kms.generate(whose)
    emulator.faults.add({ kind })
    expect(await kms.unwrap(wrapped, whose)).toEqual(dek)
  })

  it('says what is wrong where nobody listens', async () => {
    const { emulator, kms } = await start({ maxRetries: 1 })
    await emulator.close()
    const error = await refusal(() => kms.generate(identity()))
    expect(error).toMatchObject({ code: 'KMS_UNAVAILABLE', message: expect.stringContaining('ECONNREFUSED') })
    expect(error.cause).toEqual({ code: 'UNAVAILABLE' })
  })
})

describe('googleKms, credentials', () => {
  it('does without keys: an access token serves as well', async () => {
    const emulator = await startEmulator({ accessTokens: ['ya29.known'] })
    const kms = googleKms({ client: clientOf(emulator, { accessToken: 'ya29.known' }), keyId: OWN })
    expect((await kms.generate(identity())).dek).toHaveLength(32)
  })

  it('tries once more when a token is refused, as it may have run out on the way', async () => {
    const { emulator, kms } = await start()
    emulator.tokens.expire()
    const error = await refusal(() => kms.generate(identity()))
    expect(error).toMatchObject({ code: 'KMS_DENIED', message: expect.stringContaining("client's credentials") })
    expect(error.cause).toEqual({ code: 'UNAUTHENTICATED', reason: 'ACCESS_TOKEN_EXPIRED' })
    expect(emulator.calls.count()).toBe(2)
    emulator.tokens.renew()
    expect((await kms.generate(identity())).dek).toHaveLength(32)
  })

  it('is denied with a key that was made for the same account by somebody else', async () => {
    const emulator = await startEmulator()
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const private_key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const client = clientOf(emulator, { account: { ...emulator.accounts[0]!, private_key } })
    const error = await refusal(() => googleKms({ client, keyId: OWN }).generate(identity()))
    expect(error.code).toBe('KMS_DENIED')
  })

  it('gets over credentials that could not be loaded at first, which the SDK alone never does', async () => {
    const unhandled: unknown[] = []
    const note = (error: unknown) => unhandled.push(error)
    process.on('unhandledRejection', note)
    onTestFinished(() => process.off('unhandledRejection', note))
    const emulator = await startEmulator()
    let late = 2
    const getUniverseDomain = async () => {
      if (late-- > 0) throw new Error('the metadata server is late: secret')
      return 'googleapis.com'
    }
    const auth = { getUniverseDomain } as never
    const client = new KeyManagementServiceClient({ ...emulator.clientOptions(), auth })
    onTestFinished(() => client.close())
    const denied = await refusal(() => googleKms({ client, keyId: OWN, maxRetries: 0 }).generate(identity()))
    expect(denied).toMatchObject({ code: 'KMS_DENIED', message: expect.stringContaining('could not be loaded') })
    expect(denied.message).not.toContain('secret')
    const kms = googleKms({ client, keyId: OWN })
    expect((await kms.generate(identity())).dek).toHaveLength(32)
    await new Promise(setImmediate)
    expect(unhandled).toEqual([])
  })
})
