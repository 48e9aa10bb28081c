import { randomUUID } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { kms as sdk } from 'tencentcloud-sdk-nodejs-kms/tencentcloud/services/kms/index.js'
import { DekCache } from '../../src/keys/cache/dekCache.js'
import { KeyRing } from '../../src/keys/keyRing.js'
import type { KeyStore, StoredKey } from '../../src/keys/keyStore.js'
import type { DekIdentity } from '../../src/keys/kms.js'
import { hierarchicalKms } from '../../src/kms/hierarchical/hierarchicalKms.js'
import { tencentKms } from '../../src/kms/tencent/tencentKms.js'
import { ANY_TENANT } from '../../src/tenancy/scope.js'
import { memoryKeyStore } from '../../src/testing/memoryKeyStore.js'
import { startKmsEmulator } from '../../src/testing/tencent/kmsEmulator.js'
import { onTestFinished } from '../support/onTestFinished.js'

/* bench/scale.ts does the same with 100,000 tenants, on PostgreSQL. */
const TENANTS = 10_000
const PROCESSES = 4

describe('10,000 tenants, with a KMS that is throttled as the real one', () => {
  it('come and are read cold by four processes with 8 calls each', async () => {
    const emulator = await startKmsEmulator({ limits: { Decrypt: 300, GenerateDataKey: 100 } })
    onTestFinished(() => emulator.close())
    const client = new sdk.v20190118.Client(emulator.clientConfig())
    /** One thread does the work of all processes, and the KMS's. */
    const patient = { timeout: 60_000, attemptTimeout: 60_000 }
    const open = (store: KeyStore) =>
      hierarchicalKms({ kms: tencentKms({ client, keyId: emulator.keyId, ...patient }) })(store)

    const made = memoryKeyStore()
    const maker = open(made)
    const deks = await Promise.all(Array.from({ length: TENANTS }, (_, i) => newRow(maker, `tenant-${i}`)))
    expect(emulator.calls.byAction).toEqual({ GenerateDataKey: 8 })

    const store = memoryKeyStore([...made.rows, ...deks])
    emulator.calls.reset()
    const rings = Array.from({ length: PROCESSES }, () => {
      const cache = new DekCache({ ttl: 600_000, max: TENANTS })
      return { cache, ring: new KeyRing({ kms: open(store), store, cache }) }
    })
    const pages = Array.from({ length: 20 }, (_, i) => deks.slice(i * 500, (i + 1) * 500).map(({ id }) => id))
    await Promise.all(rings.map(({ ring }) => Promise.all(pages.map((page) => ring.loaded.load(page, ANY_TENANT)))))
    expect(rings.map(({ cache }) => cache.size)).toEqual(rings.map(() => TENANTS))
    expect(emulator.calls.byAction).toEqual({ Decrypt: 8 * PROCESSES })
    expect(emulator.calls.log.filter(({ result }) => result !== 'ok')).toEqual([])
    expect(emulator.calls.count()).toBeLessThanOrEqual(64)
  }, 60_000)
})

async function newRow(kms: ReturnType<ReturnType<typeof hierarchicalKms>>, tenant: string): Promise<StoredKey> {
  const identity: DekIdentity = { key: randomUUID(), purpose: 'encrypt', tenant }
  const { dek, wrapped, kekId } = await kms.generate(identity)
  dek.fill(0)
  const rest = { version: 1, state: 'active', messages: 0, createdAt: new Date(), destroyedAt: null } as const
  return { id: identity.key, purpose: 'encrypt', tenant, wrapped, kekId, kms: kms.name, ...rest }
}
