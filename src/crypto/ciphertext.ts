import { isUtf8 } from 'node:buffer'
import { types } from 'node:util'
import { NONCE_BYTES, TAG_BYTES } from './aead.js'
import { decodeBase64url } from './bytes.js'
import { decodeHeader, HEADER_BYTES, HEADER_CHARS, type Header } from './header.js'

/** Every ciphertext of this format begins with it, in text columns and in Bytes columns. */
export const PREFIX = 'fs1.'
const PREFIX_BYTES = Buffer.from(PREFIX, 'latin1')

/** The characters (or bytes) up to and with the header. */
export const TEXT_HEAD = PREFIX.length + HEADER_CHARS
export const RAW_HEAD = PREFIX.length + HEADER_BYTES

/** What is stored in a field: text in String and Json columns, bytes in Bytes columns. */
export type Ciphertext = string | Uint8Array

/** The prefix and header as text: equal for all ciphertexts of one DEK and flags. */
export function textHead(header: Buffer): string {
  return PREFIX + header.toString('base64url')
}

/** The prefix and header as bytes. */
export function rawHead(header: Buffer): Buffer {
  return Buffer.concat([PREFIX_BYTES, header])
}

export function textCiphertext(head: string, sealed: Buffer): string {
  return head + sealed.toString('base64url')
}

export function rawCiphertext(header: Buffer, sealed: Buffer): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(PREFIX.length + header.length + sealed.length)
  out.set(PREFIX_BYTES, 0)
  out.set(header, PREFIX.length)
  out.set(sealed, RAW_HEAD)
  return out
}

/** Prefix and header of a stored value, in the text form; `null` when it is no ciphertext of this format. */
export function headOf(stored: unknown): string | null {
  if (typeof stored === 'string') return stored.startsWith(PREFIX) ? stored.slice(0, TEXT_HEAD) : null
  if (!types.isUint8Array(stored)) return null
  const raw = Buffer.from(stored.buffer, stored.byteOffset, Math.min(stored.byteLength, RAW_HEAD))
  return raw.indexOf(PREFIX_BYTES) === 0 ? textHead(raw.subarray(PREFIX.length)) : null
}

export function headerOfHead(head: string): Header | null {
  const bytes = decodeBase64url(head.slice(PREFIX.length))
  return bytes?.length === HEADER_BYTES ? decodeHeader(bytes) : null
}

/** Whether a value begins as a ciphertext does, or is a list with one that does. */
export function looksEncrypted(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(looksEncrypted)
  const head = headOf(value)
  return head !== null && headerOfHead(head) !== null
}

/** What follows the header in suite 1: nonce ‖ ciphertext ‖ tag; `null` when it is torn or not canonical base64url. */
export function sealedPart(stored: Ciphertext): Buffer | null {
  const sealed = afterHead(stored)
  return sealed !== null && sealed.length > NONCE_BYTES + TAG_BYTES ? sealed : null
}

/** What follows the header in suite 2: the KMS's own text; `null` when it is torn, or no text. */
export function kmsPart(stored: Ciphertext): string | null {
  const blob = afterHead(stored)
  return blob !== null && blob.length > 0 && isUtf8(blob) ? blob.toString('utf8') : null
}

function afterHead(stored: Ciphertext): Buffer | null {
  return typeof stored === 'string'
    ? decodeBase64url(stored.slice(TEXT_HEAD))
    : Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength).subarray(RAW_HEAD)
}
