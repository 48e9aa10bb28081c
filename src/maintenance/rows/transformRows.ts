import { type Slot, type TokenUse, transform } from '../../cipher/cipher.js'
import { tokenBodies } from '../../cipher/tokenBodies.js'
import { type ErrorCode, FieldsealError, quoted } from '../../errors.js'
import type { KeyRing } from '../../keys/keyRing.js'
import { own } from '../../own.js'
import { checkTenant } from '../../tenancy/tenant.js'
import type { ActiveDeks } from './activeDeks.js'
import type { MaintainedBlindIndex, MaintainedField, MaintainedIndex, MaintainedTokenIndex } from './model.js'
import type { Operation } from './operation.js'
import { severalIn } from './rotatedIndex.js'
import { cellAt, type OpenedField, type RowPlan, type RowPlanner } from './rowPlanner.js'
import type { Cell, RowChange, StoredRow } from './rowSource.js'
import { RunKeys } from './runKeys.js'
import {
  cellOfCiphertext,
  cellOfIndex,
  cellOfPlaintext,
  ciphertextIn,
  dekIdIn,
  plaintextIn,
  sameCell,
  stateOfIndex,
} from './storedCell.js'

/** A row, what is to be done to it, and the keys of its ciphertexts. */
interface Reading {
  readonly row: StoredRow
  readonly plan: RowPlan
  /** The DEKs that its `plan.opened` are under, in that order; `undefined` for those of the KMS itself. */
  readonly dekIds: readonly (string | undefined)[]
}

/** What is known of a row while it is worked on. */
interface Draft {
  readonly row: StoredRow
  readonly plan: RowPlan
  readonly owner: Owner
  readonly seal: readonly MaintainedField[]
  /** Whose ciphertexts are read. */
  readonly opened: readonly OpenedField[]
  /** Values by field, as far as the work needs them. */
  readonly values: Record<string, unknown>
  /** New ciphertexts and indexes by field. */
  readonly made: Record<string, unknown>
}

/** One for all rows of a tenant. */
interface Owner {
  readonly tenant: string
}

export interface RowTransformer {
  readonly planner: RowPlanner
  readonly ring: KeyRing
  readonly activeDeks: ActiveDeks
  /** Told of the values that were decrypted and encrypted, before anything is done with them; may throw, or be waited for. */
  readonly audit: (slots: readonly Slot[]) => void | Promise<void>
}

/**
 * What the operation makes of rows: those that change, with their new cells.
 *
 * @throws FieldsealError when one of the rows has a problem; nothing is done then
 */
export async function transformRows(
  { planner, ring, activeDeks, audit }: RowTransformer,
  rows: readonly StoredRow[],
): Promise<RowChange[]> {
  const keys = new RunKeys(ring.loaded, activeDeks)
  const readings = rows.map((row) => readingOf(row, planner.plan(row)))
  await keys.loadOwners(namedDeks(readings))
  const owners = ownersOf(readings, keys)
  await keys.loadActives(sealingTenants(readings, owners))
  const drafts = readings.map((reading, i) => draftOf(reading, owners[i]!, keys))
  const transformed = async (slots: readonly Slot[]) => {
    await transform(slots, ring)
    await audit(slots)
  }
  await transformed(openSlots(drafts))
  await transformed(makeSlots(drafts, planner.operation))
  return drafts.map(changeOf).filter((change) => change !== undefined)
}

function readingOf(row: StoredRow, plan: RowPlan): Reading {
  return { row, plan, dekIds: plan.opened.map(({ field }) => dekIdIn(field, cellAt(row, field))) }
}

function namedDeks(readings: readonly Reading[]): Set<string> {
  const named = new Set<string>()
  for (const { dekIds } of readings) for (const id of dekIds) if (id !== undefined) named.add(id)
  return named
}

function ownersOf(readings: readonly Reading[], keys: RunKeys): Owner[] {
  const owners = new Map<string, Owner>()
  return readings.map((reading) => {
    const tenant = tenantOf(reading, keys)
    const owner = owners.get(tenant) ?? { tenant }
    owners.set(tenant, owner)
    return owner
  })
}

function sealingTenants(readings: readonly Reading[], owners: readonly Owner[]): Set<string> {
  const tenants = new Set<string>()
  readings.forEach(({ plan }, i) => {
    if (plan.seal.some(({ direct }) => !direct)) tenants.add(owners[i]!.tenant)
  })
  return tenants
}

/** By the row's tenant column; every ciphertext that names a key must agree. */
function tenantOf({ row, plan, dekIds }: Reading, keys: RunKeys): string {
  let { tenant } = row
  let silent: MaintainedField | undefined
  for (const [i, { field }] of plan.opened.entries()) {
    const dekId = dekIds[i]
    const owner = dekId === undefined ? tenant : keys.ownerOf(dekId)
    if (dekId === undefined) silent ??= field
    tenant ??= owner
    if (owner !== tenant)
      throw rowError('TENANT_MISMATCH', field, `is encrypted for ${quoted(owner)}, in a row of ${quoted(tenant)}`)
  }
  const first = plan.seal[0] ?? silent ?? plan.plain[0]
  if (tenant === undefined || tenant === null) {
    if (first)
      throw rowError('TENANT_MISSING', first, 'is in a row whose tenant is not known: its tenant column is NULL')
    return ''
  }
  if (first) checkTenant(tenant)
  return tenant
}

/** A ciphertext that is under the active DEK stays, or one of the KMS itself where the field is to have that. */
function draftOf({ row, plan, dekIds }: Reading, owner: Owner, keys: RunKeys): Draft {
  const current = plan.opened.filter(({ field, toSeal }, i) => toSeal && isCurrent(field, dekIds[i], owner, keys))
  const { opened, seal } = current.length === 0 ? plan : withoutCurrent(plan, current)
  return { row, plan, owner, opened, seal, values: {}, made: {} }
}

function isCurrent({ direct }: MaintainedField, dekId: string | undefined, { tenant }: Owner, keys: RunKeys): boolean {
  return dekId === (direct ? undefined : keys.activeOf(tenant))
}

function withoutCurrent({ opened, seal }: RowPlan, current: readonly OpenedField[]): Pick<RowPlan, 'opened' | 'seal'> {
  return {
    opened: opened.filter((one) => one.toRead || !current.includes(one)),
    seal: seal.filter((field) => !current.some((one) => one.field === field)),
  }
}

/** Reads plaintext cells at once, and collects the ciphertexts to decrypt. */
function openSlots(drafts: readonly Draft[]): Slot[] {
  const slots: Slot[] = []
  for (const { row, plan, owner, opened, values } of drafts) {
    for (const field of plan.plain) values[field.field] = plaintextIn(field, cellAt(row, field))
    for (const { field } of opened) {
      const { field: key } = field
      values[key] = ciphertextIn(field, cellAt(row, field))
      slots.push({ mode: 'decrypt', field, owner, holder: values, key, bound: boundTexts(field, row) })
    }
  }
  return slots
}

function makeSlots(drafts: readonly Draft[], operation: Operation): Slot[] {
  const slots: Slot[] = []
  for (const draft of drafts) {
    const { row, plan, owner, seal, values, made } = draft
    for (const field of seal) {
      const { field: key } = field
      made[key] = values[key]
      slots.push({ mode: 'encrypt', use: 'kept', field, owner, holder: made, key, bound: boundTexts(field, row) })
    }
    for (const index of plan.index) {
      const slot = indexSlot(index, draft, operation)
      if (slot) slots.push(slot)
    }
  }
  return slots
}

/** An index over a value that is NULL is NULL, or without tokens: an ORM may be unable to write NULL into a list. */
function indexSlot(index: MaintainedIndex, draft: Draft, operation: Operation): Slot | undefined {
  const { row, values, made } = draft
  if (index.sources.every((name) => Object.hasOwn(values, name))) {
    return index.kind === 'blind' ? blindSlot(index, draft, operation) : tokenSlot(index, draft, operation)
  }
  made[index.field] = stateOfIndex(index, cellAt(row, index)) === 'empty' ? [] : null
  return undefined
}

function blindSlot(index: MaintainedBlindIndex, { row, owner, values, made }: Draft, operation: Operation): Slot {
  const { field: key, sources, cipher } = index
  return {
    mode: 'index',
    use: 'kept',
    field: cipher.sources[0]!,
    owner,
    holder: made,
    key,
    index: cipher,
    values: sources.map((name) => values[name]),
    several: severalIn({ index, operation, stored: cellAt(row, index) }),
  }
}

function tokenSlot(index: MaintainedTokenIndex, { row, owner, values, made }: Draft, operation: Operation): Slot {
  const { field: key, sources, cipher } = index
  const value = values[sources[0]!]
  // A text may be kept that could not be written any more; a value outside of a range index is kept and cannot be indexed.
  const valueUse = cipher.kind === 'text' ? 'kept' : 'indexed'
  const bodies = () => tokenBodies(cipher, value, valueUse)
  const use: TokenUse =
    operation === 'verify' ? (lists) => (made[key] = rightTokens(index, cellAt(row, index), lists)) : 'any'
  return { mode: 'tokens', use, field: cipher.sources[0]!, owner, holder: made, key, index: cipher, bodies }
}

/** While a key for indexes is rotated, a row that has not been come to has tokens under the old one alone. */
function rightTokens(
  index: MaintainedTokenIndex,
  stored: Cell,
  lists: readonly (readonly string[])[],
): readonly string[] {
  const [, ...older] = lists
  return older.find((list) => cellOfIndex(index, list) === stored) ?? lists.flat().sort()
}

const UNBOUND: readonly string[] = []

function boundTexts(field: MaintainedField, row: StoredRow): readonly string[] {
  if (field.bind.length === 0) return UNBOUND
  return field.bind.map((column) => {
    const text = row.bound[column]
    if (typeof text === 'string') return text
    throw rowError('BOUND_VALUE_MISSING', field, `is bound to ${column}, which is NULL in this row`)
  })
}

function changeOf({ row, plan, seal, values, made }: Draft): RowChange | undefined {
  const cells: Record<string, Cell> = {}
  let changed = false
  const put = (field: string, cell: Cell) => {
    if (sameCell(cell, own(row.cells, field) ?? null)) return
    cells[field] = cell
    changed = true
  }
  for (const field of seal) put(field.field, cellOfCiphertext(field, made[field.field]))
  for (const field of plan.reveal) put(field.field, cellOfPlaintext(field, values[field.field]))
  for (const index of plan.index) put(index.field, cellOfIndex(index, made[index.field]))
  for (const { field } of plan.clear) put(field, null)
  return changed ? { row, cells } : undefined
}

function rowError(code: ErrorCode, field: MaintainedField, what: string): FieldsealError {
  return new FieldsealError(code, `${field.name} ${what}`)
}
