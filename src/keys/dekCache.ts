import { LRUCache } from 'lru-cache'
import { FieldsealError } from '../errors.js'
import type { Dek } from './dek.js'
import type { Purpose } from './kms.js'

export interface DekCacheOptions {
  /** How long an unwrapped DEK may be held without asking again, in milliseconds: 1 to 2³¹ − 1. */
  readonly ttl: number
  /** How many unwrapped DEKs are held at most; the least recently used goes first. */
  readonly max: number
  /** Another source of milliseconds that never go back than `performance`. */
  readonly clock?: { now(): number }
}

const PURPOSES: readonly Purpose[] = ['encrypt', 'index', 'wrap']
/** Tenants whose last eviction is remembered, for the time that a row takes to become a DEK. */
const EVICTIONS = 10_000
const LONGEST_TIMER = 2 ** 31 - 1
/** The part of its time in which a DEK that is used is fetched again. */
const AGING = 0.2

/**
 * Unwrapped DEKs in memory, by id and by what is active for a tenant: bounded in number and in time. A DEK is not used
 * once its time is over, and is dropped at most one `ttl` later even if nobody asks for it again.
 *
 * @throws FieldsealError `OPTIONS_INVALID`
 */
export class DekCache {
  readonly #byId: LRUCache<string, Dek>
  readonly #active: LRUCache<string, string>
  readonly #ttl: number
  #sweep: NodeJS.Timeout | undefined
  #evictions = 0
  readonly #evicted: LRUCache<string, number>

  constructor({ ttl, max, clock }: DekCacheOptions) {
    checkRange('ttl', ttl, LONGEST_TIMER)
    checkRange('max', max, Number.MAX_SAFE_INTEGER)
    const options = { ttl, max, ...(clock && { perf: clock, ttlResolution: 0 }) }
    this.#byId = new LRUCache(options)
    this.#active = new LRUCache(options)
    this.#evicted = new LRUCache({ max: EVICTIONS })
    this.#ttl = ttl
  }

  /** How many DEKs are held at most. */
  get max(): number {
    return this.#byId.max
  }

  get size(): number {
    return this.#byId.size
  }

  byId(id: string): Dek | undefined {
    return this.#byId.get(id)
  }

  active(tenant: string, purpose: Purpose): Dek | undefined {
    const id = this.#active.get(slot(tenant, purpose))
    return id === undefined ? undefined : this.#byId.get(id)
  }

  /** Whether the time of a DEK is nearly over: then it can still be used while it is fetched again. */
  ages(id: string): boolean {
    return this.#byId.getRemainingTTL(id) < this.#ttl * AGING
  }

  /** Whether the time is nearly over for which this DEK is known to be the active one. */
  activeAges(tenant: string, purpose: Purpose): boolean {
    return this.#active.getRemainingTTL(slot(tenant, purpose)) < this.#ttl * AGING
  }

  /** A mark for `add`, taken before the keys table is read. */
  now(): number {
    return this.#evictions
  }

  /** Not if the tenant's DEKs were evicted `since`: then the row that it was made of may have been destroyed. */
  add(dek: Dek, since = this.#evictions): void {
    if ((this.#evicted.get(dek.tenant) ?? 0) > since) return
    this.#byId.set(dek.id, dek)
    this.#sweep ??= setTimeout(() => this.#dropExpired(), this.#ttl).unref()
  }

  addActive(dek: Dek, since?: number): void {
    this.add(dek, since)
    if (this.#byId.has(dek.id)) this.#active.set(slot(dek.tenant, dek.purpose), dek.id)
  }

  /** Drops all DEKs of a tenant, and those of rows that are being read. */
  evict(tenant: string): void {
    this.retire(tenant)
    for (const [id, dek] of this.#byId.entries()) if (dek.tenant === tenant) this.#byId.delete(id)
  }

  /** Has the active DEKs of a tenant asked for anew. */
  retire(tenant: string): void {
    this.#evictions += 1
    this.#evicted.set(tenant, this.#evictions)
    for (const purpose of PURPOSES) this.#active.delete(slot(tenant, purpose))
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

function slot(tenant: string, purpose: Purpose): string {
  return `${purpose} ${tenant}`
}

function checkRange(name: string, value: number, highest: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= highest) return
  throw new FieldsealError('OPTIONS_INVALID', `the key cache's ${name} must be a whole number from 1 to ${highest}`)
}
