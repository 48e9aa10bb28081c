import { type DecryptSlot, fieldError, type TenantHolder } from '../cipher/cipher.js'
import { formerValue, isFormer } from '../cipher/formerValue.js'
import { isDirectCiphertext } from '../crypto/direct.js'
import { isPlaintext, parseTextForm } from '../crypto/textForm.js'
import { own } from '../own.js'
import type { FieldPlan, ModelPlan } from '../plan/plan.js'
import { boundTexts } from './boundColumns.js'
import { maskableSlot, maskedValue, maskWithoutKey } from './masking.js'
import { directOwner, type OwnedRow, rowOwner } from './rowOwner.js'

/** A row that was read, or a copy of it. */
export interface ReadRow extends OwnedRow {
  readonly plan: ModelPlan
  readonly owner: TenantHolder
  readonly holder: Record<string, unknown>
  /** What to do where one is not known. */
  readonly missing: string
}

/**
 * Collects a field as its column holds it. NULL and a list that was never written stay what they are, and so does
 * plaintext where the field's state allows it, as a value of its type; what another library has encrypted is decrypted at
 * once. A client that may not read it gets what is shown instead.
 *
 * @throws FieldsealError `CIPHERTEXT_INVALID`, `ACCESS_DENIED`; of another library's also `KEY_NOT_FOUND` and
 * `DECRYPTION_FAILED`
 */
export function collectStoredField(slots: DecryptSlot[], row: ReadRow, field: FieldPlan, key: string): void {
  const { plan, owner, holder, known, missing } = row
  const stored = own(holder, key)
  if (!isHeld(field, stored)) return
  if (field.shows !== 'value' && maskWithoutKey(field, holder, key)) return
  if (field.state && isPlaintext(field, stored)) {
    holder[key] = maskedValue(field, plainValue(field, stored))
    return
  }
  if (field.list) holder[key] = onlyElement(field, stored)
  const ofTenant = isDirectCiphertext(holder[key]) ? directOwner(plan, known, owner) : rowOwner(plan, row, owner)
  const bound = boundTexts(plan, field, known, missing)
  slots.push(maskableSlot(field, { mode: 'decrypt', field, owner: ofTenant, holder, key, bound }))
}

/** Whether a column holds a value, and not NULL, or nothing of a list. */
export function isHeld({ list }: FieldPlan, stored: unknown): boolean {
  return stored !== null && stored !== undefined && !(list && Array.isArray(stored) && stored.length === 0)
}

/** Of plaintext, or of what another library has encrypted. */
function plainValue(field: FieldPlan, stored: unknown): unknown {
  if (field.state === 'migrating' && isFormer(field, stored)) return formerValue(field, stored).value
  const value = parseTextForm(field, stored)
  if (value !== undefined) return value
  const type = field.kind === 'Enum' ? 'its enum' : field.kind
  throw fieldError(
    'CIPHERTEXT_INVALID',
    field,
    `holds plaintext that is no value of ${type}; correct it in the database`,
  )
}

function onlyElement(field: FieldPlan, stored: unknown): unknown {
  if (Array.isArray(stored) && stored.length === 1) return stored[0]
  throw fieldError('CIPHERTEXT_INVALID', field, 'holds a list that is not one ciphertext of this library')
}
