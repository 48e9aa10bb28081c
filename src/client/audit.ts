import type { ComparisonSlot, Slot, TenantHolder } from '../cipher/cipher.js'
import { FieldsealError } from '../errors.js'
import type { Emit } from '../keys/events.js'
import type { BindingSource } from './clientBinding.js'
import type { Bait } from './honeytokens.js'
import { isMasked } from './masking.js'

/** What one operation did to one field of one tenant's rows. */
export interface AuditEntry {
  readonly at: Date
  /** `null`: with `$acrossTenants()`, which may decrypt all tenants' rows. */
  readonly tenant: string | null
  /** What the app's `actor` function answered. */
  readonly actor: string | undefined
  /** What for, as `$forTenant`, `$acrossTenants` or `withTenant` was told. */
  readonly purpose: string | undefined
  /** Prisma's operation, `findMany`, or of TypeORM the kind of statement, `SELECT`; also `$encryption.maintain encrypt`. */
  readonly operation: string
  /** `Model.field`. */
  readonly field: string
  /** `mask`: decrypted, and only a mask of it handed out. `index`: an index was made, to be stored or searched by. */
  readonly mode: 'encrypt' | 'decrypt' | 'mask' | 'index'
  readonly rows: number
}

export interface AuditOptions {
  /** Who is acting, as the app knows it: from its own AsyncLocalStorage, say. */
  readonly actor?: () => string | undefined
  /**
   * Told before what was encrypted is sent, and before what was decrypted is handed out. The operation waits for a promise
   * that it gives; if it throws or the promise is rejected, the operation fails with that error. `auditLog()` of
   * `fieldseal/audit-log` keeps entries in the database.
   */
  readonly record: (entry: AuditEntry) => unknown
}

/** Who is told of the operations of one client. */
export interface AuditTrail {
  readonly emit: Emit | undefined
  readonly audit: AuditOptions | undefined
  readonly bait?: Bait | undefined
}

/** Where operations run that may be audited. */
export interface Audited {
  readonly auditTrail: AuditTrail | undefined
  readonly clientBinding: BindingSource
}

export interface AuditedCall {
  /** Of a statement that may have several: which of them the refusal is about. */
  readonly model: string | ((refusal: FieldsealError) => string)
  readonly operation: string
}

/** Has `done`, the transformation of `slots`, told to the audit. Where there is none, nothing is added. */
export function auditSlots(
  { auditTrail, clientBinding }: Audited,
  operation: string,
  { slots, done }: { readonly slots: readonly Slot[]; readonly done: Promise<void> | undefined },
): Promise<void> | undefined {
  if (!auditTrail || slots.length === 0) return done
  const { purpose } = clientBinding.access()
  const record = () => recordSlots(auditTrail, { operation, purpose }, slots)
  return done ? done.then(record) : record()
}

/** Has a refusal of `work` told to the audit. */
export function auditRefusal<T>(
  { auditTrail, clientBinding }: Audited,
  { model, operation }: AuditedCall,
  work: () => Promise<T>,
): Promise<T> {
  const emit = auditTrail?.emit
  if (!emit) return work()
  const { purpose } = clientBinding.access()
  const emitRefusal = (error: unknown): never => {
    if (FieldsealError.is(error)) {
      const about = typeof model === 'string' ? model : model(error)
      emit({ type: 'refused', model: about, operation, code: error.code, purpose })
    }
    throw error
  }
  try {
    return work().catch(emitRefusal)
  } catch (error) {
    return emitRefusal(error)
  }
}

/** What becomes of a value. */
type ValueSlot = Exclude<Slot, ComparisonSlot>

interface Tally {
  readonly slot: ValueSlot
  count: number
  /** How many of them nobody has a reason to read. */
  baited: number
}

interface AuditedWork {
  readonly operation: string
  readonly purpose: string | undefined
}

/** @returns a promise where the audit gives one: what is told is not stored yet */
function recordSlots(
  { emit, audit, bait }: AuditTrail,
  { operation, purpose }: AuditedWork,
  slots: readonly Slot[],
): Promise<void> | undefined {
  const at = new Date()
  const actor = audit?.actor?.()
  const stored: PromiseLike<unknown>[] = []
  for (const { slot, count, baited } of tallySlots(slots, bait)) {
    const { owner } = slot
    const field = slot.field.name
    const mode = modeOf(slot)
    const tenant = auditedTenant(owner)
    const recorded = audit?.record({ at, tenant, actor, purpose, operation, field, mode, rows: count })
    if (isPromise(recorded)) stored.push(recorded)
    emit?.({ type: 'values', field, mode, count, purpose })
    if (baited > 0) emit?.({ type: 'honeytoken', tenant, actor, purpose, operation, field, count: baited })
  }
  return stored.length > 0 ? Promise.all(stored).then(() => undefined) : undefined
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function'
}

/** Where all tenants' rows may be read, what is told is that, and not of every row whose it was. */
function auditedTenant({ tenant, column }: TenantHolder): string | null {
  return typeof tenant === 'string' && column === undefined ? tenant : null
}

function modeOf(slot: ValueSlot): AuditEntry['mode'] {
  if (isMasked(slot)) return 'mask'
  return slot.mode === 'tokens' ? 'index' : slot.mode
}

/** By tenant, field and mode. */
function tallySlots(slots: readonly Slot[], bait: Bait | undefined): Iterable<Tally> {
  const all = new Map<string, Tally>()
  for (const slot of slots) {
    if (slot.mode === 'compare') continue
    const name = JSON.stringify([auditedTenant(slot.owner), slot.field.name, modeOf(slot)])
    const tally = all.get(name) ?? { slot, count: 0, baited: 0 }
    all.set(name, tally)
    tally.count += 1
    if (slot.mode === 'decrypt' && bait?.has(slot)) tally.baited += 1
  }
  return all.values()
}
