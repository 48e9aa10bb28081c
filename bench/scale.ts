import { LRUCache } from 'lru-cache'

/* Simulation: tenants by Zipf, processes with a cache each, and what they ask of a KMS with a quota, flat and with a
   hierarchy of keys. No cryptography: it counts. */

interface Fleet {
  readonly tenants: number
  readonly processes: number
  /** Operations per second in each process. */
  readonly rate: number
  /** Seconds. */
  readonly ttl: number
  /** DEKs held at most in each process. */
  readonly max: number
}

const ZIPF = 1
const SHARDS = 32
/** KMS calls per second, the lowest tier of Tencent. */
const QUOTA = 300
/** Bytes of resident memory per DEK: bench/deks.ts. */
const PER_DEK = 3_100
/** Seconds for a KMS call, and for a row of the keys table with a local unwrapping. */
const [CALL, LOCAL] = [0.03, 0.002]
/** Refresh-ahead: the part of its time in which a DEK that is used is fetched again. */
const AHEAD = 0.18

let seed = 42
/** Mulberry32: the same run each time. */
function random(): number {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
}

function zipf(tenants: number): () => number {
  const sums = new Float64Array(tenants)
  let sum = 0
  for (let i = 0; i < tenants; i += 1) {
    sum += 1 / (i + 1) ** ZIPF
    sums[i] = sum
  }
  return () => {
    const wanted = random() * sum
    let [low, high] = [0, tenants - 1]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (sums[middle]! < wanted) low = middle + 1
      else high = middle
    }
    return low
  }
}

interface Outcome {
  /** Calls per second of the whole fleet, in the second half of the run. */
  readonly calls: number
  /** In the first minute after all processes started. */
  readonly start: number
  readonly held: number
  /** The part of operations that had to wait for a key. */
  readonly waits: number
}

/** One process stands for all: they are alike, and share nothing but the quota. */
function simulate({ tenants, processes, rate, ttl, max }: Fleet): Outcome {
  let now = 1
  const cache = new LRUCache<number, number>({ max, ttl: ttl * 1000, perf: { now: () => now }, ttlResolution: 0 })
  const pick = zipf(tenants)
  const length = Math.max(600, ttl * 2)
  let [start, calls, waits, operations] = [0, 0, 0, 0]
  for (let second = 0; second < length; second += 1) {
    for (let i = 0; i < rate; i += 1) {
      now = 1 + (second + i / rate) * 1000
      const tenant = pick()
      const due = cache.get(tenant)
      const late = second >= length / 2
      if (late) operations += 1
      if (due !== undefined && now < due) continue
      if (late) calls += 1
      if (second < 60) start += 1
      if (late && due === undefined) waits += 1
      cache.set(tenant, now + ttl * 1000 * (1 - AHEAD))
    }
  }
  const perSecond = processes / (length / 2)
  return { calls: calls * perSecond, start: (start * processes) / 60, held: cache.size, waits: waits / operations }
}

/** The 99th percentile of the wait for a key that is not in memory: a queue before a server of that quota. */
function coldP99(offered: number): string {
  if (offered >= QUOTA) return `never: ${(offered / QUOTA).toFixed(1)} times the quota`
  const times: number[] = []
  let [arrival, free] = [0, 0]
  for (let i = 0; i < 100_000; i += 1) {
    arrival += -Math.log(1 - random()) / offered
    const begin = Math.max(arrival, free)
    free = begin + 1 / QUOTA
    times.push(begin - arrival + CALL)
  }
  times.sort((a, b) => a - b)
  return `${(times[99_000]! * 1000).toFixed(0)} ms`
}

const fleets: readonly Fleet[] = [
  { tenants: 10_000, processes: 10, rate: 200, ttl: 300, max: 10_000 },
  { tenants: 100_000, processes: 10, rate: 200, ttl: 300, max: 10_000 },
  { tenants: 100_000, processes: 100, rate: 200, ttl: 300, max: 10_000 },
  { tenants: 1_000_000, processes: 100, rate: 200, ttl: 300, max: 10_000 },
  { tenants: 1_000_000, processes: 100, rate: 200, ttl: 300, max: 100_000 },
  { tenants: 1_000_000, processes: 100, rate: 200, ttl: 3_600, max: 100_000 },
]

console.log(
  '| tenants | processes | TTL | cache | KMS calls/s, flat | in the first minute | cold p99, flat |' +
    ' KMS calls/s, hierarchy | cold p99, hierarchy | waits | memory per process |',
)
console.log('|---|---|---|---|---|---|---|---|---|---|---|')
for (const fleet of fleets) {
  const { calls, start, held, waits } = simulate(fleet)
  const { tenants, processes, ttl, max } = fleet
  const hierarchy = (SHARDS * processes) / (ttl * (1 - AHEAD))
  const cells = [
    tenants.toLocaleString('en'),
    processes,
    `${ttl / 60} min`,
    max.toLocaleString('en'),
    calls.toFixed(0),
    start.toFixed(0),
    coldP99(calls),
    hierarchy.toFixed(1),
    `${LOCAL * 1000} ms`,
    `${(waits * 100).toFixed(1)} %`,
    `${((held * PER_DEK) / 2 ** 20).toFixed(0)} MB`,
  ]
  console.log(`| ${cells.join(' | ')} |`)
}
