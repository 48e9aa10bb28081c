import { type DecryptSlot, decryptNow } from '../cipher/cipher.js'
import { isTextColumn, RowColumns } from '../cipher/rowColumns.js'
import { inTurns } from '../cipher/turns.js'
import type { FieldPlan } from '../plan/plan.js'
import { type Audited, auditSlots, tallyOf } from './audit.js'
import type { AuditTally } from './auditTally.js'
import type { ClientContext } from './clientContext.js'
import { maskSlots } from './masking.js'
import type { OperationTenancy } from './operationTenancy.js'

/** Rows of our own, and what is still to be decrypted in them. */
export interface CollectedRows<Row> {
  readonly rows: Row[]
  readonly slots: readonly DecryptSlot[]
}

/** Rows that came back, as the ORM's side reads them. */
export interface RowReading<Row> {
  readonly context: ClientContext
  readonly tenancy: OperationTenancy
  readonly length: number
  /**
   * Copies some of the rows as they came, which may be asked for again, and makes slots of what is encrypted in them.
   *
   * @param columns takes the fields that `readsByColumn`, if it is there; they have no slots then
   */
  readonly collect: (from: number, to: number, columns: RowColumns | undefined) => CollectedRows<Row>
  /** Transforms slots whose keys have to be waited for. */
  readonly transform: (slots: readonly DecryptSlot[]) => Promise<void> | undefined
  readonly audited: Audited
  /** As the audit is told. */
  readonly operation: string
}

/** So many rows are decrypted at a time. */
const PART = 256

/** Whether the values of a field stand for themselves, so that those of many rows can be decrypted together. */
export function readsByColumn(field: FieldPlan): boolean {
  return field.shows === 'value' && field.state === undefined && field.bind.length === 0 && isTextColumn(field)
}

/**
 * Reads rows: by columns, where all are one tenant's, as far as nothing else is unusual, and with a slot for each value
 * otherwise. Which values have been decrypted is nobody's concern: if one cannot be, nobody gets any.
 *
 * @returns copies of the rows, with values in the place of ciphertexts; at once where nothing has to be waited for
 * @throws FieldsealError for the first value that cannot be decrypted exactly
 */
export function readRows<Row>(reading: RowReading<Row>): Row[] | Promise<Row[]> {
  const tally = tallyOf(reading.audited)
  const read = reading.length > PART ? readParts(reading, tally) : readAtOnce(reading, tally)
  return read instanceof Promise
    ? read.then((all) => transformRest(reading, all, tally))
    : transformRest(reading, read, tally)
}

function transformRest<Row>(
  { transform, audited, operation }: RowReading<Row>,
  { rows, slots }: CollectedRows<Row>,
  tally: AuditTally | undefined,
): Row[] | Promise<Row[]> {
  if (slots.length === 0 && !tally) return rows
  const done = auditSlots(audited, operation, { slots, done: slots.length > 0 ? transform(slots) : undefined, tally })
  const finish = () => {
    maskSlots(slots)
    return rows
  }
  return done ? done.then(finish) : finish()
}

function readAtOnce<Row>(
  reading: RowReading<Row>,
  tally: AuditTally | undefined,
): CollectedRows<Row> | Promise<CollectedRows<Row>> {
  const { length, context } = reading
  const tenant = onlyTenant(reading)
  if (tenant === undefined) return reading.collect(0, length, undefined)
  const columns = new RowColumns()
  const collected = reading.collect(0, length, columns)
  const outcome = (isDone: boolean) => {
    if (!isDone) return reading.collect(0, length, undefined)
    if (tally) addColumns(tally, tenant, columns)
    return collected
  }
  const isDone = columns.decrypt({ tenant, ring: context.ring })
  return isDone instanceof Promise ? isDone.then(outcome) : outcome(isDone)
}

/** Part by part, so that what is needed for each value lives no longer than its part, as far as keys are in memory. */
async function readParts<Row>(reading: RowReading<Row>, tally: AuditTally | undefined): Promise<CollectedRows<Row>> {
  const rows: Row[] = []
  const rest: DecryptSlot[] = []
  await inTurns(reading.length, PART, (from, to) => {
    const part = rest.length === 0 ? readPart(reading, from, to, tally) : reading.collect(from, to, undefined)
    append(rows, part.rows)
    append(rest, part.slots)
    return true
  })
  return { rows, slots: rest }
}

function readPart<Row>(
  reading: RowReading<Row>,
  from: number,
  to: number,
  tally: AuditTally | undefined,
): CollectedRows<Row> {
  const { ring } = reading.context
  const tenant = onlyTenant(reading)
  const columns = tenant === undefined ? undefined : new RowColumns()
  let part = reading.collect(from, to, columns)
  const byColumn = columns?.decryptNow({ tenant: tenant!, ring }) ?? false
  if (columns && !byColumn) part = reading.collect(from, to, undefined)
  if (tally && byColumn) addColumns(tally, tenant!, columns!)
  if (!decryptNow(part.slots, ring)) return part
  tally?.addSlots(part.slots)
  maskSlots(part.slots)
  return { rows: part.rows, slots: [] }
}

/** The tenant of all rows, where none says itself whose it is. */
function onlyTenant({ tenancy }: RowReading<unknown>): string | undefined {
  const { tenant } = tenancy.owner
  return typeof tenant === 'string' ? tenant : undefined
}

function addColumns(tally: AuditTally, tenant: string, columns: RowColumns): void {
  for (const { column, rows } of columns.decrypted()) tally.addColumn(tenant, column, rows)
}

/** One by one: as arguments of `push`, very many would not fit on the stack. */
function append<T>(list: T[], more: readonly T[]): void {
  for (const one of more) list.push(one)
}
