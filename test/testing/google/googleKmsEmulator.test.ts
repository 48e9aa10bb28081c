import { createHmac, createPrivateKey, generateKeyPairSync, sign } from 'node:crypto'
import { connect } from 'node:http2'
import { connect as connectTls } from 'node:tls'
import { KeyManagementServiceClient } from '@google-cloud/kms'
import { describe, expect, it } from '@jest/globals'
import { crc32c } from '../../../src/kms/google/crc32c.js'
import {
  type GoogleKmsEmulator,
  type GoogleKmsEmulatorOptions,
  startGoogleKmsEmulator,
} from '../../../src/testing/google/googleKmsEmulator.js'
import { onTestFinished } from '../../support/onTestFinished.js'

const LOCATION = 'projects/clinic/locations/global'
const RING = `${LOCATION}/keyRings/ring`
const KEY = `${RING}/cryptoKeys/key`

async function start(options: GoogleKmsEmulatorOptions = {}) {
  const emulator = await startGoogleKmsEmulator({ keys: [KEY], ...options })
  onTestFinished(() => emulator.close())
  const client = new KeyManagementServiceClient(emulator.clientOptions())
  onTestFinished(() => client.close())
  return { emulator, client }
}

/** A status of gRPC. */
function status(code: number, message: RegExp = /./) {
  return expect.objectContaining({ code, message: expect.stringMatching(message) })
}

const NOT_FOUND = 5
const INVALID_ARGUMENT = 3
const ALREADY_EXISTS = 6
const FAILED_PRECONDITION = 9

interface RawAnswer {
  readonly http: number
  readonly status: string | undefined
  readonly message: string | undefined
}

/** A call without the SDK, with an empty message unless given. */
async function raw(
  { ca, host, port }: GoogleKmsEmulator,
  headers: { readonly [name: string]: string },
  frame: Buffer = Buffer.alloc(5),
): Promise<RawAnswer> {
  const session = connect(`https://${host}:${port}`, { ca })
  const path = '/google.cloud.kms.v1.KeyManagementService/Encrypt'
  const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', ...headers })
  const seen: { [name: string]: string | undefined } = {}
  stream.on('response', (got) => Object.assign(seen, got))
  stream.on('trailers', (got) => Object.assign(seen, got))
  stream.end(frame)
  await new Promise((resolve, reject) => {
    stream.once('close', resolve).once('error', reject)
    stream.resume()
  })
  session.close()
  return { http: Number(seen[':status']), status: seen['grpc-status'], message: seen['grpc-message'] }
}

interface Claims {
  readonly [name: string]: unknown
}

const json = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A token as an account signs it, which differs from a good one in what is given. */
function token(
  { accounts }: GoogleKmsEmulator,
  claims: Claims = {},
  how: { readonly alg?: string; readonly key?: string; readonly signature?: string } = {},
): string {
  const { client_email: email, private_key } = accounts[0]!
  const iat = Math.floor(Date.now() / 1000)
  const scope = 'https://www.googleapis.com/auth/cloud-platform'
  const { alg = 'RS256', key = private_key } = how
  const signed = `${json({ alg, typ: 'JWT' })}.${json({ iss: email, sub: email, scope, iat, exp: iat + 3600, ...claims })}`
  const signature =
    how.signature ?? sign('RSA-SHA256', Buffer.from(signed), createPrivateKey(key)).toString('base64url')
  return `Bearer ${signed}.${signature}`
}

describe('startGoogleKmsEmulator', () => {
  it('refuses options that cannot work, naming the option', async () => {
    const wrong: [GoogleKmsEmulatorOptions, RegExp][] = [
      [{ keys: [] }, /"keys"/],
      [{ keys: ['key'] }, /"keys" .*is not valid/],
      [{ keys: [KEY, KEY] }, /"keys" .*already exists/],
      [{ limits: { Decrypt: 1.5 } }, /"limits\.Decrypt"/],
    ]
    for (const [options, message] of wrong)
      await expect(startGoogleKmsEmulator(options)).rejects.toMatchObject({
        code: 'OPTIONS_INVALID',
        message: expect.stringMatching(message),
      })
  })

  it('rejects when its port is taken', async () => {
    const { emulator } = await start()
    await expect(startGoogleKmsEmulator({ port: emulator.port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })

  it('speaks TLS only, with a certificate that nobody trusts unasked', async () => {
    const { emulator } = await start()
    const { host, port } = emulator
    const socket = connectTls({ host, port, ALPNProtocols: ['h2'] })
    const error = await new Promise<unknown>((resolve) => socket.once('error', resolve))
    expect(error).toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
  })

  it('serves Google’s client, and counts and notes its calls', async () => {
    const { emulator, client } = await start()
    const additionalAuthenticatedData = Buffer.from('context')
    const [encrypted] = await client.encrypt({ name: KEY, plaintext: Buffer.from('p'), additionalAuthenticatedData })
    expect(encrypted).toMatchObject({
      name: `${KEY}/cryptoKeyVersions/1`,
      verifiedPlaintextCrc32c: false,
      verifiedAdditionalAuthenticatedDataCrc32c: false,
      protectionLevel: 'SOFTWARE',
    })
    const { ciphertext } = encrypted
    const [decrypted] = await client.decrypt({ name: KEY, ciphertext: ciphertext!, additionalAuthenticatedData })
    expect(String(decrypted.plaintext)).toBe('p')
    expect(decrypted.usedPrimary).toBe(true)
    expect(emulator.calls.byAction).toEqual({ Encrypt: 1, Decrypt: 1 })
    const call = { keyId: KEY, encryptionContext: 'context', result: 'ok' }
    expect(emulator.calls.log).toEqual([expect.objectContaining(call), expect.objectContaining(call)])
  })

  it('answers with the time and details that Google’s client reads', async () => {
    const { emulator, client } = await start()
    emulator.keyRings.disable(KEY)
    const error = await client.encrypt({ name: KEY, plaintext: Buffer.from('p') }).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: FAILED_PRECONDITION,
      details: `${KEY}/cryptoKeyVersions/1 is not enabled, current state is: DISABLED.`,
      statusDetails: [{ violations: [{ type: 'KEY_DISABLED', subject: `${KEY}/cryptoKeyVersions/1` }] }],
    })
  })
})

describe('startGoogleKmsEmulator, tokens', () => {
  it('takes what an account’s key has signed, for the API or with its scopes', async () => {
    const { emulator } = await start()
    const { client_email: email } = emulator.accounts[0]!
    const good = [
      token(emulator),
      token(emulator, { scope: 'openid https://www.googleapis.com/auth/cloudkms' }),
      token(emulator, { scope: undefined, aud: 'https://cloudkms.googleapis.com/' }),
      token(emulator, { iss: email }),
    ]
    for (const authorization of good)
      expect(await raw(emulator, { authorization })).toMatchObject({ http: 200, status: String(INVALID_ARGUMENT) })
  })

  it('refuses every other token', async () => {
    const { emulator } = await start({ accessTokens: ['ya29.known'] })
    const now = Math.floor(Date.now() / 1000)
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
      type: 'pkcs8',
      format: 'pem',
    })
    const head = `${json({ alg: 'HS256' })}.${json({ iss: emulator.accounts[0]!.client_email })}`
    const publicKey = createPrivateKey(emulator.accounts[0]!.private_key).export({ type: 'pkcs8', format: 'der' })
    const hs256 = createHmac('sha256', publicKey).update(head).digest('base64url')
    const wrong: { readonly [what: string]: string } = {
      none: '',
      'another scheme': token(emulator).replace('Bearer', 'Basic'),
      'an unknown access token': 'Bearer ya29.other',
      'a known one, cut': 'Bearer ya29.know',
      'another key': token(emulator, {}, { key: String(other) }),
      'no signature': token(emulator, {}, { alg: 'none', signature: '' }),
      'a signature of another kind': `Bearer ${head}.${hs256}`,
      'another account': token(emulator, { iss: 'other@clinic.iam.gserviceaccount.com' }),
      'another subject': token(emulator, { sub: 'other@clinic.iam.gserviceaccount.com' }),
      expired: token(emulator, { iat: now - 7200, exp: now - 3600 }),
      'not yet': token(emulator, { iat: now + 3600, exp: now + 7200 }),
      'longer than an hour': token(emulator, { exp: now + 86_400 }),
      'without an end': token(emulator, { exp: undefined }),
      'no token at all': 'Bearer a.b.c',
    }
    for (const [what, authorization] of Object.entries(wrong))
      expect({ what, ...(await raw(emulator, { authorization })) }).toMatchObject({ what, status: '16' })
    const elsewhere = token(emulator, { scope: 'https://www.googleapis.com/auth/pubsub' })
    expect(await raw(emulator, { authorization: elsewhere })).toMatchObject({ status: '7' })
    expect((await raw(emulator, { authorization: 'Bearer ya29.known' })).status).toBe(String(INVALID_ARGUMENT))
  })

  it('refuses all while they are expired', async () => {
    const { emulator, client } = await start()
    emulator.tokens.expire()
    await expect(client.getKeyRing({ name: RING })).rejects.toEqual(status(16))
    emulator.tokens.renew()
    expect((await client.getKeyRing({ name: RING }))[0].name).toBe(RING)
  })
})

describe('startGoogleKmsEmulator, requests', () => {
  const plaintext = Buffer.from('p')

  it('knows no other method, and no message that is none', async () => {
    const { emulator } = await start()
    const authorization = token(emulator)
    const unknown = { ':path': '/google.cloud.kms.v1.KeyManagementService/MacSign', authorization }
    expect(await raw(emulator, unknown)).toMatchObject({ status: '12' })
    expect(await raw(emulator, { ':path': '/other.Service/Encrypt', authorization })).toMatchObject({ status: '12' })
    const torn = Buffer.from([0, 0, 0, 0, 2, 0xff, 0xff])
    expect(await raw(emulator, { authorization }, torn)).toMatchObject({ status: '13' })
    expect(await raw(emulator, { authorization }, Buffer.from([0, 0, 0, 0, 9]))).toMatchObject({ status: '13' })
    expect(await raw(emulator, { authorization }, Buffer.from([1, 0, 0, 0, 0]))).toMatchObject({ status: '12' })
    expect(await raw(emulator, { authorization }, Buffer.alloc(5 * 1024 * 1024))).toMatchObject({ status: '8' })
  })

  it('wants the header that routes a call', async () => {
    const { emulator } = await start()
    const authorization = token(emulator)
    const named = Buffer.concat([Buffer.from([0, 0, 0, 0, KEY.length + 2, 10, KEY.length]), Buffer.from(KEY)])
    expect(await raw(emulator, { authorization }, named)).toMatchObject({ status: String(INVALID_ARGUMENT) })
  })

  it('answers as documented what is too long, empty or not there', async () => {
    const { client } = await start({ keys: [KEY, { name: `${KEY}-hsm`, protectionLevel: 'HSM' }] })
    const of = (length: number) => Buffer.alloc(length, 1)
    const hsm = `${KEY}-hsm`
    await client.encrypt({ name: KEY, plaintext: of(65_536), additionalAuthenticatedData: of(65_536) })
    await client.encrypt({ name: hsm, plaintext: of(4096), additionalAuthenticatedData: of(4096) })
    for (const [request, code] of [
      [{ name: KEY, plaintext: of(65_537) }, INVALID_ARGUMENT],
      [{ name: KEY, plaintext: of(1), additionalAuthenticatedData: of(65_537) }, INVALID_ARGUMENT],
      [{ name: hsm, plaintext: of(4097), additionalAuthenticatedData: of(4096) }, INVALID_ARGUMENT],
      [{ name: KEY, plaintext: of(0) }, INVALID_ARGUMENT],
      [{ name: `${KEY}-none`, plaintext: of(1) }, NOT_FOUND],
      [{ name: `${KEY}/cryptoKeyVersions/7`, plaintext: of(1) }, NOT_FOUND],
    ] as const)
      await expect(client.encrypt(request)).rejects.toEqual(status(code))
  })

  it('finds damage by checksums, as the guidelines say', async () => {
    const { client } = await start()
    const wrong = { plaintextCrc32c: { value: 1 } }
    await expect(client.encrypt({ name: KEY, plaintext, ...wrong })).rejects.toEqual(
      status(INVALID_ARGUMENT, /The checksum in field plaintext_crc32c did not match the data in field plaintext\./),
    )
    await expect(
      client.encrypt({ name: KEY, plaintext, additionalAuthenticatedDataCrc32c: { value: 1 } }),
    ).rejects.toEqual(status(INVALID_ARGUMENT, /field additional_authenticated_data_crc32c/))
    const right = { plaintextCrc32c: { value: crc32c(plaintext) } }
    const [{ ciphertext, verifiedPlaintextCrc32c }] = await client.encrypt({ name: KEY, plaintext, ...right })
    expect(verifiedPlaintextCrc32c).toBe(true)
    await expect(
      client.decrypt({ name: KEY, ciphertext: ciphertext!, ciphertextCrc32c: { value: 1 } }),
    ).rejects.toEqual(status(INVALID_ARGUMENT, /field ciphertext_crc32c/))
  })

  it('opens nothing that was changed, bound to something else, or of another key', async () => {
    const { client } = await start({ keys: [KEY, `${KEY}2`] })
    const [{ ciphertext }] = await client.encrypt({
      name: KEY,
      plaintext,
      additionalAuthenticatedData: Buffer.from('a'),
    })
    const bytes = Buffer.from(ciphertext as Uint8Array)
    const additionalAuthenticatedData = Buffer.from('a')
    const changed = Buffer.from(bytes)
    changed[changed.length - 1]! ^= 1
    await expect(client.decrypt({ name: KEY, ciphertext: bytes })).rejects.toEqual(
      status(INVALID_ARGUMENT, /the ciphertext is invalid/),
    )
    await expect(client.decrypt({ name: KEY, ciphertext: changed, additionalAuthenticatedData })).rejects.toEqual(
      status(INVALID_ARGUMENT, /the ciphertext is invalid/),
    )
    for (const other of [Buffer.from('nonsense'), Buffer.alloc(200)])
      await expect(client.decrypt({ name: KEY, ciphertext: other })).rejects.toEqual(
        status(INVALID_ARGUMENT, /verify that 'name'/),
      )
    await expect(client.decrypt({ name: `${KEY}2`, ciphertext: bytes, additionalAuthenticatedData })).rejects.toEqual(
      status(INVALID_ARGUMENT, /verify that 'name'/),
    )
    const version = `${KEY}/cryptoKeyVersions/1`
    await expect(client.decrypt({ name: version, ciphertext: bytes, additionalAuthenticatedData })).rejects.toEqual(
      status(NOT_FOUND),
    )
  })

  it('enforces permissions and quotas, of a method or of all that share it', async () => {
    const { emulator, client } = await start({ limits: { crypto_requests: 2, GetKeyRing: 0 } })
    const once = { retry: null }
    await client.encrypt({ name: KEY, plaintext }, once)
    const [{ ciphertext }] = await client.encrypt({ name: KEY, plaintext }, once)
    await expect(client.decrypt({ name: KEY, ciphertext: ciphertext! }, once)).rejects.toMatchObject({
      code: 8,
      reason: 'RATE_LIMIT_EXCEEDED',
      domain: 'googleapis.com',
      errorInfoMetadata: { quota_metric: 'cloudkms.googleapis.com/crypto_requests' },
    })
    await expect(client.getKeyRing({ name: RING }, once)).rejects.toEqual(status(8))
    emulator.permissions.revoke('cloudkms.cryptoKeys.get', KEY)
    await expect(client.getCryptoKey({ name: KEY })).rejects.toMatchObject({ code: 7, reason: 'IAM_PERMISSION_DENIED' })
    emulator.permissions.restore()
    expect((await client.getCryptoKey({ name: KEY }))[0].name).toBe(KEY)
  })
})

describe('startGoogleKmsEmulator, keys', () => {
  it('are made, listed and read by Google’s client', async () => {
    const { client } = await start()
    const [ring] = await client.createKeyRing({ parent: LOCATION, keyRingId: 'second' })
    expect(ring.name).toBe(`${LOCATION}/keyRings/second`)
    await expect(client.createKeyRing({ parent: LOCATION, keyRingId: 'second' })).rejects.toEqual(
      status(ALREADY_EXISTS),
    )
    await expect(client.createKeyRing({ parent: LOCATION, keyRingId: 'no blanks' })).rejects.toEqual(
      status(INVALID_ARGUMENT),
    )
    const [rings] = await client.listKeyRings({ parent: LOCATION })
    expect(rings.map(({ name }) => name)).toEqual([RING, ring.name])
    const cryptoKey = { purpose: 'ENCRYPT_DECRYPT', versionTemplate: { protectionLevel: 'HSM' } } as const
    for (const cryptoKeyId of ['a', 'b', 'c'])
      await client.createCryptoKey({ parent: ring.name!, cryptoKeyId, cryptoKey })
    const [keys] = await client.listCryptoKeys({ parent: ring.name!, pageSize: 2 })
    expect(keys.map(({ name }) => name)).toEqual(['a', 'b', 'c'].map((id) => `${ring.name}/cryptoKeys/${id}`))
    const [key] = await client.getCryptoKey({ name: `${ring.name}/cryptoKeys/a` })
    expect(key).toMatchObject({
      purpose: 'ENCRYPT_DECRYPT',
      primary: { name: `${key.name}/cryptoKeyVersions/1`, state: 'ENABLED', protectionLevel: 'HSM' },
      versionTemplate: { algorithm: 'GOOGLE_SYMMETRIC_ENCRYPTION' },
      destroyScheduledDuration: { seconds: '2592000' },
    })
    await expect(
      client.createCryptoKey({ parent: ring.name!, cryptoKeyId: 'd', cryptoKey: { purpose: 'MAC' } }),
    ).rejects.toEqual(status(INVALID_ARGUMENT))
  })

  it('go through the states of their versions', async () => {
    const { client } = await start()
    const plaintext = Buffer.from('p')
    const one = `${KEY}/cryptoKeyVersions/1`
    const [{ ciphertext }] = await client.encrypt({ name: KEY, plaintext })
    const state = async (name: string) => (await client.getCryptoKeyVersion({ name }))[0].state
    const update = (to: 'ENABLED' | 'DISABLED') =>
      client.updateCryptoKeyVersion({ cryptoKeyVersion: { name: one, state: to }, updateMask: { paths: ['state'] } })
    await update('DISABLED')
    await expect(client.decrypt({ name: KEY, ciphertext: ciphertext! })).rejects.toEqual(status(FAILED_PRECONDITION))
    await client.destroyCryptoKeyVersion({ name: one })
    expect(await state(one)).toBe('DESTROY_SCHEDULED')
    await expect(client.encrypt({ name: KEY, plaintext })).rejects.toEqual(
      status(FAILED_PRECONDITION, /current state is: DESTROY_SCHEDULED/),
    )
    await expect(update('ENABLED')).rejects.toEqual(status(FAILED_PRECONDITION))
    await client.restoreCryptoKeyVersion({ name: one })
    expect(await state(one)).toBe('DISABLED')
    await update('ENABLED')
    expect(String((await client.decrypt({ name: KEY, ciphertext: ciphertext! }))[0].plaintext)).toBe('p')
  })

  it('rotate: a new version encrypts once it is the primary one, older ones still decrypt', async () => {
    const { client } = await start()
    const plaintext = Buffer.from('p')
    const [old] = await client.encrypt({ name: KEY, plaintext })
    const [two] = await client.createCryptoKeyVersion({ parent: KEY })
    expect((await client.encrypt({ name: KEY, plaintext }))[0].name).toBe(old.name)
    await client.updateCryptoKeyPrimaryVersion({ name: KEY, cryptoKeyVersionId: '2' })
    expect((await client.encrypt({ name: KEY, plaintext }))[0].name).toBe(two.name)
    expect((await client.encrypt({ name: old.name!, plaintext }))[0].name).toBe(old.name)
    const [opened] = await client.decrypt({ name: KEY, ciphertext: old.ciphertext! })
    expect([String(opened.plaintext), opened.usedPrimary]).toEqual(['p', false])
    const [versions] = await client.listCryptoKeyVersions({ parent: KEY })
    expect(versions.map(({ name }) => name)).toEqual([old.name, two.name])
  })

  it('rotate and are destroyed when their time has come', async () => {
    let now = Date.now()
    const DAY = 86_400_000
    const { emulator, client } = await start({ now: () => now, skew: 400 * 86_400 })
    await client.updateCryptoKey({
      cryptoKey: {
        name: KEY,
        rotationPeriod: { seconds: 90 * 86_400 },
        nextRotationTime: { seconds: Math.floor(now / 1000) + 86_400 },
      },
      updateMask: { paths: ['rotation_period', 'next_rotation_time'] },
    })
    const plaintext = Buffer.from('p')
    const [{ ciphertext, name }] = await client.encrypt({ name: KEY, plaintext })
    now += 2 * DAY
    expect((await client.getCryptoKey({ name: KEY }))[0].primary?.name).toBe(`${KEY}/cryptoKeyVersions/2`)
    await client.destroyCryptoKeyVersion({ name: name! })
    now += 31 * DAY
    expect((await client.getCryptoKeyVersion({ name: name! }))[0]).toMatchObject({
      state: 'DESTROYED',
      destroyEventTime: { seconds: String(Math.floor((now - DAY) / 1000)) },
    })
    await expect(client.decrypt({ name: KEY, ciphertext: ciphertext! })).rejects.toEqual(
      status(FAILED_PRECONDITION, /current state is: DESTROYED/),
    )
    await expect(client.restoreCryptoKeyVersion({ name: name! })).rejects.toEqual(status(FAILED_PRECONDITION))
    now += 180 * DAY
    expect(emulator.keyRings.key(KEY).versions).toHaveLength(4)
  })
})
