import { randomBytes, randomUUID } from 'node:crypto'
import { PrismaPg } from '@prisma/adapter-pg'
import { kms as sdk } from 'tencentcloud-sdk-nodejs-kms/tencentcloud/services/kms/index.js'
import { PrismaClient } from '../generated/bench/prisma/client.js'
import { startEmbeddedPostgres } from '../scripts/lib/embeddedPostgres.js'
import { applySchema } from '../scripts/lib/schemaEngine.js'
import { DekCache } from '../src/keys/cache/dekCache.js'
import { KeyRing } from '../src/keys/keyRing.js'
import type { DekIdentity } from '../src/keys/kms.js'
import { hierarchicalKms } from '../src/kms/hierarchical/hierarchicalKms.js'
import { localKms } from '../src/kms/localKms.js'
import { tencentKms } from '../src/kms/tencent/tencentKms.js'
import { prismaKeyStore } from '../src/prisma/keyStore.js'
import { ANY_TENANT } from '../src/tenancy/scope.js'
import { memoryKeyStore } from '../src/testing/memoryKeyStore.js'
import { startKmsEmulator } from '../src/testing/tencent/kmsEmulator.js'
import { type Costs, type Figures, type Fleet, simulate } from './scaleModel.js'

/*
 * How many calls of the KMS many tenants cost, with and without intermediate keys: first 100,000 tenants on PostgreSQL and
 * the emulated KMS, throttled as the real one; then fleets in a model. `tsx bench/scale.ts [run] [model]`; run it with
 * --expose-gc. docs/scale.md shows what it printed.
 */

const TENANTS = 100_000
const PAGE = 500
const QUOTAS = { Decrypt: 300, GenerateDataKey: 100 }

async function run(): Promise<void> {
  const server = process.env.TEST_DATABASE_URL ? undefined : await startEmbeddedPostgres()
  const url = process.env.TEST_DATABASE_URL ?? server!.url
  await applySchema(url, 'bench/schema.prisma')
  const emulator = await startKmsEmulator({ limits: QUOTAS })
  const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: url, max: 5 }) })
  await prisma.encryptionKey.deleteMany()
  const store = prismaKeyStore(prisma, 'EncryptionKey')
  const client = new sdk.v20190118.Client(emulator.clientConfig())
  const open = () => hierarchicalKms({ kms: tencentKms({ client, keyId: emulator.keyId }) })(store)

  const maker = open()
  const ids: string[] = []
  const making = performance.now()
  for (let i = 0; i < TENANTS; i += PAGE) {
    const rows = await Promise.all(
      Array.from({ length: PAGE }, async (_, j) => {
        const identity: DekIdentity = { key: randomUUID(), purpose: 'encrypt', tenant: `tenant-${i + j}` }
        const { dek, ...wrapped } = await maker.generate(identity)
        dek.fill(0)
        const { key: id, ...rest } = identity
        return { id, ...rest, version: 1, state: 'active', kms: maker.name, messages: 0n, ...wrapped }
      }),
    )
    await prisma.encryptionKey.createMany({ data: rows })
    ids.push(...rows.map(({ id }) => id))
  }
  tell(`${TENANTS} new tenants: KMS calls ${calls(emulator.calls.byAction)}, ${seconds(making)}`)

  emulator.calls.reset()
  const before = settled()
  const ring = new KeyRing({ kms: open(), store, cache: new DekCache({ ttl: 3_600_000, max: TENANTS }) })
  const reading = performance.now()
  for (let i = 0; i < TENANTS; i += PAGE) await ring.loaded.load(ids.slice(i, i + PAGE), ANY_TENANT)
  const time = seconds(reading)
  const memory = Math.round((settled().rss - before.rss) / TENANTS)
  tell(
    `${TENANTS} tenants cold, ${PAGE} to a query: KMS calls ${calls(emulator.calls.byAction)}, ${time}, ` +
      `${memory} bytes resident per tenant held; by the KMS alone at least ${Math.round(TENANTS / QUOTAS.Decrypt)} s`,
  )
  await prisma.encryptionKey.deleteMany()
  await prisma.$disconnect()
  await emulator.close()
  await server?.stop()
}

/** Milliseconds to unwrap one DEK under an intermediate key that is in memory. */
async function localUnwrap(): Promise<number> {
  const kms = hierarchicalKms({ kms: localKms({ key: randomBytes(32).toString('hex') }) })(memoryKeyStore())
  const identity: DekIdentity = { key: randomUUID(), purpose: 'encrypt', tenant: 'acme' }
  const wrapped = await kms.generate(identity)
  const times: number[] = []
  for (let i = 0; i < 5_000; i++) {
    const begun = performance.now()
    await kms.unwrap(wrapped, identity)
    times.push(performance.now() - begun)
  }
  return times.sort((a, b) => a - b)[times.length / 2]!
}

const MINUTES = 60_000
const MILLION: Fleet = {
  tenants: 1_000_000,
  processes: 100,
  requests: 5_000,
  zipf: 1,
  ttl: 5 * MINUTES,
  max: 10_000,
  shards: 8,
}
const FLEETS: readonly Fleet[] = [
  { ...MILLION, tenants: 10_000, processes: 10, requests: 500 },
  { ...MILLION, tenants: 100_000, processes: 10, requests: 500 },
  { ...MILLION, tenants: 100_000 },
  MILLION,
  { ...MILLION, shards: 32 },
  { ...MILLION, zipf: 0 },
  { ...MILLION, max: 1_000 },
  { ...MILLION, ttl: 60 * MINUTES, processes: 20, requests: 1_000 },
]

/** Resident bytes per DEK held, as bench/deks.ts measures them. */
const DEK_BYTES = 3_100

async function model(): Promise<void> {
  const costs: Costs = {
    quota: QUOTAS.Decrypt,
    kmsLatency: 20,
    tableLatency: 2,
    localUnwrap: await localUnwrap(),
    deadline: 10_000,
  }
  tell(`model: ${JSON.stringify(costs)}`)
  tell('| fleet | | KMS calls a second | cold | p50 | p99 | failed | first minute: calls | p99 | failed | memory |')
  tell('|---|---|---|---|---|---|---|---|---|---|---|')
  for (const fleet of FLEETS) {
    for (const shards of fleet.shards === MILLION.shards ? [0, fleet.shards] : [fleet.shards]) {
      const { start, steady, held } = simulate({ ...fleet, shards }, costs)
      const first = [count(start.callsPerSecond), milliseconds(start.coldP99), percent(start.failed)]
      const cells = [nameOf(fleet), shards === 0 ? 'flat' : `${shards} shards`, ...row(steady), ...first]
      tell(`| ${[...cells, `${Math.round((held * DEK_BYTES) / 1e6)} MB`].join(' | ')} |`)
    }
  }
}

function nameOf({ tenants, processes, requests, zipf, ttl, max }: Fleet): string {
  const rest = [`${requests}/s`, `s = ${zipf}`, `TTL ${ttl / MINUTES} min`, `max ${max}`]
  return [`${tenants} tenants`, `${processes} processes`, ...rest].join(', ')
}

function row({ callsPerSecond, cold, coldP50, coldP99, failed }: Figures): string[] {
  return [count(callsPerSecond), percent(cold), milliseconds(coldP50), milliseconds(coldP99), percent(failed)]
}

const tell = (line: string) => console.log(line)
const count = (value: number) => value.toFixed(value < 100 ? 1 : 0)
const percent = (part: number) => `${(100 * part).toFixed(1)} %`
const milliseconds = (value: number) => `${value.toFixed(value < 100 ? 1 : 0)} ms`
const seconds = (since: number) => `${((performance.now() - since) / 1000).toFixed(1)} s`
const calls = (byAction: object) => JSON.stringify(byAction)

function settled(): NodeJS.MemoryUsage {
  globalThis.gc?.()
  globalThis.gc?.()
  return process.memoryUsage()
}

const wanted = process.argv.slice(2)
if (wanted.length === 0 || wanted.includes('run')) await run()
if (wanted.length === 0 || wanted.includes('model')) await model()
