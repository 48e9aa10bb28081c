import type { DecryptSlot, TenantHolder } from '../cipher.js'
import { own } from '../own.js'
import { passes } from './falsePositive.js'
import type { ModelPlan } from './plan.js'
import { type ReadShape, unaskedShape } from './shape.js'
import { denied, hideIndexes } from './shown.js'
import { collectStored } from './storedField.js'
import { isDbNull } from './values.js'

type Row = Record<string, unknown>

/** Its constructor gives back what it was given, so that a class over it puts its private field on that. */
const Given = function given(row: object) {
  return row
} as unknown as new (
  row: object,
) => object

/**
 * The mark of rows that hold plaintext. An extension under this one may answer with rows that the encrypted client gave
 * it, and those come by a second time. Nothing but this class can see a private field, copies of a row have it not, and
 * unlike an entry in a WeakSet it costs the garbage collector nothing.
 */
class Decrypted extends Given {
  /** The limit of the client that the row was decrypted for. */
  readonly #limit: string | undefined

  constructor(row: object, limit: string | undefined) {
    super(row)
    this.#limit = limit
  }

  static has(row: object): row is Decrypted {
    return #limit in row
  }

  static mark(row: object, limit: string | undefined): void {
    if (!Decrypted.has(row)) new Decrypted(row, limit)
  }

  static limitOf(row: Decrypted): string | undefined {
    return row.#limit
  }
}

/** Collects the encrypted fields of a result, and takes out of its rows what was only added to decrypt them. */
export function collectRows(slots: DecryptSlot[], shape: ReadShape, result: unknown, owner: TenantHolder): void {
  if (Array.isArray(result)) {
    for (const row of result) collectRows(slots, shape, row, owner)
  } else if (typeof result === 'object' && result !== null) {
    collectRow(slots, shape, result as Row, owner)
  }
}

function collectRow(slots: DecryptSlot[], shape: ReadShape, row: Row, owner: TenantHolder): void {
  const { plan, children, others } = shape
  if (!Decrypted.has(row)) collectFields(slots, plan, row, owner)
  else if (plan.limit !== undefined && Decrypted.limitOf(row) !== plan.limit) checkHolds(plan, row)
  takeOut(shape, row)
  for (const [relation, child] of children) collectRows(slots, child, row[relation], owner)
  for (const { field, model } of others) {
    if (own(row, field) !== undefined) collectRows(slots, unaskedShape(model), row[field], owner)
  }
}

function collectFields(slots: DecryptSlot[], plan: ModelPlan, row: Row, owner: TenantHolder): void {
  const stored = { plan, owner, holder: row, known: row, missing: 'the row came without it' }
  for (const field of plan.encrypted) {
    if (collectStored(slots, stored, field, field.field)) Decrypted.mark(row, plan.limit)
  }
  hideIndexes(plan.closed, row)
}

/** @throws FieldsealError `ACCESS_DENIED` for a row that was decrypted for a client that may read more */
function checkHolds({ encrypted }: ModelPlan, row: Row): void {
  const field = encrypted.find(({ field, shows }) => shows !== 'value' && !isDbNull(own(row, field) ?? null))
  if (field) throw denied(field)
}

/** Prisma makes computed fields later, and only where the columns that they need are own properties of the row. */
function takeOut({ added, computes }: ReadShape, row: Row): void {
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
  takeOut({ ...shape, added: shape.checked }, row)
  for (const [relation, child] of shape.children) removeFalsePositives(child, row[relation])
}

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null
}

/** Whether anything in a result must be held against the filter again. */
export function hasChecks({ checks, children }: ReadShape): boolean {
  return checks.length > 0 || (children.size > 0 && [...children.values()].some(hasChecks))
}

/** Remembers the rows whose slots are done. */
export function markDecrypted(slots: readonly DecryptSlot[], limit: string | undefined): void {
  let last: object | undefined
  for (const { holder } of slots) {
    if (holder !== last) Decrypted.mark(holder, limit)
    last = holder
  }
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
