import type { DecryptSlot, TenantHolder } from '../../cipher/cipher.js'
import type { RowColumn, RowColumns } from '../../cipher/rowColumns.js'
import { accessDenied, hideIndexes } from '../../client/masking.js'
import type { OperationTenancy } from '../../client/operationTenancy.js'
import { readsByColumn } from '../../client/rowReading.js'
import { collectStoredField } from '../../client/storedField.js'
import { FieldsealError } from '../../errors.js'
import { own } from '../../own.js'
import type { FieldPlan, ModelPlan } from '../../plan/plan.js'
import { ANY_TENANT } from '../../tenancy/scope.js'
import { passes } from '../query/falsePositive.js'
import { isDbNull } from '../values.js'
import { type ReadShape, unaskedShape } from './shape.js'

type Row = Record<string, unknown>

/** Its constructor gives back what it was given, so that a class over it puts its private fields on that. */
const Given = function given(row: object) {
  return row
} as unknown as new (
  row: object,
) => object

/** For whom a row was decrypted. */
interface Reader {
  readonly owner: TenantHolder
  /** The limit of the client. */
  readonly limit: string | undefined
}

/**
 * The mark of rows that hold plaintext. An extension under this one may answer with rows that the encrypted client gave
 * it, and those come by a second time. Nothing but this class can see a private field, copies of a row have it not, and
 * unlike an entry in a WeakSet it costs the garbage collector nothing.
 */
class Decrypted extends Given {
  readonly #owner: TenantHolder
  readonly #limit: string | undefined

  constructor(row: object, { owner, limit }: Reader) {
    super(row)
    this.#owner = owner
    this.#limit = limit
  }

  static mark(row: object, reader: Reader): void {
    if (!(#owner in row)) new Decrypted(row, reader)
  }

  static readerOf(row: object): Reader | undefined {
    return #owner in row ? { owner: row.#owner, limit: row.#limit } : undefined
  }
}

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
  const reader = Decrypted.readerOf(stored)
  const row = reader ? copyDecrypted(pass, plan, stored, reader) : copyOf(stored)
  if (!reader) collectFields(pass, plan, row)
  hideAdded(shape, row)
  for (const [relation, child] of children) putCopy(pass, child, { row, relation })
  for (const { field, model } of others) putCopy(pass, unaskedShape(model), { row, relation: field })
  return row
}

function putCopy(pass: RowPass, shape: ReadShape, at: { readonly row: Row; readonly relation: string }): void {
  const related = own(at.row, at.relation)
  if (typeof related === 'object' && related !== null) at.row[at.relation] = collectRows(pass, shape, related)
}

function copyOf(row: Row): Row {
  return isPlain(row) ? { ...row } : Object.assign(Object.create(Object.getPrototypeOf(row)), row)
}

function collectFields(pass: RowPass, plan: ModelPlan, row: Row): void {
  const { slots, tenancy, columns } = pass
  const { byColumn, others } = columns && isPlain(row) ? fieldsOf(plan) : { byColumn: NONE, others: plan.encrypted }
  const before = slots.length
  const isSettled = others.length > 0 && collectSlots(pass, plan, others, row)
  const holds = holdsAny(byColumn, row)
  if (holds) columns!.add(byColumn, row)
  if (holds || isSettled || slots.length > before) {
    Decrypted.mark(row, { owner: slots[before]?.owner ?? tenancy.owner, limit: plan.limit })
  }
  hideIndexes(plan.hiddenIndexes, row)
}

/** @returns whether one of the fields is a value by now, and has no slot */
function collectSlots({ slots, tenancy }: RowPass, plan: ModelPlan, fields: readonly FieldPlan[], row: Row): boolean {
  const { owner } = tenancy
  const stored = { plan, owner, holder: row, known: row, asksTenant: true, missing: 'the row came without it' }
  let isSettled = false
  for (const field of fields) if (collectStoredField(slots, stored, field, field.field)) isSettled = true
  return isSettled
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

/** Whether it has its values itself. */
function isPlain(row: Row): boolean {
  const prototype: unknown = Object.getPrototypeOf(row)
  return prototype === Object.prototype || prototype === null
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
  const row: Row = Object.create(Object.getPrototypeOf(stored))
  for (const key of Reflect.ownKeys(stored) as string[]) {
    const { enumerable = true } = Object.getOwnPropertyDescriptor(stored, key) ?? {}
    Object.defineProperty(row, key, { value: stored[key], enumerable, writable: true, configurable: true })
  }
  Decrypted.mark(row, reader)
  return row
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
