import { LRUCache } from 'lru-cache'
import type { Dek } from './dek.js'
import type { Purpose } from './kms.js'

export interface DekCacheOptions {
  /** How long an unwrapped DEK may be used without asking again, in milliseconds. */
  readonly ttl: number
  /** How many unwrapped DEKs are held at most; the least recently used goes first. */
  readonly max: number
}

/** Unwrapped DEKs in memory, by id and by what is active for a tenant: bounded in number and in time. */
export class DekCache {
  readonly #byId: LRUCache<string, Dek>
  readonly #active: LRUCache<string, string>

  constructor({ ttl, max }: DekCacheOptions) {
    this.#byId = new LRUCache({ ttl, max })
    this.#active = new LRUCache({ ttl, max })
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

  add(dek: Dek): void {
    this.#byId.set(dek.id, dek)
  }

  addActive(dek: Dek): void {
    this.add(dek)
    this.#active.set(slot(dek.tenant, dek.purpose), dek.id)
  }

  clear(): void {
    this.#byId.clear()
    this.#active.clear()
  }
}

function slot(tenant: string, purpose: Purpose): string {
  return `${purpose} ${tenant}`
}
