import { randomUUID } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import type { Kms } from '../../src/keys/kms.js'
import type { Counterpart } from '../../src/testing/index.js'
import { testedAws } from './aws/tested.js'
import { testedAzure } from './azure/tested.js'
import { testedGoogle } from './google/tested.js'
import { testedTencent } from './tested.js'
import { overHttp, testedVault } from './vault/tested.js'

const LATE = 2_500
const setting = { concurrency: 8, timeout: 20_000, attemptTimeout: 20_000, maxRetries: 0 }

const made = (kms: Kms, tenant: string) => kms.generate({ key: randomUUID(), purpose: 'encrypt', tenant })

describe('a KEK that hangs', () => {
  it.each([testedTencent, testedAws, testedGoogle, testedAzure, testedVault('vaultKms', 'vault', overHttp)])(
    'leaves places for those of other tenants ($name)',
    async ({ start }) => {
      const subject = await start()
      try {
        const counterpart = subject as Counterpart
        const [own, customers] = subject.keyIds
        const kms = subject.kmsOf({ ...setting, keyId: (tenant) => (tenant === 'customer' ? customers : own) })
        for (const tenant of ['acme', 'customer']) await made(kms, tenant)
        await counterpart.slow(LATE)
        let answered = 0
        const hanging = Array.from({ length: 20 }, async () => {
          await made(kms, 'customer')
          answered += 1
        })
        await new Promise((resolve) => setTimeout(resolve, 300))
        await counterpart.clear()
        for (let i = 0; i < 5; i += 1) await made(kms, 'acme')
        expect(answered).toBe(0)
        await Promise.all(hanging)
        expect(counterpart.calls().maxInFlight).toBeLessThanOrEqual(setting.concurrency)
      } finally {
        await subject.close()
      }
    },
  )
})
