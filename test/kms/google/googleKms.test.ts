import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { afterEach, describe, expect, it } from '@jest/globals'
import { crc32c } from '../../../src/kms/google/crc32c.js'
import type { GoogleKmsClient } from '../../../src/kms/google/googleClient.js'
import { googleKms } from '../../../src/kms/google/googleKms.js'
import type { GoogleKmsOptions } from '../../../src/kms/google/googleOptions.js'
import { refusal } from '../../support/refusal.js'
import { clientOf, identity, OTHER, OWN, start, startEmulator } from './google.js'

/** A client by structure whose answers a test makes up. */
function client(answer: () => Promise<[object]>): GoogleKmsClient {
  return { encrypt: answer, decrypt: answer }
}

const never = client(() => Promise.reject(new Error('not reached')))

describe('googleKms, options', () => {
  afterEach(() => {
    delete process.env.GOOGLE_SDK_NODE_LOGGING
  })

  it.each([
    ['client', { client: undefined as never }],
    ['client', { client: { encrypt: never.encrypt } as never }],
    ['keyId', { keyId: undefined as never }],
    ['keyId', { keyId: 'own' }],
    ['keyId', { keyId: `${OWN}/cryptoKeyVersions/1` }],
    ['keyId', { keyId: `/${OWN}` }],
    ['keyId', { keyId: `${OWN} ` }],
    ['formerKeyIds', { formerKeyIds: OTHER as never }],
    ['formerKeyIds', { formerKeyIds: [OTHER, 'other'] }],
    ['timeout', { timeout: 0 }],
    ['attemptTimeout', { attemptTimeout: 5_000, timeout: 4_000 }],
    ['maxRetries', { maxRetries: -1 }],
    ['concurrency', { concurrency: 0 }],
    ['keyID', { keyID: OWN } as never],
  ])('refuses a bad "%s" when they are given', (option, wrong: Partial<GoogleKmsOptions>) => {
    expect(() => googleKms({ client: never, keyId: OWN, ...wrong })).toThrow(
      expect.objectContaining({ code: 'OPTIONS_INVALID', message: expect.stringContaining(`"${option}"`) }),
    )
  })

  it.each(['all', 'true', '*', 'kms', 'pubsub,KMS', 'k*'])('refuses a client that logs keys (%s)', (names) => {
    process.env.GOOGLE_SDK_NODE_LOGGING = names
    expect(() => googleKms({ client: never, keyId: OWN })).toThrow(
      expect.objectContaining({ code: 'OPTIONS_INVALID', message: expect.stringContaining('GOOGLE_SDK_NODE_LOGGING') }),
    )
  })

  it.each(['', 'pubsub', 'kmsinventory', 'pubsub,storage*'])(
    'takes a client that logs other things ("%s")',
    (names) => {
      process.env.GOOGLE_SDK_NODE_LOGGING = names
      expect(googleKms({ client: never, keyId: OWN, formerKeyIds: [OTHER] }).name).toBe('google')
    },
  )
})

const RETRIED = 3
const ONCE = 2
const FINAL = 1

describe('googleKms, statuses of the API', () => {
  it.each([
    ['CANCELLED', 'KMS_UNAVAILABLE', RETRIED],
    ['UNKNOWN', 'KMS_UNAVAILABLE', RETRIED],
    ['INVALID_ARGUMENT', 'KMS_REFUSED', FINAL],
    ['DEADLINE_EXCEEDED', 'KMS_UNAVAILABLE', RETRIED],
    ['NOT_FOUND', 'KMS_KEY_UNUSABLE', FINAL],
    ['ALREADY_EXISTS', 'KMS_REFUSED', FINAL],
    ['PERMISSION_DENIED', 'KMS_DENIED', FINAL],
    ['RESOURCE_EXHAUSTED', 'KMS_THROTTLED', RETRIED],
    ['FAILED_PRECONDITION', 'KMS_KEY_UNUSABLE', FINAL],
    ['ABORTED', 'KMS_UNAVAILABLE', RETRIED],
    ['OUT_OF_RANGE', 'KMS_REFUSED', FINAL],
    ['UNIMPLEMENTED', 'KMS_REFUSED', FINAL],
    ['INTERNAL', 'KMS_UNAVAILABLE', RETRIED],
    ['UNAVAILABLE', 'KMS_UNAVAILABLE', RETRIED],
    ['DATA_LOSS', 'KMS_UNAVAILABLE', RETRIED],
    ['UNAUTHENTICATED', 'KMS_DENIED', ONCE],
  ])('%s becomes %s after %i attempt(s), with status, key and advice', async (code, ours, attempts) => {
    const { emulator, kms } = await start({ maxRetries: RETRIED - 1 })
    const { dek: _, ...wrapped } = await kms.generate(identity())
    for (const [action, call] of [
      ['Encrypt', () => kms.generate(identity())],
      ['Decrypt', () => kms.unwrap(wrapped, identity())],
    ] as const) {
      emulator.calls.reset()
      emulator.faults.clear()
      emulator.faults.add({ kind: 'error', code, message: 'a message that stays behind', times: 'always' })
      const error = await refusal(call)
      expect(error.code).toBe(ours)
      expect(emulator.calls.byAction).toEqual({ [action]: attempts })
      const times = attempts === 1 ? '1 attempt' : `${attempts} attempts`
      const begin = `Google Cloud KMS, ${action} with key ${OWN}: ${code} after ${times}. `
      expect(error.message.slice(0, begin.length)).toBe(begin)
      expect(error.message.length).toBeGreaterThan(begin.length + 20)
      expect(error.cause).toEqual({ code })
      expect(inspect(error)).not.toContain('stays behind')
    }
  })

  it('names the permission that is missing, and what Google says of it', async () => {
    const { emulator, kms } = await start()
    const { dek: _, ...wrapped } = await kms.generate(identity())
    for (const [permission, call] of [
      ['cloudkms.cryptoKeyVersions.useToEncrypt', () => kms.generate(identity())],
      ['cloudkms.cryptoKeyVersions.useToDecrypt', () => kms.unwrap(wrapped, identity())],
    ] as const) {
      emulator.permissions.restore()
      emulator.permissions.revoke(permission, OWN)
      const error = await refusal(call)
      expect(error).toMatchObject({ code: 'KMS_DENIED', message: expect.stringContaining(permission) })
      expect(error.cause).toEqual({ code: 'PERMISSION_DENIED', reason: 'IAM_PERMISSION_DENIED' })
    }
  })

  it('says which quota is used up', async () => {
    const { kms } = await start({ maxRetries: 0 }, { limits: { crypto_requests: 1 } })
    await kms.generate(identity())
    const error = await refusal(() => kms.generate(identity()))
    expect(error).toMatchObject({ code: 'KMS_THROTTLED', message: expect.stringContaining('RATE_LIMIT_EXCEEDED') })
    expect(error.cause).toEqual({ code: 'RESOURCE_EXHAUSTED', reason: 'RATE_LIMIT_EXCEEDED' })
  })

  it.each([
    ['SERVICE_DISABLED', 'Enable the Cloud KMS API'],
    ['ACCESS_TOKEN_SCOPE_INSUFFICIENT', 'the scope'],
  ])('tells %s from a permission that is missing', async (reason, advice) => {
    const denied = Object.assign(new Error('7 PERMISSION_DENIED: …'), { code: 7, reason })
    const kms = googleKms({ client: client(() => Promise.reject(denied)), keyId: OWN })
    const error = await refusal(() => kms.generate(identity()))
    expect(error.message).toContain(advice)
    expect(error.cause).toEqual({ code: 'PERMISSION_DENIED', reason })
  })

  it('takes as a reason nothing that is none', async () => {
    const odd = Object.assign(new Error('7 …'), { code: 7, reason: 'c2VjcmV0 a piece of an answer' })
    const kms = googleKms({ client: client(() => Promise.reject(odd)), keyId: OWN })
    const error = await refusal(() => kms.generate(identity()))
    expect(error.cause).toEqual({ code: 'PERMISSION_DENIED' })
    expect(inspect(error)).not.toContain('c2VjcmV0')
  })
})

describe('googleKms, key versions', () => {
  it('names in kekId the version that wrapped, and unwraps what any version of the key wrapped', async () => {
    const { emulator, kms } = await start()
    const first = await kms.generate(identity())
    expect(first.kekId).toBe(`${OWN}/cryptoKeyVersions/1`)
    const whose = identity()
    const old = await kms.generate(whose)
    emulator.keyRings.rotate(OWN)
    const { kekId } = await kms.generate(identity())
    expect(kekId).toBe(`${OWN}/cryptoKeyVersions/2`)
    expect(await kms.unwrap(old, whose)).toEqual(old.dek)
  })

  it('rewraps with one call what is under the primary version, and gives it back as it was', async () => {
    const { emulator, kms } = await start()
    const whose = identity()
    const { dek: _, ...wrapped } = await kms.generate(whose)
    emulator.calls.reset()
    expect(await kms.rewrap!(wrapped, whose)).toEqual(wrapped)
    expect(emulator.calls.byAction).toEqual({ Decrypt: 1 })
  })

  it('rewraps with Decrypt and Encrypt what an older version wrapped', async () => {
    const { emulator, kms } = await start()
    const whose = identity()
    const { dek, ...wrapped } = await kms.generate(whose)
    emulator.keyRings.rotate(OWN)
    emulator.calls.reset()
    const moved = await kms.rewrap!(wrapped, whose)
    expect(emulator.calls.byAction).toEqual({ Decrypt: 1, Encrypt: 1 })
    expect(moved.kekId).toBe(`${OWN}/cryptoKeyVersions/2`)
    expect(await kms.unwrap(moved, whose)).toEqual(dek)
    emulator.keyRings.disable(`${OWN}/cryptoKeyVersions/1`)
    expect(await kms.unwrap(moved, whose)).toEqual(dek)
    const error = await refusal(() => kms.unwrap(wrapped, whose))
    expect(error).toMatchObject({ code: 'KMS_KEY_UNUSABLE', cause: { code: 'FAILED_PRECONDITION' } })
  })

  it('does not believe the row, but Google, in which version wraps a DEK', async () => {
    const { emulator, kms } = await start()
    const whose = identity()
    const { dek, wrapped } = await kms.generate(whose)
    emulator.keyRings.rotate(OWN)
    const changed = { wrapped, kekId: `${OWN}/cryptoKeyVersions/2` }
    expect(await kms.unwrap(changed, whose)).toEqual(dek)
    const moved = await kms.rewrap!(changed, whose)
    expect(moved.wrapped).not.toBe(wrapped)
    expect(await kms.unwrap({ ...moved, kekId: OWN }, whose)).toEqual(dek)
  })

  it('moves a DEK from a former key to the current one, and says of which of the two an error is', async () => {
    const { emulator, client, kms } = await start()
    const whose = identity()
    const { dek, ...wrapped } = await kms.generate(whose)
    const next = googleKms({ client, keyId: OTHER, formerKeyIds: [OWN] })
    emulator.keyRings.disable(OTHER)
    const error = await refusal(() => next.rewrap!(wrapped, whose))
    expect(error.message).toContain(`Encrypt with key ${OTHER}: FAILED_PRECONDITION`)
    emulator.keyRings.enable(OTHER)
    const moved = await next.rewrap!(wrapped, whose)
    expect(moved.kekId).toBe(`${OTHER}/cryptoKeyVersions/1`)
    expect(await googleKms({ client, keyId: OTHER }).unwrap(moved, whose)).toEqual(dek)
  })

  it('asks Google nothing about a key that is not the tenant’s, whatever version the row names', async () => {
    const { emulator, client, kms } = await start()
    const whose = identity()
    const foreign = googleKms({ client, keyId: OTHER })
    const { dek: _, ...wrapped } = await foreign.generate(whose)
    emulator.calls.reset()
    for (const kekId of [wrapped.kekId, OTHER, `${OWN}/cryptoKeyVersions/0`, `${OWN}/cryptoKeyVersions/1/x`, '']) {
      const error = await refusal(() => kms.unwrap({ ...wrapped, kekId }, whose))
      expect(error.code).toBe('KMS_KEY_UNUSABLE')
    }
    expect(emulator.calls.count()).toBe(0)
    const error = await refusal(() => kms.unwrap({ ...wrapped, kekId: `${OWN}/cryptoKeyVersions/1` }, whose))
    expect(error.code).toBe('KMS_REFUSED')
  })
})

/** Changes an answer's JSON, in which bytes are base64. */
function changing(change: (answer: { [field: string]: unknown }) => void) {
  return (text: string) => {
    const answer = JSON.parse(text) as { [field: string]: unknown }
    change(answer)
    return JSON.stringify(answer)
  }
}

function flipped(base64: unknown): string {
  const bytes = Buffer.from(String(base64), 'base64')
  bytes[bytes.length - 1]! ^= 1
  return bytes.toString('base64')
}

describe('googleKms, checksums', () => {
  const damages: [what: string, action: string, change: Parameters<typeof changing>[0]][] = [
    ['a ciphertext with another bit', 'Encrypt', (answer) => (answer.ciphertext = flipped(answer.ciphertext))],
    ['a ciphertext without a checksum', 'Encrypt', (answer) => delete answer.ciphertextCrc32c],
    ['an unverified plaintext', 'Encrypt', (answer) => (answer.verifiedPlaintextCrc32c = false)],
    [
      'an unverified encryption context',
      'Encrypt',
      (answer) => delete answer.verifiedAdditionalAuthenticatedDataCrc32c,
    ],
    ['a plaintext with another bit', 'Decrypt', (answer) => (answer.plaintext = flipped(answer.plaintext))],
    ['a plaintext without a checksum', 'Decrypt', (answer) => delete answer.plaintextCrc32c],
    ['no plaintext', 'Decrypt', (answer) => delete answer.plaintext],
  ]

  it.each(damages)('asks again after an answer with %s, and gives none of it', async (_, action, change) => {
    const { emulator, kms } = await start({ maxRetries: 2 })
    const whose = identity()
    const made = await kms.generate(whose)
    emulator.faults.add({ kind: 'body', action, body: changing(change), times: 2 })
    expect(await kms.unwrap(await kms.wrap!(made.dek, whose), whose)).toEqual(made.dek)
    expect(emulator.calls.count(action)).toBe(action === 'Encrypt' ? 4 : 3)
    emulator.faults.add({ kind: 'body', action, body: changing(change), times: 'always' })
    const error = await refusal(() => (action === 'Encrypt' ? kms.generate(whose) : kms.unwrap(made, whose)))
    expect(error).toMatchObject({ code: 'KMS_UNAVAILABLE', message: expect.stringContaining('CRC32C') })
  })

  it.each(['plaintext', 'ciphertext', 'additionalAuthenticatedData'] as const)(
    'has Google find a %s that arrives with another bit, and sends it again',
    async (field) => {
      const emulator = await startEmulator()
      const real = clientOf(emulator)
      let left = 2
      const damage = <R extends object>(request: R): R => {
        const sent = (request as { readonly [name: string]: Uint8Array | undefined })[field]
        if (!sent || left-- <= 0) return request
        const changed = Buffer.from(sent)
        changed[0]! ^= 1
        return { ...request, [field]: changed }
      }
      const damaging: GoogleKmsClient = {
        encrypt: (request, options) => real.encrypt(damage(request), options),
        decrypt: (request, options) => real.decrypt(damage(request), options),
      }
      const kms = googleKms({ client: damaging, keyId: OWN })
      const whose = identity()
      const { dek, ...wrapped } = await kms.generate(whose)
      expect(await kms.unwrap(wrapped, whose)).toEqual(dek)
      expect(emulator.calls.log.filter(({ result }) => result === 'INVALID_ARGUMENT')).toHaveLength(2)
    },
  )

  it('refuses at once an answer that names another key', async () => {
    const { emulator, kms } = await start()
    for (const name of [`${OTHER}/cryptoKeyVersions/1`, OWN, `${OWN}/cryptoKeyVersions/0`, '']) {
      emulator.faults.add({ kind: 'body', action: 'Encrypt', body: changing((answer) => (answer.name = name)) })
      const error = await refusal(() => kms.generate(identity()))
      expect(error).toMatchObject({ code: 'KMS_REFUSED', message: expect.stringContaining('asked for') })
    }
    expect(emulator.calls.count()).toBe(4)
  })
})

describe('googleKms, memory', () => {
  it('takes a DEK into memory of its own, and zeroes what the SDK gave', async () => {
    const given = randomBytes(32)
    const dek = Buffer.from(given)
    const answer = { plaintext: given, plaintextCrc32c: { value: String(crc32c(given)) }, usedPrimary: true }
    const kms = googleKms({ client: client(async () => [answer]), keyId: OWN })
    const unwrapped = await kms.unwrap({ wrapped: 'AAAA', kekId: OWN }, identity())
    expect(unwrapped).toEqual(dek)
    expect(unwrapped.buffer.byteLength).toBe(32)
    expect(given).toEqual(Buffer.alloc(32))
  })

  it('zeroes a DEK that it made and could not wrap, and one whose rewrapping failed', async () => {
    const seen: Uint8Array[] = []
    const { emulator, client: real } = await start()
    const watched: GoogleKmsClient = {
      encrypt: (request) => {
        seen.push(request.plaintext)
        return Promise.reject(Object.assign(new Error('5'), { code: 5 }))
      },
      decrypt: (request, options) => real.decrypt(request, options),
    }
    const whose = identity()
    const { dek: _, ...wrapped } = await googleKms({ client: real, keyId: OWN }).generate(whose)
    emulator.keyRings.rotate(OWN)
    const kms = googleKms({ client: watched, keyId: OWN })
    expect((await refusal(() => kms.generate(whose))).code).toBe('KMS_KEY_UNUSABLE')
    expect((await refusal(() => kms.rewrap!(wrapped, whose))).code).toBe('KMS_KEY_UNUSABLE')
    expect(seen.map((bytes) => Buffer.from(bytes).equals(Buffer.alloc(32)))).toEqual([true, true])
  })
})
