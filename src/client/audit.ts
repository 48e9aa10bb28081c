import type { Slot } from '../cipher/cipher.js'
import { FieldsealError } from '../errors.js'
import type { Emit } from '../keys/events.js'
import { AuditTally, type TalliedMode } from './auditTally.js'
import type { BindingSource } from './clientBinding.js'
import type { Bait } from './honeytokens.js'

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
  readonly mode: TalliedMode
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

interface AuditedSlots {
  readonly slots: readonly Slot[]
  /** Their transformation. */
  readonly done: Promise<void> | undefined
  /** Has what the same operation did to other values before. */
  readonly tally?: AuditTally | undefined
}

/** Has the transformation of slots told to the audit. Where there is none, nothing is added. */
export function auditSlots(
  audited: Audited,
  operation: string,
  { slots, done, tally = tallyOf(audited) }: AuditedSlots,
): Promise<void> | undefined {
  if (!tally) return done
  const record = () => {
    tally.addSlots(slots)
    return recordTally(audited, operation, tally)
  }
  return done ? done.then(record) : record()
}

/** For an operation that transforms its values in parts; `undefined` where nobody is told. */
export function tallyOf({ auditTrail }: Audited): AuditTally | undefined {
  return auditTrail && new AuditTally(auditTrail.bait)
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

/** @returns a promise where the audit gives one: what is told is not stored yet */
function recordTally(
  { auditTrail, clientBinding }: Audited,
  operation: string,
  tally: AuditTally,
): Promise<void> | undefined {
  if (!auditTrail || tally.isEmpty) return undefined
  const { emit, audit } = auditTrail
  const { purpose } = clientBinding.access()
  const at = new Date()
  const actor = audit?.actor?.()
  const stored: PromiseLike<unknown>[] = []
  for (const { tenant, field, mode, count, baited } of tally.entries()) {
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
