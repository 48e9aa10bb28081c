/** What processes that share a keys table tell each other. */
export type KeyNotification =
  /** A tenant has a new active DEK; the one before may serve until it is fetched. */
  | { readonly kind: 'rotated'; readonly tenant: string; readonly by?: string }
  /** A tenant's active DEK must not encrypt any more. */
  | { readonly kind: 'retired'; readonly tenant: string }
  /** A tenant's keys were destroyed: drop them if that is so, and answer `id`. */
  | { readonly kind: 'destroyed'; readonly tenant: string; readonly id: string }
  /** A process has dropped them. */
  | { readonly kind: 'dropped'; readonly id: string; readonly process: string }

/** Holds keys of tenants in memory, and is told what became of them. */
export interface KeyHolder {
  /** The active one has a successor. */
  renewSoon(tenant: string): void
  /**
   * Something may have become of a tenant's keys, or of anyone's. The keys table knows what: others may say so who have
   * no part in it. Rejects when it cannot be asked.
   */
  recheck(tenant?: string): Promise<void>
}

/** Several as one; `undefined` for none. */
export function combinedHolder(holders: readonly (KeyHolder | undefined)[]): KeyHolder | undefined {
  const all = holders.filter((holder) => holder !== undefined)
  if (all.length < 2) return all[0]
  return {
    renewSoon: (tenant) => {
      for (const holder of all) holder.renewSoon(tenant)
    },
    recheck: async (tenant) => void (await Promise.all(all.map((holder) => holder.recheck(tenant)))),
  }
}

/** Brings notifications to other processes, and theirs here. */
export interface NotificationChannel {
  /** Resolves when it is sent. */
  send(notification: KeyNotification): Promise<void>
  close(): Promise<void>
}

/** Who receives notifications. */
export interface NotificationListener {
  readonly onNotification: (notification: KeyNotification) => void
  /** Something may have been missed; rejects when it must be asked for again. */
  readonly onGap: () => Promise<void>
}

/** The notification in a message; `undefined` for what is none, or of another version. */
export function parseNotification(text: string | undefined): KeyNotification | undefined {
  const { kind, tenant, by, id, process } = fieldsOf(text)
  switch (kind) {
    case 'rotated':
      return typeof tenant === 'string' ? { kind, tenant, by: String(by) } : undefined
    case 'retired':
      return typeof tenant === 'string' ? { kind, tenant } : undefined
    case 'destroyed':
      return typeof tenant === 'string' && typeof id === 'string' ? { kind, tenant, id } : undefined
    case 'dropped':
      return typeof id === 'string' && typeof process === 'string' ? { kind, id, process } : undefined
    default:
      return undefined
  }
}

function fieldsOf(text: string | undefined): { readonly [field: string]: unknown } {
  try {
    const value: unknown = JSON.parse(text ?? '')
    return typeof value === 'object' && value !== null ? (value as { readonly [field: string]: unknown }) : {}
  } catch {
    return {}
  }
}
