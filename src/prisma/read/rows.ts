import type { DecryptSlot } from '../../cipher/cipher.js'
import type { RowColumn, RowColumns } from '../../cipher/rowColumns.js'
import { accessDenied, hideIndexes } from '../../client/masking.js'
import type { OperationTenancy } from '../../client/operationTenancy.js'
import { readsByColumn } from '../../client/rowReading.js'
import { collectStoredField, isHeld } from '../../client/storedField.js'
import { FieldsealError } from '../../errors.js'
import { own } from '../../own.js'
import type { FieldPlan, ModelPlan } from '../../plan/plan.js'
import { ANY_TENANT } from '../../tenancy/scope.js'
import { passes } from '../query/falsePositive.js'
import { isDbNull } from '../values.js'
import { copyMarkedRow, copyRow, isPlain, type Reader, type Row, readerOf } from './decryptedRow.js'
import { type ReadShape, unaskedShape } from './shape.js'

export interface RowPass {
  readonly slots: DecryptSlot[]
  readonly tenancy: OperationTenancy
  /** Takes the fields that need no slots, if it is there. */
  readonly columns: RowColumns | undefined
}

/**
 * Copies the rows of a result, collects the encrypted fields of the copies, and takes out of these what was only added to
 * decrypt them. Whoever stands under the encryption may keep what Prisma answered with: a cache, a log, or Prisma itself,
 * which gives one row to all who ask for it at once. It stays as it is.
 *
 * @returns the copy of the result
 */
export function collectRows<Result>(pass: RowPass, shape: ReadShape, result: Result): Result
export function collectRows(pass: RowPass, shape: ReadShape, result: unknown): unknown {
  if (Array.isArray(result)) return result.map((row) => collectRows(pass, shape, row))
  if (typeof result !== 'object' || result === null) return result
  return collectRow(pass, shape, result as Row)
}

function collectRow(pass: RowPass, shape: ReadShape, stored: Row): Row {
  const { plan, children, others } = shape
  const earlier = readerOf(stored)
  const row = earlier ? copyDecrypted(pass, plan, stored, earlier) : copyStored(pass, plan, stored)
  if (shape.added.length > 0) hideAdded(shape, row)
  for (const [relation, child] of children) putCopy(pass, child, { row, relation })
  for (const { field, model } of others) {
    if (row[field] !== undefined) putCopy(pass, unaskedShape(model), { row, relation: field })
  }
  return row
}

function putCopy(pass: RowPass, shape: ReadShape, at: { readonly row: Row; readonly relation: string }): void {
  const related = own(at.row, at.relation)
  if (typeof related === 'object' && related !== null) at.row[at.relation] = collectRows(pass, shape, related)
}

function copyStored(pass: RowPass, plan: ModelPlan, stored: Row): Row {
  const { slots, tenancy, columns } = pass
  const { byColumn, others } = columns && isPlain(stored) ? fieldsOf(plan) : { byColumn: NONE, others: plan.encrypted }
  const isByColumn = holdsAny(byColumn, stored)
  const reader = isByColumn || holdsOther(others, stored) ? { owner: tenancy.owner, limit: plan.limit } : undefined
  const row = copyRow(stored, reader)
  const before = slots.length
  if (reader && others.length > 0) collectSlots(pass, plan, others, row)
  if (isByColumn) columns!.add(byColumn, row)
  if (reader && slots.length > before) reader.owner = slots[before]!.owner
  if (plan.hiddenIndexes.length > 0) hideIndexes(plan.hiddenIndexes, row)
  return row
}

function collectSlots({ slots, tenancy }: RowPass, plan: ModelPlan, fields: readonly FieldPlan[], row: Row): void {
  const { owner } = tenancy
  const stored = { plan, owner, holder: row, known: row, asksTenant: true, missing: 'the row came without it' }
  for (const field of fields) collectStoredField(slots, stored, field, field.field)
}

/** The encrypted fields of a model, by whether they need a slot for each value. */
interface ReadFields {
  readonly byColumn: readonly RowColumn[]
  readonly others: readonly FieldPlan[]
}

const NONE: readonly never[] = []
const FIELDS = new WeakMap<ModelPlan, ReadFields>()

function fieldsOf(plan: ModelPlan): ReadFields {
  let fields = FIELDS.get(plan)
  if (!fields) {
    const byColumn = plan.encrypted.filter(readsByColumn).map((field) => ({ field, key: field.field }))
    fields = { byColumn, others: plan.encrypted.filter((field) => !readsByColumn(field)) }
    FIELDS.set(plan, fields)
  }
  return fields
}

function holdsAny(columns: readonly RowColumn[], row: Row): boolean {
  for (const { key } of columns) if (row[key] !== null && row[key] !== undefined) return true
  return false
}

/** As `holdsAny`, of fields of any kind. */
function holdsOther(fields: readonly FieldPlan[], row: Row): boolean {
  for (const field of fields) if (isHeld(field, own(row, field.field))) return true
  return false
}

/**
 * The copy of a row that was decrypted already.
 *
 * @throws FieldsealError `TENANT_MISMATCH`, `ACCESS_DENIED` for a row that was decrypted for somebody else
 */
function copyDecrypted({ tenancy }: RowPass, plan: ModelPlan, stored: Row, reader: Reader): Row {
  tenancy.settle(tenancy.owner, plan.name)
  const { tenant } = tenancy.owner
  if (tenant !== ANY_TENANT && reader.owner.tenant !== tenant) throw decryptedForOther(plan)
  if (reader.limit !== plan.limit) checkSameLimit(plan, stored, reader)
  return copyMarkedRow(stored, reader)
}

function decryptedForOther({ name }: ModelPlan): FieldsealError {
  const what = 'an extension under the encryption answered with a row that was decrypted for another tenant'
  return new FieldsealError('TENANT_MISMATCH', `${name}: ${what}; have it keep rows for each tenant apart`)
}

/** @throws FieldsealError `ACCESS_DENIED` for a row of a client that may read more, or of one that got masks instead */
function checkSameLimit({ encrypted, limit }: ModelPlan, row: Row, reader: Reader): void {
  const held = encrypted.filter(({ field }) => !isDbNull(own(row, field) ?? null))
  const hidden = limit === undefined ? undefined : held.find(({ shows }) => shows !== 'value')
  if (hidden) throw accessDenied(hidden)
  const shownBefore = reader.limit?.split(',')
  const masked = shownBefore && held.find(({ name }) => !shownBefore.includes(name))
  if (masked) throw maybeMasked(masked)
}

function maybeMasked({ name }: FieldPlan): FieldsealError {
  const what = 'an extension under the encryption answered with a row of a client that may not read it'
  return new FieldsealError('ACCESS_DENIED', `${name}: ${what}, so what the row holds may be a mask`)
}

/** Prisma makes computed fields later, and only where the columns that they need are own properties of the row. */
function hideAdded({ added, computes }: ReadShape, row: Row): void {
  for (const column of added) {
    if (!computes) delete row[column]
    else Object.defineProperty(row, column, { value: row[column], enumerable: false, configurable: false })
  }
}

/**
 * Takes the rows out of a decrypted result that an index of few bits found by mistake, and out of the others what was
 * only added to tell.
 */
export function removeFalsePositives(shape: ReadShape, result: unknown): void {
  if (Array.isArray(result)) {
    const kept = result.filter((row) => !isRow(row) || passes(shape.checks, row))
    if (kept.length < result.length) result.splice(0, result.length, ...kept)
    for (const row of kept) removeInRow(shape, row)
  } else removeInRow(shape, result)
}

function removeInRow(shape: ReadShape, row: unknown): void {
  if (!isRow(row)) return
  hideAdded({ ...shape, added: shape.checked }, row)
  for (const [relation, child] of shape.children) removeFalsePositives(child, row[relation])
}

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null
}

/** Whether anything in a result must be held against the filter again. */
export function hasChecks({ checks, children }: ReadShape): boolean {
  return checks.length > 0 || (children.size > 0 && [...children.values()].some(hasChecks))
}

/**
 * The part of a shape that a fluent call returns: `findUnique().posts()` runs as `select: { posts }` and hands over
 * the posts alone.
 *
 * @param path as Prisma keeps it: `['select', 'posts', 'select', 'author']`
 */
export function shapeAt(shape: ReadShape | null, path: readonly string[]): ReadShape | null {
  return path
    .filter((_, position) => position % 2 === 1)
    .reduce((at: ReadShape | null, name) => at?.children.get(name) ?? null, shape)
}
