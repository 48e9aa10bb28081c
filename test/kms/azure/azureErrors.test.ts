import { inspect } from 'node:util'
import { CryptographyClient } from '@azure/keyvault-keys'
import { describe, expect, it } from '@jest/globals'
import { refusal } from '../../support/refusal.js'
import { identity, kmsOf, start, startEmulator } from './start.js'

const [RETRIED, FINAL] = [3, 1]

describe('azureKms, errors of the API', () => {
  it.each([
    ['Throttled', 429, 'KMS_THROTTLED', RETRIED],
    ['InternalServerError', 500, 'KMS_UNAVAILABLE', RETRIED],
    ['ServiceUnavailable', 503, 'KMS_UNAVAILABLE', RETRIED],
    ['AccessDenied', 403, 'KMS_DENIED', FINAL],
    ['Forbidden', 403, 'KMS_DENIED', FINAL],
    ['KeyDisabled', 403, 'KMS_KEY_UNUSABLE', FINAL],
    ['KeyExpired', 403, 'KMS_KEY_UNUSABLE', FINAL],
    ['KeyNotYetValid', 403, 'KMS_KEY_UNUSABLE', FINAL],
    ['KeyOperationForbidden', 403, 'KMS_KEY_UNUSABLE', FINAL],
    ['KeyNotFound', 404, 'KMS_KEY_UNUSABLE', FINAL],
    ['ObjectIsDeletedButRecoverable', 409, 'KMS_KEY_UNUSABLE', FINAL],
    ['BadParameter', 400, 'KMS_REFUSED', FINAL],
    ['SomethingNobodyKnows', 400, 'KMS_REFUSED', FINAL],
  ])(
    '%s (%i) becomes %s after %i attempt(s), with status, request id, key and advice',
    async (code, status, ours, attempts) => {
      const { emulator, kms } = await start({ maxRetries: RETRIED - 1 })
      const whose = identity()
      const { dek: _, ...wrapped } = await kms.generate(whose)
      await kms.unwrap(wrapped, whose)
      for (const [action, keyId, work] of [
        ['encrypt', emulator.keyId, () => kms.generate(whose)],
        ['decrypt', wrapped.kekId, () => kms.unwrap(wrapped, whose)],
      ] as const) {
        emulator.calls.reset()
        emulator.faults.clear()
        emulator.faults.add({ kind: 'error', code, message: 'a message that stays behind', times: 'always' })
        const error = await refusal(work)
        expect(error.code).toBe(ours)
        expect(emulator.calls.byAction).toEqual({ [action]: attempts })
        const requestId = emulator.calls.log.at(-1)?.requestId
        const times = attempts === 1 ? '1 attempt' : `${attempts} attempts`
        const begin = `Azure Managed HSM, ${action} with key ${keyId}: ${code} (HTTP ${status}) (request ${requestId}) after ${times}. `
        expect(error.message.slice(0, begin.length)).toBe(begin)
        expect(error.message.length).toBeGreaterThan(begin.length + 20)
        expect(error.cause).toEqual({ code, requestId, httpCode: status })
        expect(inspect(error)).not.toContain('stays behind')
      }
    },
  )

  it('is a permission that is missing, by its name', async () => {
    const { emulator, kms } = await start()
    const whose = identity()
    const made = await kms.generate(whose)
    emulator.permissions.deny('decrypt', 'fieldseal')
    const error = await refusal(() => kms.unwrap(made, whose))
    expect([error.code, error.message]).toEqual([
      'KMS_DENIED',
      expect.stringContaining('Microsoft.KeyVault/managedHsm/keys/decrypt/action'),
    ])
  })

  it('is a token that is refused, also where the answer has no body, and another token is tried', async () => {
    const { emulator, kms } = await start()
    const whose = identity()
    const { dek, ...wrapped } = await kms.generate(whose)
    await kms.unwrap(wrapped, whose)
    emulator.faults.add({ kind: 'status', status: 401, action: 'decrypt', times: 1 })
    expect(await kms.unwrap(wrapped, whose)).toEqual(dek)
    emulator.faults.add({ kind: 'body', body: '', action: 'decrypt', times: 'always' })
    emulator.tokens.expire()
    const error = await refusal(() => kms.unwrap(wrapped, whose))
    expect(error.code).toBe('KMS_DENIED')
    emulator.faults.clear()
    emulator.tokens.renew()
    expect(await kms.unwrap(wrapped, whose)).toEqual(dek)
  })

  it('is a credential that gives no token', async () => {
    const { emulator, kms } = await start()
    emulator.tokens.expire()
    const error = await refusal(() => kms.generate(identity()))
    expect([error.code, error.message]).toEqual([
      'KMS_DENIED',
      expect.stringContaining('no token from Microsoft Entra ID'),
    ])
    expect(inspect(error)).not.toContain('AADSTS')
  })

  it.each([
    ['hangs up', { kind: 'hangUp', when: 'before' }],
    ['hangs up in its answer', { kind: 'hangUp', when: 'body' }],
    ['cuts its answer short', { kind: 'truncate' }],
    ['stalls', { kind: 'stall' }],
    ['is late', { kind: 'delay', ms: 2_000 }],
    ['answers with a gateway’s error', { kind: 'status', status: 502 }],
    ['answers something else', { kind: 'body', body: '<html>' }],
  ] as const)('is KMS_UNAVAILABLE when the service %s for long, and nothing when only once', async (_, fault) => {
    const { emulator, kms } = await start({ maxRetries: 1, attemptTimeout: 500 })
    const whose = identity()
    const { dek, ...wrapped } = await kms.generate(whose)
    await kms.unwrap(wrapped, whose)
    emulator.faults.add({ ...fault, action: 'decrypt', times: 1 })
    expect(await kms.unwrap(wrapped, whose)).toEqual(dek)
    emulator.faults.add({ ...fault, action: 'decrypt', times: 'always' })
    const error = await refusal(() => kms.unwrap(wrapped, whose))
    expect(error.code).toBe('KMS_UNAVAILABLE')
    const shown = inspect(error, { depth: 9, showHidden: true }) + error.stack
    for (const form of ['base64', 'base64url', 'hex'] as const)
      expect(shown).not.toContain(dek.toString(form).slice(0, 12))
  })

  it('waits as long as the service asks, but not for ever', async () => {
    const { kms } = await start({ maxRetries: 5, attemptTimeout: 1_000 }, { limits: { encrypt: 1 } })
    await kms.generate(identity())
    const begin = performance.now()
    expect((await kms.generate(identity())).dek).toHaveLength(32)
    expect(performance.now() - begin).toBeGreaterThan(450)
  })

  it('is told where nobody listens', async () => {
    const emulator = await startEmulator()
    const kms = kmsOf(emulator, { maxRetries: 1 })
    await emulator.close()
    const error = await refusal(() => kms.generate(identity()))
    expect([error.code, error.message]).toEqual(['KMS_UNAVAILABLE', expect.stringContaining('ECONNREFUSED')])
  })

  it('is told where the certificate is not trusted', async () => {
    const emulator = await startEmulator()
    const options = { retryOptions: { maxRetries: 0 } }
    const kms = kmsOf(emulator, {
      client: (key) => new CryptographyClient(key, emulator.credential, options),
      maxRetries: 0,
    })
    const error = await refusal(() => kms.generate(identity()))
    expect([error.code, error.message]).toEqual(['KMS_UNAVAILABLE', expect.stringMatching(/self-signed|SELF_SIGNED/)])
  })
})
