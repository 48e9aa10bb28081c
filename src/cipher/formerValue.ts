import { isUtf8 } from 'node:buffer'
import { parseTextForm } from '../crypto/textForm.js'
import { FormerFailure, type FormerFormat, notOpened } from '../formerFormats/formerFormat.js'
import { UNEXPECTED_FORMAT } from '../formerFormats/unexpectedFormat.js'
import type { CipherField } from './cipherField.js'
import { fieldError } from './slot.js'

/** A value that another library has encrypted. */
export interface FormerValue {
  readonly value: unknown
  /** As it was encrypted: a text, or bytes. */
  readonly plaintext: string | Uint8Array
}

/** The format of another library that a field may hold. */
export function formerFormatOf({ former = UNEXPECTED_FORMAT }: CipherField): FormerFormat {
  return former
}

/** Whether what a column holds, which is none of our ciphertexts, is what another library has made, and not plaintext. */
export function isFormer(field: CipherField, stored: unknown): boolean {
  const { prefix } = formerFormatOf(field)
  if (field.list) return false
  return prefix === undefined || (typeof stored === 'string' && stored.startsWith(prefix))
}

/**
 * The value that another library has encrypted.
 *
 * @throws FieldsealError `KEY_NOT_FOUND`, `CIPHERTEXT_INVALID`, `DECRYPTION_FAILED`
 */
export function formerValue(field: CipherField, stored: unknown): FormerValue {
  const bytes = decrypt(field, stored)
  if (field.kind === 'Bytes') return { value: new Uint8Array(bytes), plaintext: bytes }
  const plaintext = isUtf8(bytes) ? Buffer.from(bytes).toString() : undefined
  const value = plaintext === undefined ? undefined : parseTextForm({ ...field, column: 'String' }, plaintext)
  if (plaintext !== undefined && value !== undefined) return { value, plaintext }
  const type = field.kind === 'Enum' ? 'its enum' : field.kind
  const what = `holds a ciphertext of ${formerFormatOf(field).library} whose value is none of ${type}`
  throw fieldError('CIPHERTEXT_INVALID', field, `${what}: correct it with that library`)
}

function decrypt(field: CipherField, stored: unknown): Uint8Array {
  const format = formerFormatOf(field)
  try {
    return format.decrypt(stored)
  } catch (error) {
    const { code, message } = FormerFailure.is(error) ? error : notOpened(format.library, 'its format failed')
    throw fieldError(code, field, message)
  }
}
