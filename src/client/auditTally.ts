import type { ComparisonSlot, Slot, TenantHolder } from '../cipher/cipher.js'
import type { RowColumn } from '../cipher/rowColumns.js'
import type { Bait } from './honeytokens.js'
import { isMasked } from './masking.js'

/** What became of a value. */
export type TalliedMode = 'encrypt' | 'decrypt' | 'mask' | 'index'

/** How many values of one field, of one tenant, became what. */
export interface TallyEntry {
  /** `null` where all tenants' rows may be read: what is told is that, and not of every row whose it was. */
  readonly tenant: string | null
  /** `Model.field`. */
  readonly field: string
  readonly mode: TalliedMode
  count: number
  /** How many of them nobody has a reason to read. */
  baited: number
}

type ValueSlot = Exclude<Slot, ComparisonSlot>

/** Counts the values of one operation, so that what was made of each need not be kept until its end. */
export class AuditTally {
  readonly #bait: Bait | undefined
  /** By mode and field, then by tenant. */
  readonly #entries = new Map<string, Map<string | null, TallyEntry>>()
  /** Neighbours are mostly alike. */
  #last: TallyEntry | undefined

  constructor(bait: Bait | undefined) {
    this.#bait = bait
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0
  }

  /** Slots that are transformed, and whose values are not masked yet. */
  addSlots(slots: readonly Slot[]): void {
    for (const slot of slots) {
      if (slot.mode === 'compare') continue
      const entry = this.#entryOf(auditedTenant(slot.owner), slot.field.name, modeOf(slot))
      entry.count += 1
      if (slot.mode === 'decrypt' && this.#bait?.has(slot)) entry.baited += 1
    }
  }

  /** A column of rows of one tenant, when it is decrypted. */
  addColumn(tenant: string, { field, key }: RowColumn, rows: readonly Record<string, unknown>[]): void {
    let [count, baited] = [0, 0]
    for (const row of rows) {
      if (row[key] === null || row[key] === undefined) continue
      count += 1
      if (this.#bait?.has({ field, holder: row, key })) baited += 1
    }
    if (count === 0) return
    const entry = this.#entryOf(tenant, field.name, 'decrypt')
    entry.count += count
    entry.baited += baited
  }

  *entries(): Iterable<TallyEntry> {
    for (const ofTenants of this.#entries.values()) yield* ofTenants.values()
  }

  #entryOf(tenant: string | null, field: string, mode: TalliedMode): TallyEntry {
    const last = this.#last
    if (last?.field === field && last.mode === mode && last.tenant === tenant) return last
    const name = `${mode} ${field}`
    const ofTenants = this.#entries.get(name) ?? new Map<string | null, TallyEntry>()
    const entry = ofTenants.get(tenant) ?? { tenant, field, mode, count: 0, baited: 0 }
    ofTenants.set(tenant, entry)
    this.#entries.set(name, ofTenants)
    this.#last = entry
    return entry
  }
}

function auditedTenant({ tenant, column }: TenantHolder): string | null {
  return typeof tenant === 'string' && column === undefined ? tenant : null
}

function modeOf(slot: ValueSlot): TalliedMode {
  if (isMasked(slot)) return 'mask'
  return slot.mode === 'tokens' ? 'index' : slot.mode
}
