import { setImmediate } from 'node:timers/promises'
import { lengthPrefixed } from '../crypto/bytes.js'
import { headOf } from '../crypto/ciphertext.js'
import { isDirect } from '../crypto/direct.js'
import { encodeField } from '../crypto/fieldValue.js'
import { debugStep, isDebugging } from '../debug.js'
import { FieldsealError } from '../errors.js'
import type { Dek } from '../keys/dek.js'
import type { KeyRing } from '../keys/keyRing.js'
import { Batches, type FailedSlot } from './batches.js'
import { headerOf } from './headers.js'
import { KeyResolution } from './keyResolution.js'
import { debugSlots } from './passSteps.js'
import {
  type CipherField,
  type CipherIndex,
  checkedValue,
  type DecryptSlot,
  type EncryptSlot,
  type Slot,
  twiceEncrypted,
  type ValueUse,
} from './slot.js'

export type * from './slot.js'
export { checkedValue, fieldError, prefixErrors } from './slot.js'

/** Slots that go to the engine together: enough to make its calls cheap, too few to hold up the event loop. */
const STRETCH = 512
/** So many slots are looked at without a pause. */
const LARGE = 16_384
/** After so many milliseconds at a stretch, others on the event loop have their turn. */
const TURN = 6

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

/** Lets others on the event loop have their turn, if the one that began at `start` is over; when the next one began. */
export async function nextTurn(start: number): Promise<number> {
  if (performance.now() - start < TURN) return start
  await setImmediate()
  return performance.now()
}

/** As `transform`, of so many slots that only to look at them would take too long at a stretch. */
async function transformLarge(
  slots: readonly Slot[],
  keys: KeyResolution,
  limitKeyWait: (keys: Promise<void>) => Promise<void>,
): Promise<void> {
  for (let i = 0; i < slots.length; i++) {
    keys.request(slots[i]!, i)
    if (i % LARGE === LARGE - 1) await setImmediate()
  }
  await (keys.takeCached() ? applyRest(slots, keys, 0) : resolveAndApply(slots, keys, limitKeyWait))
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
  }
  try {
    await Promise.all([limitKeyWait(keys.resolve()), keys.resolveDirect()])
  } catch (error) {
    keys.direct.stop()
    throw error
  }
  if (isDebugging) debugStep('keys', 'all there')
  await apply(slots, keys, performance.now())
}

function apply(slots: readonly Slot[], keys: KeyResolution, start: number): Promise<void> | undefined {
  const next = applyTurn(slots, keys, 0, start)
  return next < slots.length ? applyRest(slots, keys, next) : undefined
}

async function applyRest(slots: readonly Slot[], keys: KeyResolution, from: number): Promise<void> {
  for (let next = from; next < slots.length; ) {
    await setImmediate()
    next = applyTurn(slots, keys, next, performance.now())
  }
}

/** Works until the time of a turn that began at `start` is over; where to go on. */
function applyTurn(slots: readonly Slot[], keys: KeyResolution, from: number, start: number): number {
  let next = from
  do {
    const end = Math.min(next + STRETCH, slots.length)
    applyStretch(slots, keys, next, end)
    next = end
  } while (next < slots.length && performance.now() - start < TURN)
  if (isDebugging) debugStep('cipher', `${next} of ${slots.length} applied`)
  return next
}

function applyStretch(slots: readonly Slot[], keys: KeyResolution, from: number, to: number): void {
  const batches = new Batches()
  const unsorted = sorted(slots, from, to, (slot, position) => sortSlot(batches, slot, keys, position))
  run(batches, slots, unsorted)
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
      if (keys.direct.putResult(slot, position)) break
      const dek = keys.activeDek(slot)
      batches.encrypt(dek, slot, plaintextOf(slot, dek))
      break
    }
    case 'decrypt':
      if (!keys.direct.putResult(slot, position)) batches.decrypt(keys.decryptionKey(slot, position), slot)
      break
    case 'index':
      batches.index(keys.activeDek(slot), slot, indexed(slot.index, slot.values, slot.use))
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

function indexed(index: CipherIndex, values: readonly unknown[], use?: ValueUse): string | Buffer {
  const plaintexts = index.sources.map((field, i) => encodeValue(field, normalizedFor(index, field, values[i]), use))
  return plaintexts.length === 1 ? plaintexts[0]! : Buffer.concat(plaintexts.map(lengthPrefixed))
}

/**
 * What a blind index is made from, as text: the same for values that it takes for equal, and only for these.
 *
 * @throws FieldsealError `VALUE_INVALID` for a value that the field cannot hold
 */
export function indexedText(index: CipherIndex, values: readonly unknown[], use: ValueUse): string {
  const message = indexed(index, values, use)
  return typeof message === 'string' ? message : message.toString('latin1')
}

/** Only free text is normalised: a decimal or a date that is written as a text has a form of its own. */
function normalizedFor(index: CipherIndex, { kind }: CipherField, value: unknown): unknown {
  return kind === 'String' ? normalized(index, value) : value
}

/**
 * A text as a blind index takes it; anything else as it is.
 *
 * @throws FieldsealError `VALUE_INVALID` when a normaliser of the application fails
 */
export function normalized(index: CipherIndex, value: unknown): unknown {
  if (typeof value !== 'string') return value
  return index.normalizers.reduce((text, normalize, i) => normalizedBy(index, normalize, text, i), value)
}

function normalizedBy({ name, normalize: names }: CipherIndex, normalize: Normalize, text: string, i: number): string {
  let result: unknown
  try {
    result = normalize(text)
  } catch {
    throw badNormalizer(name, names[i]!, 'threw an error')
  }
  if (typeof result !== 'string') throw badNormalizer(name, names[i]!, 'answered with something other than a string')
  return result
}

type Normalize = (text: string) => string

/** Without the cause: what it says may quote the value. */
function badNormalizer(index: string, name: string, what: string): FieldsealError {
  const message = `${index} cannot be made: its normalizer "${name}" ${what}; it must map every text to a text`
  return new FieldsealError('VALUE_INVALID', message)
}

function encodeValue(field: CipherField, value: unknown, use?: ValueUse): string | Buffer {
  return checkedValue(field, () => encodeField(field, value, use === 'kept'), use)
}
