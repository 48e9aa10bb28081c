import type { Slot } from '../cipher.js'
import { FieldsealError } from '../errors.js'
import type { Emit } from '../keys/events.js'

/** What one operation did to one field of one tenant's rows. */
export interface AuditEntry {
  readonly at: Date
  /** `null`: with `$acrossTenants()`, which may decrypt all tenants' rows. */
  readonly tenant: string | null
  /** What the app's `actor` function answered. */
  readonly actor: string | undefined
  /** The Prisma operation, `findMany` or `$encryption.decryptRows`. */
  readonly operation: string
  /** `Model.field`. */
  readonly field: string
  /** `index`: a blind index of the field was made, to be stored or searched by. */
  readonly mode: 'encrypt' | 'decrypt' | 'index'
  readonly rows: number
}

export interface AuditOptions {
  /** Who is acting, as the app knows it: from its own AsyncLocalStorage, say. */
  readonly actor?: () => string | undefined
  /**
   * Told before what was encrypted is sent, and before what was decrypted is handed out. Keep it quick, and hand on what
   * takes time. If it throws, the operation fails with that error.
   */
  readonly record: (entry: AuditEntry) => void
}

/** Who watches the operations of one client. */
export interface Watch {
  readonly emit: Emit | undefined
  readonly audit: AuditOptions | undefined
}

export interface Watched {
  readonly model: string
  readonly operation: string
}

/** Has `done`, the transformation of `slots`, told to whoever watches. Nobody: nothing is added. */
export function watchSlots(
  watch: Watch | undefined,
  operation: string,
  { slots, done }: { readonly slots: readonly Slot[]; readonly done: Promise<void> | undefined },
): Promise<void> | undefined {
  if (!watch || slots.length === 0) return done
  if (done) return done.then(() => report(watch, operation, slots))
  report(watch, operation, slots)
  return undefined
}

/** Has a refusal of `work` told to whoever watches. */
export function watchRefusal<T>(watch: Watch | undefined, call: Watched, work: () => Promise<T>): Promise<T> {
  const emit = watch?.emit
  if (!emit) return work()
  const refused = (error: unknown): never => {
    if (FieldsealError.is(error)) {
      emit({ type: 'refused', model: call.model, operation: call.operation, code: error.code })
    }
    throw error
  }
  try {
    return work().catch(refused)
  } catch (error) {
    return refused(error)
  }
}

interface Tally {
  readonly slot: Slot
  count: number
}

function report({ emit, audit }: Watch, operation: string, slots: readonly Slot[]): void {
  const at = new Date()
  const actor = audit?.actor?.()
  for (const { slot, count } of tallies(slots)) {
    const { mode, owner } = slot
    const field = slot.field.name
    const tenant = typeof owner.tenant === 'string' ? owner.tenant : null
    audit?.record({ at, tenant, actor, operation, field, mode, rows: count })
    emit?.({ type: 'values', field, mode, count })
  }
}

/** By tenant, field and mode. */
function tallies(slots: readonly Slot[]): Iterable<Tally> {
  const all = new Map<string, Tally>()
  for (const slot of slots) {
    const name = JSON.stringify([slot.owner.tenant, slot.field.name, slot.mode])
    const tally = all.get(name)
    if (tally) tally.count += 1
    else all.set(name, { slot, count: 1 })
  }
  return all.values()
}
