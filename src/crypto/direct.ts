import { createHash, timingSafeEqual } from 'node:crypto'
import { types } from 'node:util'
import { aadOf, withBound } from './aad.js'
import { type Ciphertext, headOf, PREFIX, rawCiphertext, textCiphertext, textHead } from './ciphertext.js'
import { FAILURE, type Outcome } from './engine.js'
import { encodeHeader, FLAG_PADDED, type Header, NO_DEK, SUITE_KMS } from './header.js'
import { pad, unpad } from './padding.js'

/*
 * Suite 2: the KMS itself encrypts the value. What it gets is SHA-256(AAD) ‖ codec ‖ value, so that a value is tied to its
 * place also where the KMS does not look at its encryption context.
 */

const DIGEST_BYTES = 32

/** The longest plaintext that a KMS encrypts, in bytes. */
export const MOST_KMS_BYTES = 4096

/** What is left of it for codec ‖ value, padding included. */
export const MOST_DIRECT_BYTES = MOST_KMS_BYTES - DIGEST_BYTES

/** Where a value belongs. */
export interface DirectPlace {
  readonly tenant: string
  readonly context: string
  readonly bound: readonly string[]
}

/** Whether a header is that of a value that the KMS itself encrypted. */
export function isDirect({ suite }: Header): boolean {
  return suite === SUITE_KMS
}

/** Whether a stored value begins like a ciphertext of suite 2. */
export function isDirectCiphertext(stored: unknown): boolean {
  if (typeof stored === 'string') return stored.startsWith(TEXT_START)
  return types.isUint8Array(stored) && stored[PREFIX.length] === SUITE_KMS && headOf(stored) !== null
}

/** Suite and flags take the first three characters, of which flags have the last. */
const TEXT_START = `${PREFIX}Ag`

/** The header of a new ciphertext. */
export function directHeader(padded: boolean): Header {
  return { suite: SUITE_KMS, flags: padded ? FLAG_PADDED : 0, dekId: NO_DEK }
}

/** What ties a value to its place. */
export function directDigest(header: Header, { tenant, context, bound }: DirectPlace): Buffer {
  const aad = withBound(aadOf(encodeHeader(header), tenant, context), bound)
  return createHash('sha256').update(aad).digest()
}

/** codec ‖ value with its padding, if it is to have one. */
export function directContent(encoded: string | Uint8Array, block: number | undefined): Uint8Array {
  const plaintext = typeof encoded === 'string' ? Buffer.from(encoded) : encoded
  return block === undefined ? plaintext : pad(plaintext, block)
}

/** The content of what the KMS decrypted, without padding. */
export function openDirect(plaintext: Buffer, digest: Buffer, { flags }: Header): Outcome {
  const isHere = plaintext.length > DIGEST_BYTES && timingSafeEqual(plaintext.subarray(0, DIGEST_BYTES), digest)
  if (!isHere) return FAILURE.forged
  const content = plaintext.subarray(DIGEST_BYTES)
  return flags === 0 ? content : (unpad(content) ?? FAILURE.foreign)
}

/** What is stored of the text that the KMS answered. */
export function directCiphertext(header: Header, text: string, form: 'raw' | 'text'): Ciphertext {
  const [head, blob] = [encodeHeader(header), Buffer.from(text)]
  return form === 'raw' ? rawCiphertext(head, blob) : textCiphertext(textHead(head), blob)
}
