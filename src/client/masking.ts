import { type CipherField, type DecryptSlot, fieldError, type Slot } from '../cipher/cipher.js'
import { FieldsealError } from '../errors.js'
import { looksMasked, MASKS, type Mask, showsNothing } from '../masks.js'
import { own } from '../own.js'
import type { FieldPlan, IndexPlan } from '../plan/plan.js'

/*
 * What a client with limited access (`allow`) gets of a field that it may not read.
 */

/** A value that is decrypted for its mask alone. */
export interface MaskedSlot extends DecryptSlot {
  readonly mask: Mask
}

export function isMasked(slot: Slot): slot is MaskedSlot {
  return 'mask' in slot
}

/** The slot of a field that the client may read, or of one whose mask it gets. */
export function maskableSlot(field: FieldPlan, slot: DecryptSlot): DecryptSlot | MaskedSlot {
  return field.shows === 'mask' ? { ...slot, mask: MASKS[field.mask!] } : slot
}

/** Puts the mask in the place of each value that was decrypted for it. */
export function maskSlots(slots: readonly Slot[]): void {
  for (const slot of slots) {
    if (isMasked(slot)) slot.holder[slot.key] = slot.mask(slot.holder[slot.key] as string)
  }
}

/** A value in plaintext, as far as the client may see it. */
export function maskedValue({ shows, mask }: FieldPlan, value: unknown): unknown {
  return shows === 'mask' ? MASKS[mask!](value as string) : value
}

/**
 * Puts in place what is shown of a stored field without its key.
 *
 * @returns whether that is all; otherwise the value must be decrypted for what is shown
 * @throws FieldsealError `ACCESS_DENIED`
 */
export function maskWithoutKey(field: FieldPlan, holder: Record<string, unknown>, key: string): boolean {
  if (field.shows === 'nothing') throw accessDenied(field)
  if (needsKey(field)) return false
  holder[key] = MASKS[field.mask!]('')
  return true
}

/** Whether anything that is shown of the field needs its value. */
export function needsKey({ shows, mask }: FieldPlan): boolean {
  return shows === 'value' || (shows === 'mask' && !showsNothing(mask!))
}

/** @throws FieldsealError `ACCESS_DENIED` when one of the fields may not be read and has no mask */
export function checkReadable(fields: readonly FieldPlan[]): void {
  const field = fields.find(({ shows }) => shows === 'nothing')
  if (field) throw accessDenied(field)
}

type SearchedIndex = Pick<IndexPlan, 'unsearchable' | 'sources'>

/** @throws FieldsealError `ACCESS_DENIED` when an answer would tell of values that may not be read */
export function checkSearchable({ unsearchable, sources }: SearchedIndex): void {
  if (!unsearchable) return
  const field = sources.find(({ shows }) => shows !== 'value')!
  const what = `may not be read by this client, so it can neither search nor compare by it: the answer would tell the value; add it to "allow"`
  throw new FieldsealError('ACCESS_DENIED', `${field.name} ${what}`)
}

/** Rows tell by their blind indexes which of them have the same value: a client that may not read it gets none. */
export function hideIndexes(columns: readonly string[], row: Record<string, unknown>): void {
  for (const column of columns) if (own(row, column) !== undefined) row[column] = null
}

/**
 * A mask that was read is easily written back in the place of the value.
 *
 * @throws FieldsealError `VALUE_INVALID`
 */
export function checkUnmasked(field: CipherField & Pick<FieldPlan, 'mask'>, value: unknown): void {
  if (field.mask === undefined || typeof value !== 'string' || !looksMasked(value)) return
  const what =
    'would lose its value: what is written looks like a mask; leave the field out where only its mask was read'
  throw fieldError('VALUE_INVALID', field, what)
}

export function accessDenied(field: FieldPlan): FieldsealError {
  return new FieldsealError('ACCESS_DENIED', `${field.name} may not be read by this client; ${field.unreadable}`)
}
