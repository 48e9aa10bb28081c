import { aadOf, withBound } from '../../src/crypto/aad.js'
import { decrypt, encrypt, randomNonces } from '../../src/crypto/aead.js'
import {
  type Ciphertext,
  headerOfHead,
  headOf,
  rawCiphertext,
  sealedPart,
  textCiphertext,
  textHead,
} from '../../src/crypto/ciphertext.js'
import type { ValueKind } from '../../src/crypto/codec.js'
import { decodeField, encodeField, type ValueForm } from '../../src/crypto/fieldValue.js'
import { encodeHeader, FLAG_PADDED, SUITE_AES_256_GCM } from '../../src/crypto/header.js'
import { pad, unpad } from '../../src/crypto/padding.js'
import { deriveKey } from './derivedKey.js'

export interface Place {
  readonly dek: Uint8Array
  readonly dekId: string
  readonly tenant: string
  readonly context: string
  readonly bound?: readonly string[]
  readonly kind: ValueKind
  /** The type of the column, where it is not that of the value. */
  readonly column?: ValueForm['column']
  readonly list?: boolean | undefined
}

function formOf({ kind, list, column = kind as ValueForm['column'] }: Place): ValueForm {
  return { kind, list, column }
}

export interface Sealing extends Place {
  readonly value: unknown
  readonly padTo?: number | undefined
  readonly nonce?: Buffer
}

/** A whole ciphertext out of the parts in src/crypto, nothing left out. */
export function seal(sealing: Sealing): Ciphertext {
  const { dek, dekId, tenant, context, bound = [], value, padTo, nonce = randomNonces(1) } = sealing
  const header = encodeHeader({ suite: SUITE_AES_256_GCM, flags: padTo ? FLAG_PADDED : 0, dekId })
  const form = formOf(sealing)
  const encoded = encodeField(form, value, true)
  const plaintext = padTo ? pad(Buffer.from(encoded as string), padTo) : encoded
  const sealed = encrypt(deriveKey(dek, 'encrypt'), withBound(aadOf(header, tenant, context), bound), plaintext, nonce)
  return form.column === 'Bytes' ? rawCiphertext(header, sealed) : textCiphertext(textHead(header), sealed)
}

export type Opened = { readonly value: unknown } | 'CIPHERTEXT_INVALID' | 'KEY_NOT_FOUND' | 'DECRYPTION_FAILED'

/** The other way, with docs/format.md's answer to each defect. */
export function open(place: Place, stored: unknown): Opened {
  const head = headOf(stored)
  const header = head === null ? null : headerOfHead(head)
  if (!header) return 'CIPHERTEXT_INVALID'
  if (header.dekId !== place.dekId) return 'KEY_NOT_FOUND'
  const sealed = sealedPart(stored as Ciphertext)
  if (!sealed) return 'CIPHERTEXT_INVALID'
  const aad = withBound(aadOf(encodeHeader(header), place.tenant, place.context), place.bound ?? [])
  const opened = decrypt(deriveKey(place.dek, 'encrypt'), aad, sealed)
  if (!opened) return 'DECRYPTION_FAILED'
  const plaintext = header.flags & FLAG_PADDED ? unpad(opened) : opened
  const value = plaintext ? decodeField(formOf(place), plaintext) : undefined
  return value === undefined ? 'CIPHERTEXT_INVALID' : { value }
}
