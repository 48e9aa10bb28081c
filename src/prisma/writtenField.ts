import type { Slot, TenantHolder } from '../cipher.js'
import type { KnownValues } from './bound.js'
import type { FieldPlan } from './plan.js'
import { isAbsent, isDbNull, isPlainObject, nullKind } from './values.js'

/** A record that is being written, and what is known of its row. */
export interface WrittenRecord {
  readonly data: Record<string, unknown>
  readonly owner: TenantHolder
  /** What is known of its columns before the SQL. */
  readonly known: KnownValues
  readonly context: 'create' | 'update'
  /** The bound texts of a field; throws where they are not known. */
  readonly bound: (field: FieldPlan) => readonly string[]
}

/** Collects one encrypted field of a record and its blind indexes. NULL stays NULL and clears the indexes. */
export function collectField(slots: Slot[], record: WrittenRecord, field: FieldPlan): void {
  const { data, owner } = record
  const { holder, key } = place(record, field)
  if (isAbsent(holder[key])) return
  if (isDbNull(holder[key])) {
    for (const index of field.indexes) data[index.field] = null
    return
  }
  if (field.kind === 'Json' && nullKind(holder[key]) === 'JsonNull') holder[key] = null
  for (const index of field.indexes) {
    slots.push({ mode: 'index', field, owner, holder: data, key: index.field, index, values: [holder[key]] })
  }
  slots.push({ mode: 'encrypt', field, owner, holder, key, bound: record.bound(field) })
}

/** Updates may wrap a value in `{ set }`; in a Json field that would be the value itself. */
function place(
  { data, context }: WrittenRecord,
  { field, kind }: FieldPlan,
): { holder: Record<string, unknown>; key: string } {
  const value = data[field]
  const wrapped = context === 'update' && kind !== 'Json' && isPlainObject(value) && 'set' in value
  return wrapped ? { holder: value, key: 'set' } : { holder: data, key: field }
}
