import { describe, expect, it } from '@jest/globals'
import { memoryKeyStore } from 'fieldseal/testing'
import { DekCache } from '../../../src/keys/cache/dekCache.js'
import { KeyRing } from '../../../src/keys/keyRing.js'
import type { KeyStore } from '../../../src/keys/keyStore.js'
import type { Kms } from '../../../src/keys/kms.js'
import { warm } from '../../../src/maintenance/keys/warm.js'
import { connect, startEmulator } from './start.js'

function ringOf(kms: Kms, store: KeyStore) {
  return new KeyRing({ kms, store, cache: new DekCache({ ttl: 3_600_000, max: 10_000 }) })
}

describe('a key ring over vaultKms', () => {
  it('is warmed with one request per hundred tenants', async () => {
    const emulator = await startEmulator()
    const store = memoryKeyStore()
    const tenants = Array.from({ length: 500 }, (_, i) => `tenant-${i}`)
    const first = ringOf(connect(emulator), store)
    await Promise.all(tenants.map((tenant) => first.active.get(tenant, 'encrypt')))
    emulator.calls.reset()
    const second = ringOf(connect(emulator), store)
    const report = await warm(second.active, store, tenants, { rate: Number.POSITIVE_INFINITY, concurrency: 1_000 })
    expect(report).toMatchObject({ failed: [] })
    expect(emulator.calls.count('decrypt')).toBeLessThanOrEqual(20)
    emulator.calls.reset()
    await Promise.all(tenants.map((tenant) => second.active.get(tenant, 'encrypt')))
    expect(emulator.calls.count()).toBe(0)
  })

  it('reads many cold tenants at once in one request per hundred, without being told to', async () => {
    const emulator = await startEmulator()
    const store = memoryKeyStore()
    const tenants = Array.from({ length: 300 }, (_, i) => `tenant-${i}`)
    const first = ringOf(connect(emulator), store)
    await Promise.all(tenants.map((tenant) => first.active.get(tenant, 'encrypt')))
    emulator.calls.reset()
    const second = ringOf(connect(emulator), store)
    await Promise.all(tenants.map((tenant) => second.active.get(tenant, 'encrypt')))
    expect(emulator.calls.byAction).toEqual({ 'keys/read': 1, decrypt: 3 })
  })
})
