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
  /** The first minute, when all processes start at once with nothing in memory. */
  readonly start: Figures
  /** The second TTL. */
  readonly steady: Figures
  /** DEKs held at the end, by process. */
  readonly held: number
}

export interface Figures {
  /** Unwraps that were asked for. */
  readonly callsPerSecond: number
  /** The part of the requests that found no DEK in memory. */
  readonly cold: number
  /** How long those of them waited that were answered. */
  readonly coldP50: number
  readonly coldP99: number
  /** The part of the requests that failed, because the KMS had no time for them. */
  readonly failed: number
}

const SECOND = 1000
const MINUTE = 60 * SECOND

/** Something in memory, and when to ask for it again. */
interface Held {
  readonly ready: number
  readonly renewAt: number
}

type Cache = LRUCache<number, Held>

/** What of a stretch of time is counted. */
class Window {
  requests = 0
  failed = 0
  readonly waits: number[] = []

  constructor(
    readonly from: number,
    readonly to: number,
  ) {}

  figures(calls: readonly number[]): Figures {
    const { from, to, requests, failed, waits } = this
    const sorted = Float64Array.from(waits).sort()
    const quantile = (q: number) => sorted[Math.floor(q * (sorted.length - 1))] ?? 0
    const asked = calls.filter((time) => time >= from && time < to).length
    return {
      callsPerSecond: (asked / (to - from)) * SECOND,
      cold: (waits.length + failed) / requests,
      coldP50: quantile(0.5),
      coldP99: quantile(0.99),
      failed: failed / requests,
    }
  }
}

/**
 * Plays requests for two TTLs. The KMS serves in turn, evenly, as many as its quota allows. Who asks
 * for what is on its way waits for the same answer. As in the library, what is used is fetched again behind its users in
 * the last part of its time.
 */
export function simulate(fleet: Fleet, costs: Costs, seed = 1): Outcome {
  const random = generator(seed)
  const draw = zipf(fleet.tenants, fleet.zipf, random)
  const clock = { time: 0, now: () => clock.time }
  const cache = (max: number): Cache => new LRUCache({ max, ttl: fleet.ttl, perf: clock, ttlResolution: 0 })
  const processes = Array.from({ length: fleet.processes }, () => ({
    deks: cache(fleet.max),
    shards: cache(Math.max(1, fleet.shards)),
  }))
  const kms = new Queue(costs)
  const windows = [new Window(0, MINUTE), new Window(fleet.ttl, 2 * fleet.ttl)] as const
  const [start, steady] = windows

  /** When what is wanted is there; never, if the KMS has no time. */
  const get = (held: Cache, key: number, fetch: () => number): number => {
    const known = held.get(key)
    if (known && clock.time < known.renewAt) return known.ready
    const fetched = fetch()
    const ready = known ? Math.min(known.ready, fetched) : fetched
    const renewAt = clock.time + fleet.ttl * (1 - 0.12 - random() * 0.12)
    if (Number.isFinite(fetched)) held.set(key, { ready, renewAt })
    return ready
  }
  const unwrap = (shards: Cache, tenant: number): number => {
    const read = clock.time + costs.tableLatency
    if (fleet.shards === 0) return kms.ask(read)
    const shard = get(shards, tenant % fleet.shards, () => kms.ask(read + costs.tableLatency))
    return Math.max(read, shard) + costs.localUnwrap
  }

  while (clock.time < steady.to) {
    clock.time -= (Math.log(1 - random()) / fleet.requests) * SECOND
    const { deks, shards } = processes[Math.floor(random() * processes.length)]!
    const tenant = draw()
    const ready = get(deks, tenant, () => unwrap(shards, tenant))
    const window = windows.find(({ from, to }) => clock.time >= from && clock.time < to)
    if (!window) continue
    window.requests += 1
    if (!Number.isFinite(ready)) window.failed += 1
    else if (ready > clock.time) window.waits.push(ready - clock.time)
  }
  const held = processes.reduce((sum, { deks }) => sum + deks.size, 0) / fleet.processes
  return { start: start.figures(kms.times), steady: steady.figures(kms.times), held }
}

/** A KMS that answers `quota` calls a second, one after the other. */
class Queue {
  readonly times: number[] = []
  #free = 0

  constructor(private readonly costs: Costs) {}

  /** When the answer is there; never, if that is too late. */
  ask(at: number): number {
    const { quota, kmsLatency, deadline } = this.costs
    this.times.push(at)
    const served = Math.max(at, this.#free)
    if (served - at + kmsLatency > deadline) return Number.POSITIVE_INFINITY
    this.#free = served + SECOND / quota
    return served + kmsLatency
  }
}

/** Draws tenants 0 to `count` − 1, the first most often: by the sums of 1/k^s, searched by halving. */
function zipf(count: number, exponent: number, random: () => number): () => number {
  const sums = new Float64Array(count)
  let sum = 0
  for (let k = 0; k < count; k++) {
    sum += 1 / (k + 1) ** exponent
    sums[k] = sum
  }
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
