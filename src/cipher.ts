import { PassKeys } from './cipher/passKeys.js'
import {
  type CipherField,
  type CipherIndex,
  type DecryptSlot,
  type EncryptSlot,
  fieldError,
  type IndexSlot,
  type Slot,
} from './cipher/slot.js'
import { withBound } from './crypto/aad.js'
import { decrypt, encrypt, nonceSource } from './crypto/aead.js'
import { blindIndex } from './crypto/blindIndex.js'
import { lengthPrefixed } from './crypto/bytes.js'
import { type Ciphertext, headOf, rawCiphertext, sealedPart, textCiphertext } from './crypto/ciphertext.js'
import { decode, encode, UnencodableValue } from './crypto/codec.js'
import { type NormalizerName, normalize } from './crypto/normalize.js'
import { unpad } from './crypto/padding.js'
import type { Dek } from './keys/dek.js'
import type { KeyRing } from './keys/keyRing.js'

export { named } from './cipher/passKeys.js'
export type * from './cipher/slot.js'

/**
 * Transforms all slots of one pass: resolves every key they need with at most one wait, then works through them
 * without any. Returns nothing when all keys were in memory, so that a warm caller awaits nothing.
 *
 * @throws FieldsealError for the first slot that cannot be transformed exactly; the others may or may not be done
 */
export function transform(slots: readonly Slot[], ring: KeyRing): Promise<void> | undefined {
  if (slots.length === 0) return undefined
  const keys = new PassKeys(ring)
  for (const slot of slots) keys.need(slot)
  if (!keys.complete()) return resolveAndApply(slots, keys)
  apply(slots, keys)
  return undefined
}

/** Checks the values first: one that cannot be written should not make a DEK. */
async function resolveAndApply(slots: readonly Slot[], keys: PassKeys): Promise<void> {
  for (const slot of slots) if (slot.mode === 'encrypt') encodeValue(slot.field, slot.holder[slot.key])
  await keys.resolve()
  apply(slots, keys)
}

function apply(slots: readonly Slot[], keys: PassKeys): void {
  const nonce = nonceSource(slots.length)
  for (const slot of slots) {
    switch (slot.mode) {
      case 'encrypt':
        slot.holder[slot.key] = encryptValue(slot, keys.active(slot), nonce())
        break
      case 'decrypt':
        slot.holder[slot.key] = decryptValue(slot, keys)
        break
      case 'index':
        slot.holder[slot.key] = indexValue(slot, keys.active(slot))
        break
    }
  }
}

function encryptValue({ field, holder, key, bound }: EncryptSlot, dek: Dek, nonce: Buffer): Ciphertext {
  if (headOf(holder[key]) === dek.head) throw fieldError('VALUE_INVALID', field, TWICE)
  const plaintext = encodeValue(field, holder[key])
  const sealed = encrypt(dek.key, withBound(dek.aad(field.context), bound), plaintext, nonce)
  return field.kind === 'Bytes' ? rawCiphertext(dek.header, sealed) : textCiphertext(dek.head, sealed)
}

const TWICE =
  'is a ciphertext already and would be encrypted twice: copy values through the encrypted client on both sides, and ' +
  'in an extension chained after the encryption do not write with the encrypted client'

function decryptValue(slot: DecryptSlot, keys: PassKeys): unknown {
  const { field, holder, key, bound } = slot
  const stored = holder[key] as Ciphertext
  const opener = keys.opener(slot, headOf(stored)!)
  const sealed = sealedPart(stored)
  if (!sealed) throw fieldError('CIPHERTEXT_INVALID', field, 'is torn: it is shorter or other than it was written')
  const opened = decrypt(opener.dek.key, withBound(opener.aad(field.context), bound), sealed)
  if (!opened) {
    const what = 'could not be decrypted: it was changed, or moved here from another field, row or tenant'
    throw fieldError('DECRYPTION_FAILED', field, what)
  }
  const plaintext = opener.padded ? unpad(opened) : opened
  const value = plaintext ? decode(field.kind, plaintext) : undefined
  if (value === undefined) {
    throw fieldError('CIPHERTEXT_INVALID', field, `holds a value that is not of its type, ${field.kind}`)
  }
  return value
}

function indexValue({ index, values }: IndexSlot, dek: Dek): string | Uint8Array {
  const { sources, bits, column } = index
  const plaintexts = sources.map((field, i) => encodeValue(field, normalized(index, values[i])))
  const context = sources.map((field) => field.context).join(COMBINED)
  const message = plaintexts.length === 1 ? plaintexts[0]! : Buffer.concat(plaintexts.map(lengthPrefixed))
  const bytes = blindIndex(dek.key, context, message, bits)
  return column === 'Bytes' ? new Uint8Array(bytes) : bytes.toString('base64url')
}

/** Between the contexts of an index over several fields; no context of one field has it. */
const COMBINED = '+'

function normalized({ normalize: names }: CipherIndex, value: unknown): unknown {
  return typeof value === 'string' ? normalize(value, names as readonly NormalizerName[]) : value
}

function encodeValue(field: CipherField, value: unknown): string | Buffer {
  try {
    return encode(field.kind, value)
  } catch (error) {
    if (!(error instanceof UnencodableValue)) throw error
    throw fieldError('VALUE_INVALID', field, `cannot be written: the value ${error.message}`)
  }
}
