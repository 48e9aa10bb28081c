import { spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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

/** A way to the emulator whose connections can die silently, as behind a NAT that has forgotten them. */
async function forgetfulNat(port: number) {
  const [pairs, forgotten] = [new Set<Socket>(), new Set<Socket>()]
  const server = createServer((socket) => {
    const onward = connect(port, '127.0.0.1')
    for (const each of [socket, onward]) pairs.add(each.on('error', () => undefined))
    socket.on('data', (data) => forgotten.has(socket) || onward.write(data))
    onward.on('data', (data) => forgotten.has(socket) || socket.write(data))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    for (const socket of pairs) socket.destroy()
  })
  const forget = () => {
    for (const socket of pairs) forgotten.add(socket)
  }
  return { port: (server.address() as AddressInfo).port, forget }
}

describe('googleKms, a connection that has silently died', () => {
  it('is replaced within its time, where the client has the options that docs/kms/google.md names', async () => {
    const emulator = await startEmulator()
    const nat = await forgetfulNat(emulator.port)
    const keepalive = { 'grpc.keepalive_time_ms': 1_000, 'grpc.keepalive_timeout_ms': 1_000 }
    const client = new KeyManagementServiceClient({ ...emulator.clientOptions(), port: nat.port, ...keepalive })
    onTestFinished(() => client.close())
    const kms = googleKms({ client, keyId: OWN, timeout: 8_000, attemptTimeout: 1_500 })
    await kms.generate(identity())
    nat.forget()
    expect((await kms.generate(identity())).dek).toHaveLength(32)
    expect(emulator.calls.connections).toBe(2)
  })
})

describe('googleKms, credentials', () => {
  it('are those of the SDK’s own way from a key file to a token', async () => {
    const emulator = await startEmulator()
    const folder = mkdtempSync(join(tmpdir(), 'fieldseal-google-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const [keyFilename, roots] = [join(folder, 'key.json'), join(folder, 'ca.pem')]
    writeFileSync(keyFilename, JSON.stringify({ type: 'service_account', ...emulator.accounts[0] }))
    writeFileSync(roots, emulator.ca)
    const program = `
      const { KeyManagementServiceClient } = require('@google-cloud/kms')
      const client = new KeyManagementServiceClient({ apiEndpoint: 'localhost', port: ${emulator.port} })
      client.encrypt({ name: '${OWN}', plaintext: Buffer.from('p') }).then(() => client.close())`
    const env = { ...process.env, GOOGLE_APPLICATION_CREDENTIALS: keyFilename, GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: roots }
    const child = spawn(process.execPath, ['--eval', program], { env })
    expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(0)
    expect(emulator.calls.log).toEqual([expect.objectContaining({ action: 'Encrypt', keyId: OWN, result: 'ok' })])
  })

  it('are none that lie in a file: an access token serves as well', async () => {
    const emulator = await startEmulator({ accessTokens: ['ya29.known'] })
    const kms = googleKms({ client: clientOf(emulator, { accessToken: 'ya29.known' }), keyId: OWN })
    expect((await kms.generate(identity())).dek).toHaveLength(32)
  })

  it('are tried once more when a token is refused, as it may have run out on the way', async () => {
    const { emulator, kms } = await start()
    emulator.tokens.expire()
    const error = await refusal(() => kms.generate(identity()))
    expect(error).toMatchObject({ code: 'KMS_DENIED', message: expect.stringContaining('access token ran out') })
    expect(error.cause).toEqual({ code: 'UNAUTHENTICATED', reason: 'ACCESS_TOKEN_EXPIRED' })
    expect(emulator.calls.count()).toBe(2)
    emulator.tokens.renew()
    expect((await kms.generate(identity())).dek).toHaveLength(32)
  })

  it('are refused, with a key that was made for the same account by somebody else', async () => {
    const emulator = await startEmulator()
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const private_key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const client = clientOf(emulator, { account: { ...emulator.accounts[0]!, private_key } })
    const error = await refusal(() => googleKms({ client, keyId: OWN }).generate(identity()))
    expect(error.code).toBe('KMS_DENIED')
  })

  it('may be late: what could not be loaded at first is loaded anew, which the SDK alone never does', async () => {
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
