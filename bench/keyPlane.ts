import { hierarchicalKms } from 'fieldseal/hierarchical-kms'
import { localKms } from 'fieldseal/local-kms'
import { startKmsEmulator } from 'fieldseal/testing'
import { DekCache } from '../src/keys/cache/dekCache.js'
import { KeyRing } from '../src/keys/keyRing.js'
import type { Kms } from '../src/keys/kms.js'
import { warm } from '../src/maintenance/keys/warm.js'
import { emulatedKms } from '../test/support/clinic.js'
import { mapKeyStore } from './mapKeyStore.js'

/* What the key plane asks of the KMS and the keys table, and what it costs when it asks nobody. */

const local = () => localKms({ key: 'ab'.repeat(32) })
const ringOf = (kms: Kms, store = mapKeyStore(), max = 200_000) => {
  const cache = new DekCache({ ttl: 3_600_000, max })
  return { cache, store, ring: new KeyRing({ kms, store, cache }) }
}
const seconds = async (work: () => Promise<unknown>) => {
  const start = performance.now()
  await work()
  return (performance.now() - start) / 1000
}
const names = (count: number) => Array.from({ length: count }, (_, i) => `tenant-${i}`)

async function coldReads(): Promise<void> {
  const emulator = await startKmsEmulator()
  const { ring, store } = ringOf(emulatedKms(emulator))
  const { id } = await ring.active.get('acme', 'encrypt')
  emulator.calls.reset()
  const cold = ringOf(emulatedKms(emulator), store).ring
  await Promise.all(Array.from({ length: 10_000 }, () => cold.loaded.load([id], 'acme')))
  console.log(`10,000 concurrent cold reads of one tenant: ${emulator.calls.count()} KMS call`)
  await emulator.close()
}

async function throttledWarm(): Promise<void> {
  const emulator = await startKmsEmulator({ limits: { Decrypt: 300 } })
  const tenants = names(10_000)
  const { ring, store } = ringOf(emulatedKms(emulator))
  for (let i = 0; i < tenants.length; i += 100) {
    await Promise.all(tenants.slice(i, i + 100).map((tenant) => ring.active.get(tenant, 'encrypt')))
  }
  emulator.calls.reset()
  const cold = ringOf(emulatedKms(emulator), store)
  const before = process.memoryUsage().rss
  const time = await seconds(() => warm(cold.ring.active, store, tenants))
  const megabytes = (process.memoryUsage().rss - before) / 2 ** 20
  console.log(
    `10,000 tenants warmed at 300 calls a second: ${time.toFixed(1)} s, ${emulator.calls.count()} KMS calls, ` +
      `${cold.cache.size} DEKs held, ${emulator.calls.maxInFlight} calls in flight at most, ${megabytes.toFixed(0)} MB more`,
  )
  await emulator.close()
}

async function hierarchy(): Promise<void> {
  const calls = { generate: 0, unwrap: 0 }
  const kms = local()
  const inner: Kms = {
    ...kms,
    generate: (identity) => {
      calls.generate += 1
      return kms.generate(identity)
    },
    unwrap: (wrapped, identity) => {
      calls.unwrap += 1
      return kms.unwrap(wrapped, identity)
    },
  }
  const store = mapKeyStore()
  const open = () => ringOf(hierarchicalKms({ kms: inner })(store), store)
  const tenants = names(100_000)
  const first = open().ring
  for (const tenant of tenants) await first.active.get(tenant, 'encrypt')
  calls.unwrap = 0
  const cold = open().ring
  const time = await seconds(async () => {
    for (const tenant of tenants) await cold.active.get(tenant, 'encrypt')
  })
  const each = ((time / tenants.length) * 1e6).toFixed(0)
  console.log(`100,000 tenants cold under 32 intermediate keys: ${calls.unwrap} KMS calls, ${each} µs each`)
}

async function warmPath(): Promise<void> {
  const { ring, store } = ringOf(local(), mapKeyStore(), 10_000)
  const tenants = names(1_000)
  const ids = await Promise.all(tenants.map(async (tenant) => (await ring.active.get(tenant, 'encrypt')).id))
  const rounds = 1_000
  const time = (use: (i: number) => unknown) => {
    // Time of the processor: on a machine with others, a clock would count theirs too.
    const start = process.cpuUsage()
    for (let round = 0; round < rounds; round += 1) for (let i = 0; i < tenants.length; i += 1) use(i)
    return (process.cpuUsage(start).user * 1000) / (rounds * tenants.length)
  }
  for (const [name, use] of Object.entries({
    'a read (DEK by id)': (i: number) => ring.loaded.cached(ids[i]!),
    'a write (the right to encrypt 6 values)': (i: number) => ring.active.take(tenants[i]!, 6),
    'an index key': (i: number) => ring.active.cached(tenants[i]!, 'encrypt'),
  })) {
    time(use)
    console.log(`warm key resolution, ${name}: ${time(use).toFixed(0)} ns`)
  }
  const one = ringOf(local())
  await one.ring.active.prepare('acme', 'encrypt')
  const millions = 64
  for (let left = millions * 2 ** 20; left > 0; left -= 6_000) {
    if (!one.ring.active.take('acme', 6_000)) await one.ring.active.allot('acme', 6_000)
    if (left % 10 < 1) await new Promise(setImmediate)
  }
  const { reserves } = one.store.queries
  console.log(
    `${millions} × 2^20 messages: ${reserves} reservations; keys table read ${store.queries.reads} times in all`,
  )
}

await coldReads()
await hierarchy()
await warmPath()
await throttledWarm()
