import { LRUCache } from 'lru-cache'
import { FieldsealError } from '../../errors.js'
import type { Dek } from '../dek.js'
import type { Purpose } from '../kms.js'
import { Freshness } from './freshness.js'

export interface DekCacheOptions {
  /** How long an unwrapped DEK may be held without asking again, in milliseconds: 1 to 2³¹ − 1. */
  readonly ttl: number
  /** How many unwrapped DEKs are held at most; the least recently used goes first. */
  readonly max: number
  /** How much longer one may serve while it cannot be asked for, in milliseconds; 0 unless given. */
  readonly staleFor?: number
  /** Another source of milliseconds that never go back than `performance`. */
  readonly clock?: { now(): number }
}

const PURPOSES: readonly Purpose[] = ['encrypt', 'index', 'wrap']
/** Tenants of whom it is remembered that reads were discarded, for the time that a row takes to become a DEK. */
const DISCARDED = 10_000
const LONGEST_TIMER = 2 ** 31 - 1

/** When the keys table was read, among what became of keys and in time. */
export interface ReadMark {
  readonly count: number
  readonly at: number
}

interface CachedDek {
  readonly dek: Dek
  readonly freshness: Freshness
}

interface CachedActive {
  readonly id: string
  readonly freshness: Freshness
}

/**
 * Unwrapped DEKs in memory, by id and by what is active for a tenant: bounded in number and in time. A DEK is not used
 * once its time is over, and is dropped at most one `ttl` later even if nobody asks for it again.
 *
 * @throws FieldsealError `OPTIONS_INVALID`
 */
export class DekCache {
  /** How often a DEK was looked for and found, and not found. */
  hits = 0
  misses = 0
  readonly #byId: LRUCache<string, CachedDek>
  readonly #active: LRUCache<string, CachedActive>
  readonly #ttl: number
  readonly #staleFor: number
  readonly #clock: { now(): number }
  #sweep: NodeJS.Timeout | undefined
  #mark = 0
  /** The mark up to which the reads of all tenants, and of single ones, are discarded. */
  #discarded = 0
  readonly #discardedOf = new LRUCache<string, number>({ max: DISCARDED })

  constructor({ ttl, max, staleFor = 0, clock }: DekCacheOptions) {
    checkRange('ttl', ttl, 1, LONGEST_TIMER)
    checkRange('max', max, 1, Number.MAX_SAFE_INTEGER)
    checkRange('staleFor', staleFor, 0, Number.MAX_SAFE_INTEGER - LONGEST_TIMER)
    // A resolution would have each read of the cache set a timer.
    const options = { ttl: ttl + staleFor, max, ttlResolution: 0, ...(clock && { perf: clock }) }
    this.#byId = new LRUCache(options)
    this.#active = new LRUCache(options)
    this.#ttl = ttl
    this.#staleFor = staleFor
    this.#clock = clock ?? performance
  }

  /** How many DEKs are held at most. */
  get max(): number {
    return this.#byId.max
  }

  get size(): number {
    return this.#byId.size
  }

  /** All that are held. */
  get deks(): Dek[] {
    return [...this.#byId.values()].map(({ dek }) => dek)
  }

  /** `onDue` is told, once, when it is time to fetch the DEK again while it can still be used. */
  byId(id: string, onDue?: (dek: Dek) => void): Dek | undefined {
    const now = this.#clock.now()
    const held = this.#byId.get(id)
    if (held === undefined || now > held.freshness.freshUntil) {
      this.misses += 1
      return undefined
    }
    this.hits += 1
    if (onDue && now >= held.freshness.renewAt) {
      held.freshness.beginRenewal()
      onDue(held.dek)
    }
    return held.dek
  }

  /** `onDue` is told, once, when it is time to ask again whether the active DEK is this one still. */
  active(tenant: string, purpose: Purpose, onDue?: () => void): Dek | undefined {
    const now = this.#clock.now()
    const active = this.#active.get(activeName(tenant, purpose))
    const held = active && now <= active.freshness.freshUntil ? this.#byId.get(active.id) : undefined
    if (held === undefined || now > held.freshness.freshUntil) {
      this.misses += 1
      return undefined
    }
    this.hits += 1
    if (onDue && now >= active!.freshness.renewAt) {
      active!.freshness.beginRenewal()
      onDue()
    }
    return held.dek
  }

  /** A DEK that cannot be fetched again now, if it may serve on nevertheless. */
  extend(id: string): Dek | undefined {
    const held = this.#byId.get(id)
    return held?.freshness.extend(this.#clock.now()) ? held.dek : undefined
  }

  /** As `extend`, for the active DEK of a tenant. */
  extendActive(tenant: string, purpose: Purpose): Dek | undefined {
    const held = this.#active.get(activeName(tenant, purpose))
    return held?.freshness.extend(this.#clock.now()) ? this.extend(held.id) : undefined
  }

  /** How long a DEK may be held and used, from when the keys table was read, in milliseconds. */
  get memoryTime(): number {
    return this.#ttl + this.#staleFor
  }

  /** A mark for `add`, taken before the keys table is read: what it says is as old as that, however long the KMS takes. */
  readMark(): ReadMark {
    return { count: this.#mark, at: this.#clock.now() }
  }

  /**
   * Not if the tenant's reads were discarded `since`: the row that it was made of may have changed meanwhile.
   *
   * @returns whether it is held
   */
  add(dek: Dek, since = this.readMark()): boolean {
    if (Math.max(this.#discarded, this.#discardedOf.get(dek.tenant) ?? 0) > since.count) return false
    this.#byId.set(dek.id, { dek, freshness: this.#freshness(since.at) })
    this.#sweep ??= setTimeout(() => this.#dropExpired(), this.#ttl).unref()
    return true
  }

  addActive(dek: Dek, since = this.readMark()): void {
    if (!this.add(dek, since)) return
    this.#active.set(activeName(dek.tenant, dek.purpose), { id: dek.id, freshness: this.#freshness(since.at) })
  }

  #freshness(now: number): Freshness {
    return new Freshness({ now, ttl: this.#ttl, staleFor: this.#staleFor })
  }

  /** Drops all DEKs of a tenant, and those of rows that are being read. `false` when there were none. */
  evict(tenant: string): boolean {
    const before = this.size
    this.retire(tenant)
    for (const [id, { dek }] of this.#byId.entries()) if (dek.tenant === tenant) this.#byId.delete(id)
    return this.size < before
  }

  /** Has the active DEKs of a tenant asked for before they are used again. */
  retire(tenant: string): void {
    this.discardReads(tenant)
    for (const purpose of PURPOSES) this.#active.delete(activeName(tenant, purpose))
  }

  /** Holds nothing that is being made of rows read before now: of a tenant, or of all. */
  discardReads(tenant?: string): void {
    this.#mark += 1
    if (tenant === undefined) this.#discarded = this.#mark
    else this.#discardedOf.set(tenant, this.#mark)
  }

  /** Has a tenant's DEKs asked for before they are used again; they may serve on while that cannot be done. */
  doubt(tenant: string): void {
    for (const { dek, freshness } of this.#byId.values()) if (dek.tenant === tenant) freshness.doubt()
    for (const purpose of PURPOSES) this.#active.peek(activeName(tenant, purpose))?.freshness.doubt()
  }

  /** Whether there is an active DEK of a tenant, be it one whose time is over. */
  holdsActive(tenant: string, purpose: Purpose): boolean {
    return this.#active.has(activeName(tenant, purpose))
  }

  /** Has the active DEKs of a tenant asked for at their next use, and behind it. */
  renewSoon(tenant: string): void {
    for (const purpose of PURPOSES) this.#active.peek(activeName(tenant, purpose))?.freshness.renewSoon()
  }

  clear(): void {
    clearTimeout(this.#sweep)
    this.#sweep = undefined
    this.#byId.clear()
    this.#active.clear()
  }

  /** Runs only while there is something to drop, so that an unused cache can be collected. */
  #dropExpired(): void {
    this.#byId.purgeStale()
    this.#active.purgeStale()
    this.#sweep = this.size > 0 ? setTimeout(() => this.#dropExpired(), this.#ttl).unref() : undefined
  }
}

function activeName(tenant: string, purpose: Purpose): string {
  return `${purpose} ${tenant}`
}

function checkRange(name: string, value: number, lowest: number, highest: number): void {
  if (Number.isInteger(value) && value >= lowest && value <= highest) return
  const message = `the key cache's ${name} must be a whole number from ${lowest} to ${highest}`
  throw new FieldsealError('OPTIONS_INVALID', message)
}
