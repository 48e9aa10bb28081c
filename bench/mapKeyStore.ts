import type { KeyStore, NewKey, StoredKey } from '../src/keys/keyStore.js'

/** A keys table for very many rows, in memory, that does what key rings ask for and counts its queries. */
export function mapKeyStore(): KeyStore & { readonly queries: { reads: number; inserts: number; reserves: number } } {
  const rows = new Map<string, StoredKey>()
  const newest = new Map<string, StoredKey>()
  const queries = { reads: 0, inserts: 0, reserves: 0 }
  const slot = ({ tenant, purpose }: Pick<NewKey, 'tenant' | 'purpose'>) => `${purpose} ${tenant}`
  const unused = () => Promise.reject(new Error('no part of this benchmark'))
  return {
    queries,
    findNewest: async (tenant, purpose) => {
      queries.reads += 1
      return newest.get(slot({ tenant, purpose })) ?? null
    },
    findByIds: async (ids) => {
      queries.reads += 1
      return ids.flatMap((id) => rows.get(id) ?? [])
    },
    insert: async (key) => {
      queries.inserts += 1
      const last = newest.get(slot(key))
      if (last && last.version >= key.version) return false
      const row = { ...key, createdAt: new Date(), destroyedAt: null }
      rows.set(key.id, row)
      newest.set(slot(key), row)
      return true
    },
    reserve: async (_, count) => {
      queries.reserves += 1
      return count
    },
    list: async ({ tenants = [], purpose }, { after = '', limit }) => {
      queries.reads += 1
      const found = tenants.flatMap((tenant) => newest.get(slot({ tenant, purpose: purpose! })) ?? [])
      const later = found.filter(({ id }) => id > after).sort((a, b) => (a.id < b.id ? -1 : 1))
      return later.slice(0, limit)
    },
    count: async ({ tenants = [] }) => tenants.length,
    rewrap: unused,
    advance: unused,
    merge: unused,
    destroy: unused,
  }
}
