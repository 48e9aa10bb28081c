import type { KeyRing } from '../keys/keyRing.js'
import { indexMessage } from './indexText.js'
import { indexValues } from './indexValues.js'
import { activeKeyOf } from './keyResolution.js'
import type { Slot } from './slot.js'

/**
 * Makes the index of a pass that makes nothing else, as a search for one value is: to sort slots by their keys would take
 * longer than the index itself.
 *
 * @returns whether it was done: there is one, and its one key is in memory
 * @throws FieldsealError `VALUE_INVALID`
 */
export function makeLoneIndex(slots: readonly Slot[], ring: KeyRing): boolean {
  const slot = slots[0]!
  if (slots.length > 1 || slot.mode !== 'index') return false
  const { tenant, purpose } = activeKeyOf(slot)
  const dek = ring.active.cached(tenant, purpose)
  if (!dek || dek.beside.length > 0) return false
  slot.holder[slot.key] = indexValues(dek, slot.index, [indexMessage(slot.index, slot.values, slot.use)])[0]
  return true
}
