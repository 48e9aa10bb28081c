import { LRUCache } from 'lru-cache'

/** Times in milliseconds, rates per second. */
export interface Fleet {
  readonly tenants: number
  readonly processes: number
  /** Requests to all processes together, each of one tenant, by a process at random. */
  readonly requests: number
  /** The exponent of Zipf's law; 0 for tenants that are used alike. */
  readonly zipf: number
  readonly ttl: number
  /** DEKs that a process holds at most. */
  readonly max: number
  /** Intermediate keys; 0 for DEKs that the KMS wraps itself. */
  readonly shards: number
}

/** What calls take, and what the KMS allows. */
export interface Costs {
  readonly quota: number
  readonly kmsLatency: number
  readonly tableLatency: number
  readonly localUnwrap: number
  /** When a call of the KMS is given up. */
  readonly deadline: number
}

export interface Outcome {
  /** Unwraps that were asked for. */
  readonly callsPerSecond: number
  /** The part of the requests that found no DEK in memory. */
  readonly cold: number
  readonly coldP50: number
  readonly coldP99: number
  /** The part of the requests that failed, because the KMS had no time for them. */
  readonly failed: number
  /** DEKs held at the end, by process. */
  readonly held: number
}

const SECOND = 1000

/**
 * Plays the requests of `seconds`, after as long as a TTL (or ten minutes, if that is less) for the caches to fill. The
 * KMS serves in turn, evenly, as many as its quota allows; who asks for what is being asked for waits for the same answer.
 */
export function simulate(fleet: Fleet, costs: Costs, seconds: number, seed = 1): Outcome {
  const random = generator(seed)
  const draw = zipf(fleet.tenants, fleet.zipf, random)
  const clock = { time: 0, now: () => clock.time }
  const cache = (max: number) => new LRUCache<number, number>({ max, ttl: fleet.ttl, perf: clock, ttlResolution: 0 })
  const processes = Array.from({ length: fleet.processes }, () => ({
    deks: cache(fleet.max),
    shards: cache(Math.max(1, fleet.shards)),
  }))
  const kms = queue(costs)
  const begin = Math.min(fleet.ttl, 600_000)
  const end = begin + seconds * SECOND
  const waits: number[] = []
  let [requests, failed] = [0, 0]
  while (clock.time < end) {
    clock.time -= (Math.log(1 - random()) / fleet.requests) * SECOND
    const { deks, shards } = processes[Math.floor(random() * processes.length)]!
    const tenant = draw()
    const measured = clock.time >= begin
    let ready = deks.get(tenant)
    if (ready === undefined) {
      ready = fleet.shards > 0 ? viaShard(shards, tenant % fleet.shards) : kms.ask(clock.time + costs.tableLatency)
      if (Number.isFinite(ready)) deks.set(tenant, ready)
    }
    if (!measured) continue
    requests += 1
    if (!Number.isFinite(ready)) failed += 1
    else if (ready > clock.time) waits.push(ready - clock.time)
  }
  const sorted = Float64Array.from(waits).sort()
  const quantile = (q: number) => sorted[Math.floor(q * (sorted.length - 1))] ?? 0
  return {
    callsPerSecond: kms.asked(begin) / seconds,
    cold: (waits.length + failed) / requests,
    coldP50: quantile(0.5),
    coldP99: quantile(0.99),
    failed: failed / requests,
    held: processes.reduce((sum, { deks }) => sum + deks.size, 0) / fleet.processes,
  }

  function viaShard(shards: LRUCache<number, number>, shard: number): number {
    const start = clock.time + costs.tableLatency
    const known = shards.get(shard)
    const key = known ?? kms.ask(start + costs.tableLatency)
    if (known === undefined && Number.isFinite(key)) shards.set(shard, key)
    return Math.max(start, key) + costs.localUnwrap
  }
}

/** A KMS that answers `quota` calls a second, one after the other. */
function queue({ quota, kmsLatency, deadline }: Costs) {
  const times: number[] = []
  let free = 0
  return {
    /** When the answer is there; never, if that is too late. */
    ask(at: number): number {
      times.push(at)
      const served = Math.max(at, free)
      if (served - at + kmsLatency > deadline) return Number.POSITIVE_INFINITY
      free = served + SECOND / quota
      return served + kmsLatency
    },
    asked: (since: number) => times.filter((time) => time >= since).length,
  }
}

/** Draws tenants 0 to `count` − 1, the first most often: by the sums of 1/k^s, searched by halving. */
function zipf(count: number, exponent: number, random: () => number): () => number {
  const sums = new Float64Array(count)
  let sum = 0
  for (let k = 0; k < count; k++) sums[k] = sum += 1 / (k + 1) ** exponent
  return () => {
    const wanted = random() * sum
    let [low, high] = [0, count - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if (sums[middle]! < wanted) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** Mulberry32: the same figures on every machine. */
function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
