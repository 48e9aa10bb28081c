import { Agent } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import { writeHeapSnapshot } from 'node:v8'
import { kms } from 'tencentcloud-sdk-nodejs-kms/tencentcloud/services/kms/index.js'
import { randomNonces } from '../../src/crypto/aead.js'
import { currentEngine } from '../../src/crypto/chooseEngine.js'
import { DekCache } from '../../src/keys/cache/dekCache.js'
import { KeyRing } from '../../src/keys/keyRing.js'
import type { StoredKey } from '../../src/keys/keyStore.js'
import { tencentKms } from '../../src/kms/tencent/tencentKms.js'
import { memoryKeyStore } from '../../src/testing/memoryKeyStore.js'
import { secretForms } from './secretForms.js'

/** What the process is told at its start. */
export interface SnapshotOrder {
  readonly endpoint: string
  readonly credential: { readonly secretId: string; readonly secretKey: string }
  readonly keyId: string
  readonly tenants: number
  /** Where the snapshot goes. */
  readonly file: string
  /** Bytes to leak on purpose. */
  readonly leak: readonly number[]
}

/** What it answers when the snapshot is written. */
export interface SnapshotReport {
  readonly rows: readonly StoredKey[]
  readonly cached: number
  readonly engine: string
}

/** What lives as long as an application's client does. */
const kept: unknown[] = []

async function warm({ endpoint, credential, keyId, tenants }: SnapshotOrder): Promise<SnapshotReport> {
  const httpProfile = { protocol: 'http://', endpoint, agent: new Agent({ keepAlive: true }) } as const
  const client = new kms.v20190118.Client({ credential, region: 'ap-guangzhou', profile: { httpProfile } })
  const store = memoryKeyStore()
  const start = () => {
    const cache = new DekCache({ ttl: 600_000, max: 1000 })
    return { cache, ring: new KeyRing({ kms: tencentKms({ client, keyId }), store, cache }) }
  }
  const [maker, reader] = [start(), start()]
  kept.push(client, store, maker, reader)
  for (let i = 0; i < tenants; i++) {
    await maker.ring.active.get(`tenant ${i}`, 'index')
    await use(maker.ring, reader.ring, `tenant ${i}`)
  }
  return { rows: store.rows, cached: maker.cache.size + reader.cache.size, engine: currentEngine().name }
}

async function use(maker: KeyRing, reader: KeyRing, tenant: string): Promise<void> {
  const one = await maker.active.get(tenant, 'encrypt')
  const field = { context: 'User.email', kind: 'String', column: 'String' } as const
  const plaintexts = ['\0Ada']
  const nonces = randomNonces(1)
  const bound = undefined
  const stored = one.values!.encrypt({ places: [one.place(field, false)], bound, plaintexts, nonces })
  const [other] = await reader.loaded.load([one.id], tenant)
  const [opened] = other!.values!.decrypt({ places: [other!.place(field, false)], bound, stored })
  if (opened !== 'Ada') throw new Error('the DEKs of two key rings do not agree')
}

async function collectGarbage(): Promise<void> {
  for (let i = 0; i < 5; i++) {
    await setImmediate()
    globalThis.gc?.()
  }
}

process.once('message', async (order: SnapshotOrder) => {
  kept.push(secretForms(Buffer.from(order.leak)))
  const report = await warm(order)
  await collectGarbage()
  writeHeapSnapshot(order.file)
  process.send!(report)
})
