import { describe, expect, it } from '@jest/globals'
import type { ErrorCode } from '../../../src/errors.js'
import { refusal } from '../../support/refusal.js'
import { identity, start } from './start.js'

/** What Vault or a node of it answers, what it means, and a piece of what is said about it. */
const ANSWERS: readonly (readonly [code: string, means: ErrorCode, says: string])[] = [
  ['permission denied', 'KMS_DENIED', 'path "transit/datakey/plaintext/fieldseal" { capabilities = ["update"] }'],
  ['invalid token', 'KMS_DENIED', 'The token has expired'],
  ['rate limit quota exceeded', 'KMS_THROTTLED', 'raise the quota'],
  ['lease count quota exceeded', 'KMS_THROTTLED', 'raise the quota'],
  ['Vault is sealed', 'KMS_UNAVAILABLE', 'Unseal Vault'],
  ['required index state not present', 'KMS_UNAVAILABLE', 'after 2 attempts'],
  ['internal error', 'KMS_UNAVAILABLE', 'HTTP status 500'],
  ['encryption key not found', 'KMS_KEY_UNUSABLE', 'correct keyId'],
  ['no handler for route', 'KMS_KEY_UNUSABLE', '"mount"'],
  ['namespace not found', 'KMS_KEY_UNUSABLE', '"namespace"'],
  ['ciphertext or signature version is disallowed by policy (too old)', 'KMS_KEY_UNUSABLE', 'min_decryption_version'],
  ['no such key version', 'KMS_KEY_UNUSABLE', 'trimmed away'],
  ['invalid ciphertext: version is too new', 'KMS_REFUSED', 'version is too new'],
  ['something that nobody knows', 'KMS_REFUSED', 'HTTP status 400'],
  ['404', 'KMS_KEY_UNUSABLE', 'HTTP status 404'],
  ['405', 'KMS_REFUSED', 'HTTP status 405'],
  ['412', 'KMS_UNAVAILABLE', 'HTTP status 412'],
  ['472', 'KMS_UNAVAILABLE', 'HTTP status 472'],
  ['473', 'KMS_UNAVAILABLE', 'HTTP status 473'],
  ['429', 'KMS_THROTTLED', 'HTTP status 429'],
  ['502', 'KMS_UNAVAILABLE', 'HTTP status 502'],
  ['503', 'KMS_UNAVAILABLE', 'HTTP status 503'],
]

describe('what Vault answers', () => {
  it.each(ANSWERS)('"%s" is %s', async (code, means, says) => {
    const { emulator, kms } = await start({ maxRetries: 1 })
    await kms.generate(identity())
    const message = 'a raw message of Vault'
    emulator.faults.add({ kind: 'error', code, message, action: 'datakey', times: 'always' })
    const error = await refusal(() => kms.generate(identity()))
    expect(error).toMatchObject({ code: means, message: expect.stringContaining(says) })
    expect(error.message).toContain('Vault, datakey/plaintext with key transit/fieldseal')
    expect(error.message).not.toContain(message)
    expect(Object.keys(error.cause as object).every((name) => ['code', 'httpCode'].includes(name))).toBe(true)
  })

  it.each(['Vault is sealed', 'required index state not present', 'rate limit quota exceeded', '473', '502'])(
    '"%s" for a moment is got over',
    async (code) => {
      const { emulator, kms } = await start()
      emulator.faults.add({ kind: 'error', code, times: 2 })
      await kms.generate(identity())
    },
  )

  it('while it is sealed is KMS_UNAVAILABLE, and all is well once it is unsealed', async () => {
    const { emulator, kms } = await start({ maxRetries: 1 })
    emulator.node.sealed = true
    expect(await refusal(() => kms.generate(identity()))).toMatchObject({
      code: 'KMS_UNAVAILABLE',
      message: expect.stringContaining('Unseal Vault'),
      cause: { httpCode: 503 },
    })
    emulator.node.sealed = false
    await kms.generate(identity())
  })

  it('from a standby that sends elsewhere is followed nowhere', async () => {
    const other = await start()
    const { emulator, kms } = await start({ maxRetries: 1 })
    emulator.node.activeNode = other.emulator.url
    expect(await refusal(() => kms.generate(identity()))).toMatchObject({
      code: 'KMS_UNAVAILABLE',
      message: expect.stringContaining('no redirect is followed'),
    })
    expect(other.emulator.calls.count()).toBe(0)
  })

  it('with Retry-After has everybody wait for as long', async () => {
    const { emulator, kms } = await start(
      { timeout: 20_000, attemptTimeout: 10_000 },
      { limits: { datakey: 5 }, rateLimitHeaders: true },
    )
    const begun = Date.now()
    await Promise.all(Array.from({ length: 12 }, () => kms.generate(identity())))
    expect(Date.now() - begun).toBeGreaterThan(1_000)
    // Without the header, all would have asked again after tenths of a second.
    expect(emulator.calls.count('datakey')).toBeLessThan(40)
  }, 25_000)
})
