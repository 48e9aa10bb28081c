import { randomUUID } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import type { Counterpart, TestedKms } from 'fieldseal/testing'
import { advice } from '../../src/kms/azure/azureErrors.js'
import { refusal } from '../support/refusal.js'
import { testedAws } from './aws/tested.js'
import { testedAzure } from './azure/tested.js'
import { testedGoogle } from './google/tested.js'
import { testedTencent } from './tested.js'
import { overHttp, testedVault } from './vault/tested.js'

describe('credentials that have ended', () => {
  it('are told from roles that refuse where a fixed token of Azure has', () => {
    const failure = {
      code: 'KMS_DENIED',
      retry: 'once',
      reason: 'Unauthorized (HTTP 401)',
      details: { httpCode: 401 },
    } as const
    expect(advice(failure, { action: 'decrypt', keyId: 'key' })).toMatch(/token ran out.*credential that renews itself/)
    expect(advice({ ...failure, details: { httpCode: 403 } }, { action: 'decrypt', keyId: 'key' })).toMatch(/RBAC/)
  })

  it.each<[TestedKms, RegExp]>([
    [testedTencent, /temporary credentials ran out.*freshCredentials/],
    [testedAws, /temporary credentials ran out.*credential provider/],
    [testedGoogle, /access token ran out.*credentials that renew themselves/],
    [testedAzure, /session has expired.*getToken/],
    [testedVault('vaultKms', 'vault', overHttp), /token has expired.*"login"/],
  ])('are told from policies that refuse, with what to do (%#)', async ({ start }, says) => {
    const subject = await start()
    try {
      const kms = subject.kmsOf({ maxRetries: 1 })
      await (subject as Counterpart).expireCredentials()
      const error = await refusal(() => kms.generate({ key: randomUUID(), purpose: 'encrypt', tenant: 'acme' }))
      expect(error).toMatchObject({ code: 'KMS_DENIED', message: expect.stringMatching(says) })
    } finally {
      await subject.close()
    }
  })
})
