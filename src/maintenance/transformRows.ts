import { type Slot, transform } from '../cipher.js'
import { type ErrorCode, FieldsealError, quoted } from '../errors.js'
import type { KeyRing } from '../keys/keyRing.js'
import { checkTenant } from '../tenant.js'
import type { MaintainedField, MaintainedIndex, MaintainedModel } from './model.js'
import { cellAt, type Operation, planRow, type RowWork } from './operation.js'
import type { Cell, RowChange, StoredRow } from './rowSource.js'
import { RunKeys } from './runKeys.js'
import {
  cellOfCiphertext,
  cellOfPlaintext,
  ciphertextIn,
  dekIdIn,
  isCiphertext,
  isPlain,
  plaintextIn,
} from './storedCell.js'

/** What is known of a row while it is worked on. */
interface Draft {
  readonly work: RowWork
  readonly tenant: string
  /** Values by field, as far as the work needs them. */
  readonly values: Record<string, unknown>
  /** New ciphertexts and indexes by field. */
  readonly made: Record<string, unknown>
}

export interface RowTransformer {
  readonly operation: Operation
  readonly model: MaintainedModel
  readonly ring: KeyRing
  /** Told of the values that were decrypted and encrypted, before anything is done with them; may throw. */
  readonly watch: (slots: readonly Slot[]) => void
}

/**
 * What the operation makes of rows: those that change, with their new cells.
 *
 * @throws FieldsealError when one of the rows has a problem; nothing is done then
 */
export async function transformRows(
  { operation, model, ring, watch }: RowTransformer,
  rows: readonly StoredRow[],
): Promise<RowChange[]> {
  const works = rows.map((row) => planRow(operation, model, row))
  const keys = new RunKeys(ring)
  await keys.loadOwners(
    works.flatMap((work) => opened(model, work).flatMap((field) => dekIdIn(field, cellAt(work.row, field)) ?? [])),
  )
  const owned = works.map((work) => ({ work, tenant: tenantOf(model, work, keys) }))
  const sealing = owned.filter(({ work }) => work.seal.some(({ direct }) => !direct))
  await keys.loadActives(sealing.map(({ tenant }) => tenant))
  const drafts = owned.map(({ work, tenant }) => draftOf(work, tenant, keys))
  const transformed = async (slots: readonly Slot[]) => {
    await transform(slots, ring)
    watch(slots)
  }
  await transformed(drafts.flatMap((draft) => openSlots(model, draft)))
  await transformed(drafts.flatMap((draft) => makeSlots(draft)))
  return drafts.map(changeOf).filter((change) => change !== undefined)
}

/** The fields whose ciphertexts the work reads. */
function opened(model: MaintainedModel, work: RowWork): MaintainedField[] {
  const sources = new Set(work.index.flatMap((index) => index.sources))
  const needed = new Set([...work.seal, ...work.reveal, ...work.open])
  return model.readable.filter(
    (field) => (needed.has(field) || sources.has(field.field)) && isCiphertext(field, cellAt(work.row, field)),
  )
}

/** By the row's tenant column; every ciphertext that names a key must agree. */
function tenantOf(model: MaintainedModel, work: RowWork, keys: RunKeys): string {
  let { tenant } = work.row
  let silent: MaintainedField | undefined
  for (const field of opened(model, work)) {
    const dekId = dekIdIn(field, cellAt(work.row, field))
    const owner = dekId === undefined ? tenant : keys.ownerOf(dekId)
    if (dekId === undefined) silent ??= field
    tenant ??= owner
    if (owner !== tenant)
      throw rowError('TENANT_MISMATCH', field, `is encrypted for ${quoted(owner)}, in a row of ${quoted(tenant)}`)
  }
  const first = work.seal[0] ?? silent
  if (tenant === undefined || tenant === null) {
    if (first)
      throw rowError('TENANT_MISSING', first, 'is in a row whose tenant is not known: its tenant column is NULL')
    return ''
  }
  if (first) checkTenant(tenant)
  return tenant
}

/** A ciphertext that is under the active DEK stays, or one of the KMS itself where the field is to have that. */
function draftOf(work: RowWork, tenant: string, keys: RunKeys): Draft {
  const outdated = (field: MaintainedField) =>
    !isCiphertext(field, cellAt(work.row, field)) ||
    dekIdIn(field, cellAt(work.row, field)) !== (field.direct ? undefined : keys.activeOf(tenant))
  return { work: { ...work, seal: work.seal.filter(outdated) }, tenant, values: {}, made: {} }
}

/** Reads plaintext cells at once, and collects the ciphertexts to decrypt. */
function openSlots(model: MaintainedModel, { work, tenant, values }: Draft): Slot[] {
  const slots: Slot[] = []
  const owner = { tenant }
  for (const field of neededFields(model, work)) {
    const cell = cellAt(work.row, field)
    if (cell === null) continue
    if (isPlain(field, cell)) {
      values[field.field] = plaintextIn(field, cell)
      continue
    }
    if (!isCiphertext(field, cell)) continue
    values[field.field] = ciphertextIn(field, cell)
    slots.push({ mode: 'decrypt', field, owner, holder: values, key: field.field, bound: boundTexts(field, work.row) })
  }
  return slots
}

function neededFields(model: MaintainedModel, { seal, reveal, open, index }: RowWork): MaintainedField[] {
  const sources = new Set(index.flatMap((one) => one.sources))
  return model.readable.filter(
    (field) => sources.has(field.field) || seal.includes(field) || reveal.includes(field) || open.includes(field),
  )
}

function makeSlots(draft: Draft): Slot[] {
  const { work, tenant, values, made } = draft
  const owner = { tenant }
  const seals = work.seal.map((field): Slot => {
    made[field.field] = values[field.field]
    return { mode: 'encrypt', field, owner, holder: made, key: field.field, bound: boundTexts(field, work.row) }
  })
  const indexes = work.index.flatMap((index) => indexSlot(index, owner, draft))
  return [...seals, ...indexes]
}

/** An index over a value that is NULL is NULL. */
function indexSlot(index: MaintainedIndex, owner: { tenant: string }, { values, made }: Draft): Slot[] {
  if (!index.sources.every((name) => name in values)) {
    made[index.field] = null
    return []
  }
  const [field] = index.cipher.sources
  const sources = index.sources.map((name) => values[name])
  return [{ mode: 'index', field: field!, owner, holder: made, key: index.field, index: index.cipher, values: sources }]
}

function boundTexts(field: MaintainedField, row: StoredRow): string[] {
  return field.bind.map((column) => {
    const text = row.bound[column]
    if (typeof text === 'string') return text
    throw rowError('BOUND_VALUE_MISSING', field, `is bound to ${column}, which is NULL in this row`)
  })
}

function changeOf({ work, values, made }: Draft): RowChange | undefined {
  const cells: Record<string, Cell> = {}
  for (const field of work.seal) cells[field.field] = cellOfCiphertext(field, made[field.field])
  for (const field of work.reveal) cells[field.field] = cellOfPlaintext(field, values[field.field])
  for (const { field } of work.index) cells[field] = made[field] as Cell
  for (const { field } of work.clear) cells[field] = null
  const changed = Object.entries(cells).filter(([field, cell]) => !sameCell(cell, work.row.cells[field] ?? null))
  return changed.length === 0 ? undefined : { row: work.row, cells: Object.fromEntries(changed) }
}

function sameCell(one: Cell, other: Cell): boolean {
  if (one === null || other === null || typeof one === 'string' || typeof other === 'string') return one === other
  return Buffer.compare(one, other) === 0
}

function rowError(code: ErrorCode, field: MaintainedField, what: string): FieldsealError {
  return new FieldsealError(code, `${field.name} ${what}`)
}
