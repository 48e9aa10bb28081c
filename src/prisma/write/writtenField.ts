import { checkedValue, type Slot, type TenantHolder } from '../../cipher/cipher.js'
import { tokenBodies } from '../../cipher/tokenBodies.js'
import type { KnownValues } from '../../client/boundColumns.js'
import { checkUnmasked } from '../../client/masking.js'
import { textForm } from '../../crypto/textForm.js'
import { FieldsealError } from '../../errors.js'
import { own } from '../../own.js'
import type { FieldPlan, IndexPlan, TokenIndexPlan } from '../../plan/plan.js'
import { isAbsent, isDbNull, isPlainObject, storedNull } from '../values.js'
import { jsonValue } from './jsonValue.js'

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

/** Where a value stands. */
interface ValueLocation {
  readonly holder: Record<string, unknown>
  readonly key: string
}

/** Collects one encrypted field of a record and its blind indexes. NULL stays NULL and clears the indexes. */
export function collectField(slots: Slot[], record: WrittenRecord, field: FieldPlan): void {
  refuseChange(record, field)
  if (field.list) unwrapSet(record, field)
  const { holder, key } = valueLocation(record, field)
  if (isAbsent(own(holder, key))) return
  for (const index of field.indexes) collectIndex(slots, record, index, field)
  for (const index of field.tokenIndexes) collectTokens(slots, record, index, holder[key])
  if (isDbNull(holder[key])) {
    holder[key] = storedNull(field, holder[key])
    return
  }
  checkUnmasked(field, holder[key])
  if (field.state === 'ejecting') {
    holder[key] = checkedValue(field, () => textForm(field, jsonValue(field, holder[key])))
    return
  }
  holder[key] = checkedValue(field, () => jsonValue(field, holder[key]))
  slots.push({ mode: 'encrypt', field, owner: record.owner, holder, key, bound: record.bound(field) })
}

/** `{ set: list }` says the same as the list, and Prisma misreads bytes inside it. */
function unwrapSet({ data }: WrittenRecord, { field }: FieldPlan): void {
  const value = own(data, field)
  if (isPlainObject(value) && !isAbsent(value.set)) data[field] = value.set
}

/** Fills the blind index of the record, once for all of its sources: by the first one that is written. */
function collectIndex(slots: Slot[], record: WrittenRecord, index: IndexPlan, field: FieldPlan): void {
  const { data, owner, context } = record
  const values = index.sources.map((source) => valueIn(record, source))
  if (index.sources[values.findIndex((value) => !isAbsent(value))] !== field) return
  const isCleared = values.some(isDbNull) || index.sources.some(({ state }) => state === 'ejecting')
  const isPartial = values.some(isAbsent)
  if (isPartial && !isCleared && context === 'update') throw partial(index, values)
  if (isCleared || isPartial) data[index.field] = null
  else slots.push({ mode: 'index', field, owner, holder: data, key: index.field, index, values })
}

/** Prisma cannot set a list to null: where there was a value before, an empty one says that there is none. */
function collectTokens(slots: Slot[], record: WrittenRecord, index: TokenIndexPlan, value: unknown): void {
  const { data, owner, context } = record
  const [field] = index.sources
  const { field: key } = index
  if (!isDbNull(value) && field!.state !== 'ejecting') {
    const bodies = () => tokenBodies(index, value)
    slots.push({ mode: 'tokens', use: 'any', field: field!, owner, holder: data, key, index, bodies })
  } else if (context === 'update') data[key] = []
}

function valueIn(record: WrittenRecord, source: FieldPlan): unknown {
  const { holder, key } = valueLocation(record, source)
  return own(holder, key)
}

/** Updates may wrap a value in `{ set }`; in a Json field that would be the value itself. */
function valueLocation({ data, context }: WrittenRecord, { field, kind }: FieldPlan): ValueLocation {
  const value = own(data, field)
  const mayWrap = context === 'update' && kind !== 'Json'
  return mayWrap && isPlainObject(value) && 'set' in value
    ? { holder: value, key: 'set' }
    : { holder: data, key: field }
}

const CHANGES = ['push', 'increment', 'decrement', 'multiply', 'divide']

/** Refuses what the database would compute from the value that is there. */
function refuseChange({ data }: WrittenRecord, { field, name, kind, list }: FieldPlan): void {
  const value = own(data, field)
  if (!isPlainObject(value) || (kind === 'Json' && !list)) return
  const change = CHANGES.find((operation) => !isAbsent(value[operation]))
  if (change === undefined) return
  const instead = list
    ? 'read the list, add to it, and write all of it with "set"'
    : 'read the value, compute, and write'
  const message = `${name} is encrypted, so the database cannot "${change}"; ${instead}`
  throw new FieldsealError('QUERY_UNSUPPORTED', message)
}

function partial({ name, sources }: IndexPlan, values: readonly unknown[]): FieldsealError {
  const missing = sources.filter((_, i) => isAbsent(values[i])).map(({ field }) => field)
  const all = sources.map(({ field }) => field).join(' and ')
  const message = `${name} is a blind index over ${all}: this update must give ${missing.join(' and ')} too`
  return new FieldsealError('QUERY_UNSUPPORTED', message)
}
