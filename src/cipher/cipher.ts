import { headOf } from '../crypto/ciphertext.js'
import { isDirect } from '../crypto/direct.js'
import { debugStep, isDebugging } from '../debug.js'
import type { Dek } from '../keys/dek.js'
import type { KeyRing } from '../keys/keyRing.js'
import { Batches, type FailedSlot } from './batches.js'
import { checkComparable } from './blindIndexKey.js'
import { headerOf } from './headers.js'
import { indexMessage } from './indexText.js'
import { KeyResolution } from './keyResolution.js'
import { makeLoneIndex } from './loneIndex.js'
import { debugSlots } from './passSteps.js'
import { type DecryptSlot, type EncryptSlot, encodeValue, type Slot, twiceEncrypted } from './slot.js'
import { inTurns } from './turns.js'

export type * from './slot.js'
export { checkedValue, fieldError, prefixErrors, valueError } from './slot.js'
export type * from './tokenIndex.js'
export type * from './tokenQuery.js'

/** Slots that go to the engine together: enough to make its calls cheap, too few to hold up the event loop. */
const STRETCH = 512
/** So many slots are looked at without a pause. */
const LARGE = 16_384

/**
 * Transforms all slots of one pass: resolves every key they need with at most one wait, then works through them. Returns
 * nothing when all keys were in memory and the values are not very many, so that a warm caller awaits nothing.
 *
 * @param limitKeyWait told of the wait for keys, to limit it
 * @throws FieldsealError for the first slot that cannot be transformed exactly; the others may or may not be done
 */
export function transform(
  slots: readonly Slot[],
  ring: KeyRing,
  limitKeyWait = (keys: Promise<void>) => keys,
): Promise<void> | undefined {
  if (slots.length === 0) return undefined
  if (isDebugging) debugSlots(slots)
  else if (makeLoneIndex(slots, ring)) return undefined
  const start = performance.now()
  const keys = new KeyResolution(ring)
  if (slots.length > LARGE) return transformLarge(slots, keys, limitKeyWait)
  for (let i = 0; i < slots.length; i++) keys.request(slots[i]!, i)
  return keys.takeCached() ? apply(slots, keys, start) : resolveAndApply(slots, keys, limitKeyWait)
}

/**
 * As `transform`, if all keys are in memory; otherwise nothing is done. For those who have very many values to decrypt
 * and need not have all slots at once.
 *
 * @param slots not very many
 * @returns whether it was done
 * @throws FieldsealError for the first slot that cannot be decrypted exactly; the others may or may not be done
 */
export function decryptNow(slots: readonly DecryptSlot[], ring: KeyRing): boolean {
  const keys = new KeyResolution(ring)
  const batches = new Batches()
  let missing = false
  const unsorted = sorted(slots, 0, slots.length, (slot) => {
    const key = keys.cachedDecryptionKey(slot)
    if (key) batches.decrypt(key, slot)
    else missing = true
  })
  if (missing) return false
  run(batches, slots, unsorted)
  if (isDebugging) debugStep('cipher', `${slots.length} decrypted, all keys in memory`)
  return true
}

/**
 * As `transform`, if all keys are in memory; otherwise nothing is done. For those who make very many slots, and can let go of
 * some before they make others.
 *
 * @param slots not very many
 * @returns whether it was done
 * @throws FieldsealError for the first slot that cannot be transformed exactly; the others may or may not be done
 */
export function transformNow(slots: readonly Slot[], ring: KeyRing): boolean {
  const keys = new KeyResolution(ring)
  for (let i = 0; i < slots.length; i++) keys.request(slots[i]!, i)
  if (!keys.takeCached()) return false
  applyStretch(slots, keys, 0, slots.length)
  return true
}

/** As `transform`, of so many slots that only to look at them would take too long at a stretch. */
async function transformLarge(
  slots: readonly Slot[],
  keys: KeyResolution,
  limitKeyWait: (keys: Promise<void>) => Promise<void>,
): Promise<void> {
  await inTurns(slots.length, STRETCH, (from, to) => {
    for (let i = from; i < to; i++) keys.request(slots[i]!, i)
    return true
  })
  await (keys.takeCached() ? apply(slots, keys) : resolveAndApply(slots, keys, limitKeyWait))
}

/**
 * Checks the values first: one that cannot be written should not make a DEK. What the KMS itself works on needs no
 * connection to the database, so the limit is not for that.
 */
async function resolveAndApply(
  slots: readonly Slot[],
  keys: KeyResolution,
  limitKeyWait: (keys: Promise<void>) => Promise<void>,
): Promise<void> {
  for (const slot of slots) {
    if (slot.mode === 'encrypt' && !slot.field.direct) encodeValue(slot.field, slot.holder[slot.key], slot.use)
    else if (slot.mode === 'tokens') slot.bodies()
  }
  try {
    await Promise.all([limitKeyWait(keys.resolve()), keys.resolveDirect()])
  } catch (error) {
    keys.direct?.stop()
    throw error
  }
  if (isDebugging) debugStep('keys', 'all there')
  await apply(slots, keys)
}

function apply(slots: readonly Slot[], keys: KeyResolution, began?: number): Promise<void> | undefined {
  if (slots.length <= STRETCH) return applyStretch(slots, keys, 0, slots.length)
  const work = (from: number, to: number) => {
    applyStretch(slots, keys, from, to)
    return true
  }
  return inTurns(slots.length, STRETCH, work, began)
}

function applyStretch(slots: readonly Slot[], keys: KeyResolution, from: number, to: number): undefined {
  const batches = new Batches()
  const unsorted = sorted(slots, from, to, (slot, position) => sortSlot(batches, slot, keys, position))
  run(batches, slots, unsorted)
  if (isDebugging) debugStep('cipher', `${to} of ${slots.length} applied`)
}

/** Stops at a slot that fails: what comes after it decides nothing any more. */
function sorted<S extends Slot>(
  slots: readonly S[],
  from: number,
  to: number,
  sort: (slot: S, position: number) => void,
): FailedSlot | undefined {
  let position = from
  try {
    for (; position < to; position++) sort(slots[position]!, position)
    return undefined
  } catch (error) {
    return { slot: slots[position]!, error }
  }
}

function run(batches: Batches, slots: readonly Slot[], unsorted: FailedSlot | undefined): void {
  const failures = batches.run()
  if (failures.length > 0) throw firstOf(slots, failures).error
  if (unsorted) throw unsorted.error
}

function firstOf(slots: readonly Slot[], failures: readonly FailedSlot[]): FailedSlot {
  const positions = failures.map(({ slot }) => slots.indexOf(slot))
  return failures[positions.indexOf(Math.min(...positions))]!
}

function sortSlot(batches: Batches, slot: Slot, keys: KeyResolution, position: number): void {
  switch (slot.mode) {
    case 'encrypt': {
      if (keys.direct?.putResult(slot, position)) break
      const dek = keys.activeDek(slot)
      batches.encrypt(dek, slot, plaintextOf(slot, dek))
      break
    }
    case 'decrypt':
      if (!keys.direct?.putResult(slot, position)) batches.decrypt(keys.decryptionKey(slot, position), slot)
      break
    case 'index':
      batches.index(keys.activeDek(slot), slot, indexMessage(slot.index, slot.values, slot.use))
      break
    case 'compare':
      checkComparable(keys.activeDek(slot), slot)
      break
    case 'tokens':
      batches.tokens(keys.activeDek(slot), slot, slot.bodies())
      break
  }
}

function plaintextOf({ field, holder, key, use }: EncryptSlot, dek: Dek): string | Buffer {
  if (isUnder(dek, holder[key])) throw twiceEncrypted(field)
  return encodeValue(field, holder[key], use)
}

/** Whether a value is a ciphertext of this DEK already, padded or not, or of the KMS itself. */
function isUnder(dek: Dek, value: unknown): boolean {
  const head = headOf(Array.isArray(value) && value.length === 1 ? value[0] : value)
  const header = head === null ? null : headerOf(head)
  return header !== null && (header.dekId === dek.id || isDirect(header))
}
