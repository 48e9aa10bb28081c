import type { KeyStore } from '../../src/keys/keyStore.js'

/** A keys table that answers in its own way where `changes` says so. */
export function storeWith(store: KeyStore, changes: Partial<KeyStore>): KeyStore {
  return {
    findNewest: (tenant, purpose) => store.findNewest(tenant, purpose),
    findByIds: (ids) => store.findByIds(ids),
    insert: (key, options) => store.insert(key, options),
    reserve: (id, count, limit) => store.reserve(id, count, limit),
    list: (filter, page) => store.list(filter, page),
    count: (filter) => store.count(filter),
    rewrap: (key, to) => store.rewrap(key, to),
    advance: (id, to) => store.advance(id, to),
    merge: (tenant, purpose, plan) => store.merge(tenant, purpose, plan),
    destroy: (tenant, tombstones) => store.destroy(tenant, tombstones),
    ...changes,
  }
}
